"""Names of files as strangers send them, fit to be shown."""

from __future__ import annotations

import unicodedata
from pathlib import PurePath

__all__ = ["LONGEST_NAME", "shown_name"]

LONGEST_NAME = 60


def shown_name(name: str, otherwise: str = "file") -> str:
    """A file's own name without folders, control characters and excess length.

    Args:
        name: anything.
        otherwise: what a name is called of which nothing is left.
    """
    last = PurePath(name.replace("\\", "/")).name
    # Also what turns the direction of writing round, with which a name can pretend an ending.
    words = "".join(sign for sign in last if sign.isspace() or unicodedata.category(sign)[0] != "C")
    seen = " ".join(words.split())
    if len(seen) > LONGEST_NAME:
        seen = seen[: LONGEST_NAME - 12] + "…" + seen[-11:]
    return seen if seen.strip(".") else otherwise
