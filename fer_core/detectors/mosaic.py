"""Several known faces in one look: their surroundings laid side by side into a network's square."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fer_core.detectors.base import Picture
from fer_core.detectors.common import shrunk
from fer_core.results import Box

__all__ = ["MOST_FACES", "Mosaic"]

Floats = npt.NDArray[np.float32]

ACROSS = 2
MOST_FACES = ACROSS**2
"""In one square: two across and two down, which leaves a face a quarter of the square's side. The
short range's boxes are steadiest there: their width varies by 1.2 % of itself on the benchmarks'
clip, by 2.8 % at a sixth of the side, and by 1.9 to 3.1 % in one look at the whole picture."""

REACH = 2.0
"""A tile shows a square of so many sides of the face's box, around where the face should be."""

ASTRAY = 0.6
"""A face further from there than this, in sides of its box, may be cut by the edge of its tile; it
is also more likely to be the neighbour."""

GROWTH = 1.6
"""So many times larger or smaller a face may have become since the last frame."""


class Mosaic:
    """A square picture of tiles, a known face in each, and the way back to the whole picture.

    Attributes:
        picture: RGB uint8 (side, side, 3); black where there is no tile.
    """

    def __init__(self, picture: Picture, expected: Sequence[Box], side: int) -> None:
        """Lay out the surroundings of the faces.

        Args:
            picture: RGB uint8 (height, width, 3).
            expected: where the faces should be, pixels; 1 to `MOST_FACES` of them.
            side: of the square, pixels.
        """
        self._tile = side // ACROSS
        self.picture = np.zeros((side, side, 3), np.uint8)
        # By tile: middle and side of the face, pixels of the whole picture; then the factor and the
        # shift (x and y each) from the square to the whole picture.
        self._middles = np.array([box.centre for box in expected], np.float32)
        self._sides = np.array([max(1.0, box.width) for box in expected], np.float32)
        self._factors = np.ones((len(expected), 2), np.float32)
        self._shifts = np.zeros((len(expected), 2), np.float32)
        for index in range(len(expected)):
            self._lay(picture, index)

    def faces(self, scores: Floats, points: Floats) -> tuple[Floats, Floats, set[int]]:
        """The candidates that are near enough to where a face should be, in the whole picture.

        Args:
            scores: float32 (N,).
            points: float32 (N, P, 2), pixels of the square; the first two are the box's corners.

        Returns:
            Their scores and points, and which of the expected faces they are, by index.
        """
        middles = (points[:, 0] + points[:, 1]) / 2
        places = np.floor(middles / self._tile).astype(np.intp)
        tiles = places[:, 1] * ACROSS + places[:, 0]
        inside = (places >= 0).all(axis=1) & (places < ACROSS).all(axis=1)
        inside &= tiles < len(self._sides)
        scores, points, tiles = scores[inside], points[inside], tiles[inside]
        points = points * self._factors[tiles, None] + self._shifts[tiles, None]
        sides = self._sides[tiles]
        astray = np.abs((points[:, 0] + points[:, 1]) / 2 - self._middles[tiles]).max(axis=1)
        growth = (points[:, 1, 0] - points[:, 0, 0]) / sides
        near = (astray < ASTRAY * sides) & (growth < GROWTH) & (growth > 1 / GROWTH)
        return scores[near], points[near], set(tiles[near].tolist())

    def _lay(self, picture: Picture, index: int) -> None:
        height, width = picture.shape[:2]
        (x, y), reach = self._middles[index].tolist(), REACH / 2 * float(self._sides[index])
        x0, y0 = max(0, round(x - reach)), max(0, round(y - reach))
        x1, y1 = min(width, round(x + reach)), min(height, round(y + reach))
        if x1 <= x0 or y1 <= y0:
            return  # outside the picture: its tile stays black
        # Sides that can be halved without a remainder are shrunk several times as fast.
        times = 1 << max(0, (max(x1 - x0, y1 - y0) // self._tile).bit_length() - 1)
        x1 -= (x1 - x0) % times if x1 - x0 > times else 0
        y1 -= (y1 - y0) % times if y1 - y0 > times else 0
        factor = self._tile / max(x1 - x0, y1 - y0)
        across, down = max(1, round((x1 - x0) * factor)), max(1, round((y1 - y0) * factor))
        row, column = divmod(index, ACROSS)
        left, top = column * self._tile, row * self._tile
        self.picture[top : top + down, left : left + across] = shrunk(
            picture[y0:y1, x0:x1], across, down
        )
        back = np.array(((x1 - x0) / across, (y1 - y0) / down), np.float32)
        self._factors[index] = back
        self._shifts[index] = np.array((x0, y0), np.float32) - back * np.array(
            (left, top), np.float32
        )
