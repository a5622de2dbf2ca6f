"""Files in folders and in buckets: found here, read wherever a worker runs.

Addresses are opened as Ray Data opens them: by Arrow's own filesystems (`s3://`, `gs://`,
`abfs://`, `hdfs://`, `file://`) and, for any other scheme, by fsspec where a package serves it.
"""

from __future__ import annotations

import glob
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fer_core.commands.sources import Source, belongs, kind_of
from fer_core.errors import FerError

__all__ = ["Item", "PlaceError", "copy_to", "find_items"]

BLOCK = 1 << 20


class PlaceError(FerError):
    """A bucket or a file in it cannot be read."""


@dataclass(frozen=True)
class Item:
    """One file to analyse, or the sentence why there is none.

    Attributes:
        shown: how it is called in tables and sentences; never holds a password.
        kind: `PICTURE` or `CLIP`.
        path: where it lies: absolute on this machine, or inside the filesystem of `root`.
        root: the address that opens the filesystem; empty for this machine's.
        size: bytes, at least 1.
        error: why this cannot be analysed.
    """

    shown: str
    kind: str
    path: str
    root: str = ""
    size: int = 1
    error: str | None = None


def find_items(sources: Iterable[Source]) -> list[Item]:
    """What the sources of a command line are, with addresses searched; each file once."""
    items: list[Item] = []
    taken: set[tuple[str, str]] = set()
    for source in sources:
        found = _at_address(source.path) if "://" in source.path else [_local(source)]
        for item in found:
            place = (_server(item.root), item.path)
            if item.error is not None or place not in taken:
                taken.add(place)
                items.append(item)
    return items


def copy_to(file: Path, item_root: str, path: str) -> str:
    """Fetch a file of a bucket into `file`; its SHA-256, taken on the way.

    Raises:
        PlaceError: it cannot be read.
    """
    digest = hashlib.sha256()
    try:
        system, _ = _filesystem(item_root)
        with system.open_input_stream(path) as stream, file.open("wb") as target:
            while block := stream.read(BLOCK):
                digest.update(block)
                target.write(block)
    except (OSError, ValueError) as error:
        raise PlaceError(f"{path} cannot be read: {_reason(error)}.") from None
    return digest.hexdigest()


def _local(source: Source) -> Item:
    path = Path(source.path)
    try:
        size = max(1, path.stat().st_size)
    except (OSError, ValueError):
        size = 1
    return Item(source.path, source.kind, str(path.absolute()), size=size, error=source.error)


def _at_address(address: str) -> list[Item]:
    shown = _without_secrets(address)
    # A pattern is no address: what stands before its first star is.
    fixed, pattern = _split_pattern(address)
    try:
        system, base = _filesystem(fixed)
        found = list(_search(system, base, pattern))
    except PlaceError as error:
        return [Item(shown, kind_of(address), address, address, error=str(error))]
    except (OSError, ValueError) as error:
        sentence = f"{shown!r} cannot be read: {_reason(error)}. Check the address."
        return [Item(shown, kind_of(address), address, address, error=sentence)]
    if not found:
        what = "No file matches" if pattern else "No picture and no clip lies in"
        return [Item(shown, kind_of(address), address, fixed, error=f"{what} {shown!r}. Check it.")]
    place = _without_secrets(fixed).rstrip("/")
    return [
        Item(place + path[len(base.rstrip("/")) :], kind_of(path), path, fixed, max(1, size))
        for path, size in found
    ]


def _search(system: Any, base: str, pattern: str) -> Iterator[tuple[str, int]]:
    """Path and size of the files under `base` that are to be read, by name."""
    from pyarrow import fs

    info = system.get_file_info(base)
    if info.type == fs.FileType.File:
        yield base, info.size or 1
        return
    if info.type == fs.FileType.NotFound:
        raise FileNotFoundError(2, "it does not exist")
    inside = system.get_file_info(fs.FileSelector(base, recursive=True))
    for info in sorted(inside, key=lambda info: info.path):
        parts = info.path[len(base.rstrip("/")) :].lstrip("/").split("/")
        if info.type != fs.FileType.File or any(part.startswith(".") for part in parts):
            continue
        if _matches(parts, pattern.split("/")) if pattern else belongs(parts[-1]):
            yield info.path, info.size or 1


def _filesystem(address: str) -> tuple[Any, str]:
    """The filesystem that serves an address, and the path in it."""
    import pyarrow
    from pyarrow import fs

    try:
        system, path = fs.FileSystem.from_uri(address)
    except (pyarrow.ArrowInvalid, pyarrow.ArrowNotImplementedError) as refused:
        if "unrecognized" not in str(refused).lower():
            raise
        try:
            import fsspec

            other, path = fsspec.core.url_to_fs(address)
        except (ImportError, ValueError) as error:
            raise PlaceError(
                f"{_without_secrets(address)!r} cannot be opened: {_reason(error)}. "
                "Use s3://, gs://, abfs://, hdfs:// or file://."
            ) from None
        system = fs.PyFileSystem(fs.FSSpecHandler(other))
    return system, str(path)


def _split_pattern(address: str) -> tuple[str, str]:
    start = address.index("://") + 3
    where, query = address, ""
    if "?" in address and "=" in address.partition("?")[2]:
        where, _, query = address.partition("?")
    parts = where[start:].split("/")
    for number, part in enumerate(parts):
        if glob.has_magic(part):
            fixed = where[:start] + "/".join(parts[:number])
            return fixed + (f"?{query}" if query else ""), "/".join(parts[number:])
    return address, ""


def _matches(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """Whether a path fits, as a shell reads it: `*` stays in one folder, `**` goes through all."""
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return any(_matches(parts[skip:], pattern[1:]) for skip in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], pattern[0]) and _matches(parts[1:], pattern[1:])


def _without_secrets(address: str) -> str:
    """An address without a user's name, password, and options."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _server(root: str) -> str:
    parts = urlsplit(root)
    return f"{parts.scheme}://{parts.netloc}?{parts.query}" if root else ""


def _reason(error: BaseException) -> str:
    if isinstance(error, FileNotFoundError) and error.strerror is None:
        return "it does not exist"  # fsspec says only the path
    text = getattr(error, "strerror", None) or str(error)
    return " ".join(str(text).split())[:300].rstrip(".") or type(error).__name__
