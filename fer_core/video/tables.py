"""What the tables of an mp4 or mov file promise, counted before anybody believes it.

FFmpeg makes an entry of 24 bytes and more for every sample that is announced, when it opens a file.
Two tables announce any number of them in a few bytes: a `stsz` whose samples all have one size, and
a `trun` that gives none (ISO/IEC 14496-12, 8.7.3 and 8.8.8). A file of 2 kB took 3 GB that way.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO

__all__ = ["promises_too_much"]

MOST_SAMPLES = 4_000_000
"""Of one track: 18 hours at 60 frames a second."""
_PARENTS = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf"})
_HEADS = 1_000_000
"""Boxes that are looked at; files have some hundreds, fragments of hours some ten thousand."""


def promises_too_much(source: Path) -> bool:
    """Whether a track announces more samples than the file has bytes, or than `MOST_SAMPLES`.

    False for files of other kinds. Sound whose samples all last one tick is left alone: FFmpeg
    takes it by the chunk.
    """
    size = source.stat().st_size
    with source.open("rb") as stream:
        if stream.read(8)[4:8] not in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
            return False
        most = min(size, MOST_SAMPLES)
        in_fragments, ticks = 0, False
        for kind, begin, end in _boxes(stream, size):
            if kind == b"trak":
                ticks = False
            elif kind == b"stts":
                ticks = _number(stream, begin + 4) == 1 and _number(stream, begin + 12) == 1
            elif kind == b"stsz" and end - begin >= 12:
                same, count = _number(stream, begin + 4), _number(stream, begin + 8)
                if same and count > (size if ticks else most):
                    return True
            elif kind == b"trun":
                in_fragments += _number(stream, begin + 4)
                if in_fragments > most:
                    return True
    return False


def _boxes(stream: IO[bytes], size: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, begin and end of the inside of every box that may hold a table, in order."""
    ends = [size]
    at = 0
    for _ in range(_HEADS):
        while ends and at + 8 > ends[-1]:
            at = max(at, ends.pop())
        if not ends:
            return
        stream.seek(at)
        head = stream.read(16)
        length, kind, begin = int.from_bytes(head[:4], "big"), head[4:8], at + 8
        if length == 1:
            length, begin = int.from_bytes(head[8:16], "big"), at + 16
        # Length 0 says: to the end. A box cannot reach out of the one that it lies in.
        end = ends[-1] if length == 0 else min(at + length, ends[-1])
        if end < begin:
            return
        yield kind, begin, end
        if kind in _PARENTS and len(ends) < 16:
            ends.append(end)
            at = begin
        else:
            at = end


def _number(stream: IO[bytes], at: int) -> int:
    stream.seek(at)
    return int.from_bytes(stream.read(4), "big")
