"""Where plates and panels go: pure geometry on whole pixels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fer_core.results import Box

__all__ = ["Rectangle", "beside", "choose", "frame_rectangle", "inner_spots", "outer_spots"]


@dataclass(frozen=True)
class Rectangle:
    """Whole pixels, half-open."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """First column behind it."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """First row below it."""
        return self.y + self.height

    def overlaps(self, other: Rectangle) -> bool:
        """Whether they share a pixel."""
        return (
            self.x < other.right
            and other.x < self.right
            and self.y < other.bottom
            and other.y < self.bottom
        )

    def inside(self, width: int, height: int) -> bool:
        """Whether it lies wholly in a frame of that size."""
        return self.x >= 0 and self.y >= 0 and self.right <= width and self.bottom <= height


def frame_rectangle(box: Box, width: int, height: int) -> Rectangle | None:
    """`box` on whole pixels, cut at the frame; None when nothing of it can be seen."""
    edges = (box.x0, box.y0, box.x1, box.y1)
    if not all(math.isfinite(edge) for edge in edges):
        return None
    x0, y0 = max(0, round(box.x0)), max(0, round(box.y0))
    x1, y1 = min(width, round(box.x1)), min(height, round(box.y1))
    if x1 - x0 < 2 or y1 - y0 < 2:
        return None
    return Rectangle(x0, y0, x1 - x0, y1 - y0)


def outer_spots(
    face: Rectangle, size: tuple[int, int], gap: int, frame: tuple[int, int]
) -> list[Rectangle]:
    """Places for a plate of `size` above and below the face, pushed sideways into the frame."""
    width, height = size
    x = max(0, min(face.x, frame[0] - width))
    spots = [
        Rectangle(x, face.y - gap - height, width, height),
        Rectangle(x, face.bottom + gap, width, height),
    ]
    return [spot for spot in spots if spot.inside(*frame)]


def inner_spots(
    face: Rectangle, size: tuple[int, int], gap: int, frame: tuple[int, int]
) -> list[Rectangle]:
    """Places for a plate of `size` in the face's box: at the bottom, where the chin is, and top."""
    width, height = size
    x = max(0, min(face.x + gap, frame[0] - width))
    spots = [
        Rectangle(x, face.bottom - gap - height, width, height),
        Rectangle(x, face.y + gap, width, height),
    ]
    return [spot for spot in spots if spot.inside(*frame)]


def beside(
    face: Rectangle, size: tuple[int, int], gap: int, frame: tuple[int, int]
) -> list[Rectangle]:
    """Places for a panel of `size`, best first: right of the face, left of it; wholly inside."""
    width, height = size
    y = max(0, min(face.y, frame[1] - height))
    spots = [
        Rectangle(face.right + gap, y, width, height),
        Rectangle(face.x - gap - width, y, width, height),
    ]
    return [spot for spot in spots if spot.inside(*frame)]


def choose(spots: Sequence[Rectangle], taken: Iterable[Rectangle]) -> Rectangle | None:
    """The first spot that overlaps nothing taken."""
    occupied = list(taken)
    for spot in spots:
        if not any(spot.overlaps(other) for other in occupied):
            return spot
    return None
