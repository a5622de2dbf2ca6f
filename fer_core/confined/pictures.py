"""Pictures from strangers, decoded in a process that is kept for the next one."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from fer_core.confined.limits import Limits
from fer_core.confined.pool import WorkerPool
from fer_core.detectors.base import Picture

if TYPE_CHECKING:
    from fer_core.confined.child import Tell

__all__ = ["PICTURE_LIMITS", "decode_confined"]

PICTURE_LIMITS = Limits(
    memory_mb=3000, processor_seconds=30.0, file_mb=1, silent_seconds=20.0, seconds=30.0
)
"""A picture of 64 million pixels takes some 600 MB and two seconds to decode."""


def decode_confined(content: bytes, name: str, pool: WorkerPool | None = None) -> Picture:
    """`fer_core.pictures.load_picture` of a file's content, in another process.

    Args:
        content: of the file.
        name: what sentences call it.
        pool: of the processes; None for the one that all of this process share.

    Returns:
        RGB uint8 (height, width, 3).

    Raises:
        PictureError: it cannot be read as a picture.
        WorkerError: a limit was met, or the process ended.
    """
    here = pool or _shared_pool()
    picture: Picture = here.call("fer_core.confined.pictures:decode_here", content, name=name)
    return picture


def decode_here(tell: Tell, content: bytes) -> Picture:
    """What the process does."""
    from fer_core.pictures import load_picture

    return load_picture(content)


@functools.cache
def _shared_pool() -> WorkerPool:
    return WorkerPool(PICTURE_LIMITS)
