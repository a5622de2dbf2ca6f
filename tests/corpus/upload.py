"""What the corpus is made of, and the damage that any kind of file can take."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Literal

Kind = Literal["picture", "clip"]

FAULTS = (
    "cut",
    "bits flipped",
    "wrong extension",
    "zero size",
    "huge dimensions",
    "no stream",
    "endless times",
    "colour tags",
    "bomb",
    "name",
)
"""What can be wrong with an upload, as the corpus calls it."""


@dataclass(frozen=True)
class BadUpload:
    """One file as a stranger sends it.

    Attributes:
        kind: where it is dropped: among the pictures or as a clip.
        fault: one of `FAULTS`.
        name: as the stranger's machine calls it; anything may stand in it.
        content: its bytes.
    """

    kind: Kind
    fault: str
    name: str
    content: bytes


NAMES = (
    "../../../etc/passwd",
    "..\\..\\windows\\system32\\evil.exe",
    "/etc/shadow",
    "C:\\autoexec.bat",
    "a/b/../../c/",
    "..",
    ".",
    "",
    "new\nline\r\nand\ttab",
    "bell\x07escape\x1b[31mred\x00null",
    "right\u202eto-left gpj.exe",
    "zero\u200bwidth\ufeffmark",
    "lone\ud800surrogate",
    "<img src=x onerror=alert(1)>",
    "[link](javascript:alert(1)) **bold** $x^2$",
    "concat:/etc/passwd|/etc/shadow",
    "http://127.0.0.1:9/a",
    "~root/.ssh/id_rsa",
    "x" * 300,
    "CON",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "-rf *; $(reboot) `id`",
)
"""Names with path parts, control characters, markup and commands in them."""


def cut(content: bytes, random: Random) -> bytes:
    """The beginning of a file: anything from its first byte to all but its last."""
    return content[: random.randint(1, len(content) - 1)]


def flipped(content: bytes, random: Random) -> bytes:
    """A file with one to forty bits turned round."""
    out = bytearray(content)
    for _ in range(random.choice((1, 2, 5, 12, 40))):
        out[random.randrange(len(out))] ^= 1 << random.randrange(8)
    return bytes(out)


def replaced(content: bytes, old: bytes, new: bytes, at: int = 0) -> bytes:
    """`content` with `new` over the first `old` behind `at`.

    Raises:
        ValueError: `old` is not there, so the file would not be as bad as it is said to be.
    """
    place = content.index(old, at)
    return content[:place] + new + content[place + len(old) :]
