"""Batch sizes: how any number of crops is served by a few fixed shapes.

Every new batch size costs a runtime an allocation or a compilation of 5 ms to some seconds, and the
number of faces changes from frame to frame. So each runtime knows a few sizes and keeps them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fer_core.errors import PictureError
from fer_core.runtimes.base import Crops

__all__ = ["check_crops", "next_power_of_two", "pad_crops", "split_exactly"]


def check_crops(crops: Crops, size: int) -> None:
    """Refuse anything that is not uint8 (N, size, size, 1).

    Raises:
        PictureError: another shape or type.
    """
    if crops.ndim != 4 or crops.shape[1:] != (size, size, 1) or crops.dtype != np.uint8:
        raise PictureError(
            f"Crops must be uint8 (N, {size}, {size}, 1). "
            f"Received: {crops.dtype} {tuple(crops.shape)}."
        )


def split_exactly(count: int, sizes: Sequence[int]) -> list[int]:
    """The fewest of `sizes` that add up to `count`, largest first; nothing is padded.

    Args:
        count: 0 or more.
        sizes: descending, each a multiple of the next, ending in 1.
    """
    parts: list[int] = []
    for size in sizes:
        whole, count = divmod(count, size)
        parts.extend([size] * whole)
    return parts


def next_power_of_two(count: int) -> int:
    """The smallest power of two that is at least `count` (1 for 0 and 1)."""
    return 1 << max(0, count - 1).bit_length()


def pad_crops(crops: Crops, count: int) -> Crops:
    """`crops` with zero crops behind them up to `count`; itself when there are enough."""
    missing = count - len(crops)
    if missing <= 0:
        return crops
    return np.concatenate([crops, np.zeros((missing, *crops.shape[1:]), crops.dtype)])
