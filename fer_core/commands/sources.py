"""What the paths of a command line mean: files, folders, patterns, and a list on standard input."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from fer_core.errors import OptionError

__all__ = ["CLIP", "PICTURE", "Source", "belongs", "find_sources", "kind_of"]

PICTURE, CLIP = "picture", "clip"

_ENDINGS = {
    PICTURE: "avif bmp gif heic heif jfif jp2 jpe jpeg jpg pgm png ppm tif tiff webp",
    CLIP: "3gp asf avi flv m2ts m4v mkv mov mp4 mpeg mpg mts ogv ts webm wmv",
}
_KINDS = {f".{ending}": kind for kind, endings in _ENDINGS.items() for ending in endings.split()}
_COPY = re.compile(r"-annotated(-\d+)?$")
"""Our own annotated copies are not read again when they lie in the folder that is read."""


@dataclass(frozen=True)
class Source:
    """One file to analyse, or the sentence why there is none.

    Attributes:
        path: as it was given, or found in a folder that was given.
        kind: `PICTURE` or `CLIP`.
        inside: the folder it was found in, relative to the folder that was given.
        error: why this cannot be analysed.
    """

    path: str
    kind: str = PICTURE
    inside: str = ""
    error: str | None = None


def find_sources(names: Sequence[str], list_stream: BinaryIO) -> tuple[list[Source], bool]:
    """All files that `names` mean, in their order; those of a folder by name.

    Args:
        names: files, folders (searched with all their folders), patterns such as `*.mp4` and
            `**/*.jpg`, and `-` for a list on standard input.
        list_stream: where that list is read: a name a line, or separated by null characters.

    Returns:
        The sources, and whether any of them was found in a folder, by a pattern, or in the list.

    Raises:
        OptionError: the list is empty.
    """
    found: list[Source] = []
    many = False
    for name in names:
        if name != "-":
            many |= _add(name, found)
            continue
        many = True
        listed = _listed(list_stream)
        if not listed:
            raise OptionError(
                "The list on standard input is empty. Send one path a line, as `ls | ... -` does."
            )
        for item in listed:
            _add(item, found)
    return found, many


def _add(name: str, found: list[Source]) -> bool:
    """Append what `name` means; whether that may be many files."""
    if Path(name).is_dir():
        known = {source.path for source in found}
        inside = list(_in_folder(name))
        found.extend(source for source in inside if source.error or source.path not in known)
        if not inside:
            found.append(
                Source(name, error=f"The folder {name!r} holds no picture and no clip. Check it.")
            )
        return True
    if glob.has_magic(name) and not os.path.lexists(name):
        known = {source.path for source in found}
        matches = [match for match in sorted(_matches(name)) if match not in known]
        found.extend(Source(match, kind_of(match)) for match in matches)
        if not matches and not known.intersection(_matches(name)):
            found.append(Source(name, error=f"No file matches {name!r}. Check the pattern."))
        return True
    found.append(Source(name, kind_of(name)))
    return False


def _listed(stream: BinaryIO) -> list[str]:
    data = stream.read()
    lines = data.split(b"\0") if b"\0" in data else data.splitlines()
    return [os.fsdecode(line) for line in lines if line.strip()]


def _matches(pattern: str) -> list[str]:
    # Patterns may be absolute, which Path.glob does not take.
    return [match for match in glob.glob(pattern, recursive=True) if Path(match).is_file()]  # noqa: PTH207


def _in_folder(folder: str) -> Iterator[Source]:
    errors: list[OSError] = []
    for where, folders, files in os.walk(folder, onerror=errors.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            file = Path(where, name)
            if not belongs(name):
                continue
            inside = file.parent.relative_to(folder)
            kind = _KINDS[file.suffix.lower()]
            yield Source(str(file), kind, "" if inside == Path() else str(inside))
    for error in errors:
        place = os.fsdecode(error.filename)
        yield Source(place, error=f"The folder {place!r} cannot be read: {error.strerror}.")


def belongs(name: str) -> bool:
    """Whether a file of this name, found in a folder, is a picture or clip to be read."""
    file = Path(name)
    known = file.suffix.lower() in _KINDS
    return known and not name.startswith(".") and not _COPY.search(file.stem)


def kind_of(path: str) -> str:
    """`CLIP` or `PICTURE`, by the name's ending or, where that says nothing, by the content."""
    kind = _KINDS.get(Path(path).suffix.lower())
    if kind is not None or not Path(path).is_file():
        return kind or PICTURE
    from fer_core.errors import PictureError, VideoError
    from fer_core.pictures import load_picture
    from fer_core.video import probe

    try:
        load_picture(Path(path))
    except PictureError:
        try:
            probe(path)
        except VideoError:
            return PICTURE
        return CLIP
    return PICTURE
