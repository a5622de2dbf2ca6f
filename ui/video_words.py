"""Names of uploads as they may be shown: whatever a stranger wrote in them stays text."""

from __future__ import annotations

import re
from pathlib import PurePath

from fer_core.names import shown_name

_MARKUP = re.compile(r"([\\`*_{}\[\]<>#!|$~&])")
_SHORTCODE = re.compile(r":(?=\w)")


def called(name: str) -> str:
    """What an uploaded clip is called, in one harmless line; not escaped."""
    return shown_name(name, "clip")


def stem(name: str) -> str:
    """What the names of downloads begin with."""
    return PurePath(called(name)).stem.strip(". ") or "clip"


def plain(text: str) -> str:
    """`text` for places that read Markdown, with nothing in it read as such."""
    return _SHORTCODE.sub(r"\\:", _MARKUP.sub(r"\\\1", text))


def size_words(size: int) -> str:
    """How large a file is: `2.7 MB`, `38 kB`, `0 bytes`."""
    if size >= 1_000_000:
        return f"{size / 1e6:.1f} MB"
    return f"{size / 1000:.0f} kB" if size >= 1000 else f"{size} bytes"
