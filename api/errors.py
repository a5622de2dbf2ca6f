"""Everything that is refused: a status, and one sentence that says what to do."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from fer_core.confined.worker import NotBegunError
from fer_core.errors import FerError, OptionError, PictureError, VideoError, WorkerError

__all__ = ["Refusal", "add_handlers", "no_room", "status_of"]

_log = logging.getLogger(__name__)

_CALLERS_FAULT = (OptionError, PictureError, VideoError, WorkerError)

DRAINED_BYTES = 100_000_000
DRAINED_SECONDS = 5.0
"""How much of a refused body is still taken: a client that is sending sees a broken connection, not
the sentence, when the server hangs up on it."""


class Refusal(Exception):  # noqa: N818 - an answer, not a fault
    """An answer with an error status.

    Attributes:
        status: HTTP's number.
        sentence: for people.
        headers: that go with it.
    """

    def __init__(
        self, status: int, sentence: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.headers = dict(headers or {})


def no_room(what: str, error: OSError) -> Refusal:
    """What is said when the system does not take a file, in its own words."""
    return Refusal(
        507,
        f"The {what} cannot be stored on the server ({error.strerror}). "
        "Make room there, or send a smaller one.",
    )


def status_of(error: FerError) -> int:
    """422 for what the caller sent, 503 for what is missing on this side.

    A file that ends or overruns the process it is read in would do so again; one that got no
    process may get one later.
    """
    theirs = isinstance(error, _CALLERS_FAULT) and not isinstance(error, NotBegunError)
    return 422 if theirs else 503


def add_handlers(app: FastAPI) -> None:
    """Give every error of `app` one form: `{"detail": SENTENCE}`."""
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(FerError, _failed)
    app.add_exception_handler(RequestValidationError, _misfit)
    app.add_exception_handler(HTTPException, _no_route)
    app.add_exception_handler(Exception, _broken)


async def _refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refusal)
    return await _answer(request, error.status, error.sentence, error.headers)


async def _failed(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, FerError)
    status = status_of(error)
    if status >= 500:
        _log.error("%s %s: %s", request.method, request.url.path, error)
    return await _answer(request, status, str(error))


async def _misfit(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return await _answer(request, 422, " ".join(map(_in_words, error.errors()[:3])))


def _in_words(fault: Mapping[str, Any]) -> str:
    where = fault["loc"][-1] if fault.get("loc") else "the request"
    received = repr(fault.get("input"))
    shown = received if len(received) <= 80 else received[:77] + "..."
    return f"{where}: {str(fault['msg']).rstrip('.')}. Received: {shown}."


async def _no_route(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    path, root = request.url.path, request.scope.get("root_path", "")
    headers = dict(error.headers or {})
    if error.status_code == 404:
        sentence = f"There is nothing at {path[:200]}. {root}/docs lists what there is."
    elif error.status_code == 405:
        known = _methods_at(path.removeprefix(root), request.app)
        taken = headers["Allow"] = ", ".join(known) or headers.get("Allow", "")
        sentence = f"{path[:200]} does not take {request.method}. It takes: {taken}."
    else:
        sentence = str(error.detail)
    return await _answer(request, error.status_code, sentence, headers)


def _methods_at(path: str, app: FastAPI) -> list[str]:
    # One address may be several routes; Starlette names the methods of the first alone.
    found: set[str] = set()
    for template, operations in app.openapi()["paths"].items():
        if compile_path(template)[0].match(path):
            found |= {name.upper() for name in operations}
    return sorted(found)


async def _broken(request: Request, error: Exception) -> JSONResponse:
    _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    said = f"This request failed ({type(error).__name__}). The terminal of the server says more."
    return JSONResponse({"detail": said}, 500)


async def _answer(
    request: Request, status: int, sentence: str, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    if status != 408:  # that one has had its time
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(_drain(request), DRAINED_SECONDS)
    return JSONResponse({"detail": sentence}, status, headers=dict(headers or {}))


async def _drain(request: Request) -> None:
    # Whoever sends `Expect` waits for our word before it sends anything.
    left = 0 if "expect" in request.headers else DRAINED_BYTES
    while left > 0 and not request._stream_consumed:
        message = await request.receive()
        left -= len(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body", False):
            return
