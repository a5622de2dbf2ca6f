"""The boxes of an mp4 file (ISO/IEC 14496-12), as far as they are needed to put wrong things in."""

from __future__ import annotations


def inside(content: bytes, kind: str) -> bytes:
    """What the first box of this kind holds, behind its head of eight bytes."""
    start = _found(content, kind)
    size = int.from_bytes(content[start - 4 : start], "big")
    return content[start + 4 : start - 4 + size]


def patched(content: bytes, kind: str, old: bytes, new: bytes, at: int = 0) -> bytes:
    """`content` with `new` over the first `old` in that box, at or behind its byte `at`.

    Raises:
        ValueError: the box or `old` in it is not there.
    """
    assert len(old) == len(new)
    begin = _found(content, kind) + 4
    place = content.index(old, begin + at)
    if place >= begin + len(inside(content, kind)):
        raise ValueError(f"{old!r} is not in {kind}")
    return content[:place] + new + content[place + len(old) :]


def _found(content: bytes, kind: str) -> int:
    return content.index(kind.encode("ascii"), content.index(b"moov"))
