"""How often a JPEG file has its decoder go over the whole picture."""

from __future__ import annotations

import re
from typing import IO

__all__ = ["MOST_SCANS", "has_too_many_scans"]

MOST_SCANS = 100
"""Cameras and editors write about ten; libtiff draws the line here too. A scan of a progressive
JPEG can say in ten bytes that nothing changes, and costs as much as one that changes every pixel: a
file of 150 kB kept a core busy for a minute."""

_SCAN, _END = 0xDA, 0xD9
_BARE = frozenset({0x01, 0xD8, *range(0xD0, 0xD8)})
"""Markers without a length behind them (ITU-T T.81, table B.1)."""
_MARKER = re.compile(rb"\xff+([^\x00\xff])", re.DOTALL)


def has_too_many_scans(stream: IO[bytes]) -> bool:
    """Whether a JPEG has more than MOST_SCANS scans before its end.

    Bytes that look like one inside other segments (thumbnails, a film behind the picture) do not
    count.

    Args:
        stream: of the whole file; it is read from its start and left where it was.
    """
    place = stream.tell()
    stream.seek(0)
    content = stream.read()
    stream.seek(place)
    scans, at = 0, 0
    while scans <= MOST_SCANS:
        found = _MARKER.search(content, at)
        if found is None or found[1][0] == _END:
            return False
        at, marker = found.end(), found[1][0]
        if marker in _BARE:
            continue
        scans += marker == _SCAN
        at += int.from_bytes(content[at : at + 2], "big")
    return True
