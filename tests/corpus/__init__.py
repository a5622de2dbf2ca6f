"""Bad uploads, made from real files by a seed, and a process that tries each of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from random import Random

from tests.corpus.upload import FAULTS, BadUpload, Kind

__all__ = ["FAULTS", "BadUpload", "Kind", "corpus", "digest"]


def corpus(seed: int, kind: Kind) -> list[BadUpload]:
    """All bad uploads of one kind; the same seed makes the same bytes."""
    if kind == "picture":
        from tests.corpus.pictures import bad_pictures

        return list(bad_pictures(Random(seed)))
    from tests.corpus.clips import bad_clips

    return list(bad_clips(Random(seed)))


def digest(uploads: Iterable[BadUpload]) -> str:
    """SHA-256 of everything in them, as hexadecimal."""
    whole = hashlib.sha256()
    for upload in uploads:
        whole.update(upload.content)
    return whole.hexdigest()
