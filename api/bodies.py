"""Posted files: as the body itself or in a form, within limits of size and time."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from api.errors import Refusal, no_room

__all__ = ["FIELD", "Limits", "receive_bytes", "receive_file"]

MEGABYTE = 1_000_000
FORM = "multipart/form-data"
FIELD = "file"
"""Name of the field that holds the file, in a form."""

FORM_MARGIN = 100_000
"""What a form may add to the file in it: boundaries and headers."""

OTHER_FIELDS = 64
"""So many more fields may be in a form; they are ignored."""

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Limits:
    """How much may be sent, how long that may take, and what it is called.

    Attributes:
        what: its name in sentences, such as `picture`.
        kind: the first half of its media types, such as `image`.
        megabytes: of the file.
        seconds: until all of it has arrived.
    """

    what: str
    kind: str
    megabytes: int
    seconds: int

    def check(self, size: int) -> None:
        """Refuse a file of `size` bytes that is too large.

        Raises:
            Refusal: 413.
        """
        if size > self.megabytes * MEGABYTE:
            raise Refusal(
                413, f"The {self.what} is larger than {self.megabytes} MB. Send a smaller one."
            )


async def receive_bytes(request: Request, limits: Limits) -> bytes:
    """The posted file.

    Raises:
        Refusal: 400 empty, broken off or no form; 408 too slow; 413 too large; 415 something else;
            422 a form without the file; 507 the disk is full (a large form is put aside there).
    """
    content = await _in_time(_bytes_of(request, limits), limits)
    if not content:
        raise _empty(limits)
    return content


async def receive_file(request: Request, limits: Limits, target: Path) -> None:
    """Write the posted file to `target`.

    Raises:
        Refusal: as in `receive_bytes`.
    """
    size = await _in_time(_write(request, limits, target), limits)
    if size == 0:
        raise _empty(limits)


async def _in_time(work: Coroutine[None, None, Answer], limits: Limits) -> Answer:
    try:
        return await asyncio.wait_for(work, limits.seconds)
    except asyncio.TimeoutError:
        raise Refusal(
            408,
            f"The {limits.what} did not arrive within {limits.seconds} s. "
            "Send a smaller one, or over a faster line.",
        ) from None
    except ClientDisconnect:
        raise Refusal(400, f"The connection ended before the {limits.what} did.") from None
    except OSError as error:  # after the timeout, which is one too since Python 3.11
        raise no_room(limits.what, error) from None


async def _bytes_of(request: Request, limits: Limits) -> bytes:
    if _is_form(request, limits):
        async with _form_file(request, limits) as file:
            return await file.read()
    return b"".join([part async for part in _parts(request, limits, 0)])


async def _write(request: Request, limits: Limits, target: Path) -> int:
    size = 0
    with target.open("wb") as out:
        if _is_form(request, limits):
            async with _form_file(request, limits) as file:
                await asyncio.to_thread(shutil.copyfileobj, file.file, out, 1 << 20)
                return file.size or 0
        async for part in _parts(request, limits, 0):
            size += len(part)
            out.write(part)  # some 64 kB, into the system's memory
    return size


def _is_form(request: Request, limits: Limits) -> bool:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == FORM:
        return True
    if kind in ("", "application/octet-stream") or kind.startswith(limits.kind + "/"):
        return False
    raise Refusal(
        415,
        f"The {limits.what} came as {kind[:80]}. Send the file itself as {limits.kind}/* or "
        f"application/octet-stream, or a form ({FORM}) with the field `{FIELD}`.",
    )


@contextlib.asynccontextmanager
async def _form_file(request: Request, limits: Limits) -> AsyncIterator[UploadFile]:
    stream = _parts(request, limits, FORM_MARGIN)
    parser = MultiPartParser(request.headers, stream, max_files=1, max_fields=OTHER_FIELDS)
    try:
        form = await parser.parse()
    except (MultiPartException, ValueError) as error:
        said = getattr(error, "message", None) or str(error)
        raise Refusal(400, f"The form cannot be read: {said.rstrip('.')}.") from None
    try:
        file = form.get(FIELD)
        if not isinstance(file, UploadFile):
            raise Refusal(
                422, f"The form has no file called `{FIELD}`. Put the {limits.what} there."
            )
        limits.check(file.size or 0)
        yield file
    finally:
        await form.close()


async def _parts(request: Request, limits: Limits, margin: int) -> AsyncGenerator[bytes, None]:
    """The body as it comes; stops when it is too large."""
    with contextlib.suppress(ValueError):
        limits.check(int(request.headers.get("content-length", "")) - margin)
    size = 0
    async for part in request.stream():
        size += len(part)
        limits.check(size - margin)
        yield part


def _empty(limits: Limits) -> Refusal:
    return Refusal(400, f"The {limits.what} is empty (0 bytes). Send the file itself.")
