"""Which parts of a picture a network of fixed input size looks at."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Window", "overview", "tiles"]

LONGEST = 2.0
"""A single look covers at most this ratio of sides: in a longer strip nothing could be seen."""

MOST = 64
"""At most about so many windows a picture, whatever its shape."""


@dataclass(frozen=True)
class Window:
    """A rectangle of whole pixels, half-open, and whether each of its sides cuts the picture."""

    x0: int
    y0: int
    x1: int
    y1: int
    cuts: tuple[bool, bool, bool, bool] = (False, False, False, False)
    """Left, top, right, bottom: True where the picture goes on beyond that side."""

    @property
    def width(self) -> int:
        """Pixels across."""
        return self.x1 - self.x0

    @property
    def height(self) -> int:
        """Pixels down."""
        return self.y1 - self.y0


def overview(width: int, height: int) -> list[Window]:
    """The fewest windows that show the whole picture: one, or a row of them for long strips."""
    short, long = sorted((width, height))
    if long <= LONGEST * short:
        return [Window(0, 0, width, height)]
    # A window twice as long as wide overlaps its neighbour by a face as large as the strip is wide.
    side = max(int(LONGEST * short), math.ceil(2 * long / MOST))
    return _grid(width, height, side, min(short, side // 2))


def tiles(width: int, height: int, side: int) -> list[Window]:
    """Square windows of `side` pixels over the whole picture, a quarter overlapping.

    Sides longer than the picture are cut to it; where there would be more than MOST windows, they
    are larger.
    """
    while True:
        windows = _grid(width, height, side, side // 4)
        if len(windows) <= MOST:
            return windows
        side = math.ceil(side * 1.25)


def _grid(width: int, height: int, side: int, overlap: int) -> list[Window]:
    return [
        Window(x0, y0, x1, y1, (x0 > 0, y0 > 0, x1 < width, y1 < height))
        for y0, y1 in _spans(height, side, overlap)
        for x0, x1 in _spans(width, side, overlap)
    ]


def _spans(length: int, side: int, overlap: int) -> list[tuple[int, int]]:
    if length <= side:
        return [(0, length)]
    count = math.ceil((length - side) / (side - overlap)) + 1
    starts = [round(index * (length - side) / (count - 1)) for index in range(count)]
    return [(start, start + side) for start in starts]
