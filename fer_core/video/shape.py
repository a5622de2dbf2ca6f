"""How large a frame is when it is shown: pixels are not square everywhere."""

from __future__ import annotations

from fractions import Fraction

WIDEST = Fraction(4)
"""Pixels more than so many times as wide as high, or as high as wide, are a damaged tag."""


def square_size(size: tuple[int, int], aspect: Fraction | None, max_pixels: int) -> tuple[int, int]:
    """(width, height) with square pixels; never smaller than `size`.

    Args:
        size: as stored.
        aspect: width of a pixel over its height; None where the file does not say.
        max_pixels: if the picture became larger than this, it stays as it is stored.
    """
    width, height = size
    if not aspect or aspect == 1 or not 1 / WIDEST <= aspect <= WIDEST:
        return size
    if aspect > 1:
        width = round(width * aspect)
    else:
        height = round(height / aspect)
    return size if width * height > max_pixels else (width, height)
