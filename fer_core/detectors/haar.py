"""`haar`: OpenCV's frontal face cascade."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from fer_core.detectors.base import Picture
from fer_core.detectors.common import DetectorBase, shrunk
from fer_core.detectors.options import DetectorOptions
from fer_core.errors import DetectorError
from fer_core.results import Box, Detection

__all__ = ["HaarDetector"]

CASCADE = "haarcascade_frontalface_alt2.xml"

WORKING_SIDE = 320
MOST_SIDE = 960
"""The longer side of the picture that is searched, pixels: usually, and at most, for a small
`min_face`."""

SCALE_STEP = 1.2
MIN_NEIGHBOURS = 3

SMALLEST_FACE = 1 / 12
"""Default of `min_face`: box width as a share of the picture's longer side."""

WINDOW = 24
"""The cascade needs about so many pixels across a face."""

FULL_EVERY = 5
"""In a stream whose faces are known the whole picture is searched every so many frames, ..."""

UNSETTLED = 15
"""... and in so many on end once a known face was not found: such a face often comes and goes."""

REACH = 2.0
"""Around a known face a square of so many of its sides is searched, ..."""

GROWTH = 1.5
"""... for faces up to so many times smaller or larger."""


class HaarDetector(DetectorBase):
    """Finds upright frontal faces with the cascade that OpenCV ships; no scores, no eye points.

    Source: Viola and Jones, 2001; the cascade is Lienhart's `frontalface_alt2`. Its boxes are
    square and run from the forehead to the chin, very nearly FER2013's own framing.

    On 120 frames of a panning, zooming, tilting and flickering portrait at 640x480 it found the
    face in all, with no false box, searched at 320 pixels in steps of 1.2; `frontalface_default`
    found 98.3 % in the same time with 2 false boxes, and with OpenCV's usual steps of 1.1 all of
    them in twice the time with 10 to 17 false boxes. Stretching the histogram first cost recall
    and tripled the false boxes. On 300 of FER2013's Training images, many of them turned aside, it
    finds 73 %, `frontalface_default` 76 %.

    An instance must not be used by two threads at once; make one per session (about 30 ms).
    """

    name = "haar"

    def __init__(self, options: DetectorOptions | None = None) -> None:
        """Load the cascade.

        Raises:
            DetectorError: this OpenCV has no cascade classifier or not its file.
        """
        super().__init__(options)
        self._since_full = self._full_for = 0
        try:
            file = Path(cv2.__file__).parent / "data" / CASCADE
            self._cascade = cv2.CascadeClassifier(str(file))
            usable = not self._cascade.empty()
        except (AttributeError, cv2.error):
            usable = False
        if not usable:
            raise DetectorError(
                f"OpenCV {cv2.__version__} ships no Haar cascades. "
                "Install opencv-contrib-python below 5, or choose the detector blazeface."
            )

    def follow(self, picture: Picture, known: Sequence[Box]) -> list[Detection]:
        """Every face in the next frame of a stream; see `Follower.follow`.

        Searching around one known face takes about a sixth of the time of the whole picture.
        """
        return self._answer(picture, partial(self._find_again, known=known))

    def _find(self, picture: Picture) -> list[Detection]:
        self._since_full = 0
        search = self._search(picture)
        return self._in_pixels(self._boxes(search.grey, search.smallest), search)

    def _find_again(self, picture: Picture, known: Sequence[Box]) -> list[Detection]:
        self._since_full += 1
        self._full_for -= 1
        if not known or self._full_for > 0 or self._since_full >= FULL_EVERY:
            return self._find(picture)
        search = self._search(picture)
        found: list[tuple[int, ...]] = []
        for expected in known:
            box = self._box_around(search, expected)
            # Two who pass each other may both be seen as the one in front.
            if box is None or any(_is_same(box, other) for other in found):
                self._full_for = UNSETTLED
                return self._find(picture)
            found.append(box)
        return self._in_pixels(found, search)

    def _search(self, picture: Picture) -> _Search:
        height, width = picture.shape[:2]
        longer = max(height, width)
        share = SMALLEST_FACE if self.options.min_face is None else self.options.min_face
        side = min(max(WORKING_SIDE, WINDOW / max(share, WINDOW / MOST_SIDE)), MOST_SIDE)
        scale = min(1.0, side / longer)
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        if scale < 1:
            grey = shrunk(grey, max(1, round(width * scale)), max(1, round(height * scale)))
        smallest = max(1, round(share * longer * scale))
        across, down = width / grey.shape[1], height / grey.shape[0]
        return _Search(np.asarray(grey, np.uint8), smallest, across, down)

    def _box_around(self, search: _Search, expected: Box) -> tuple[int, ...] | None:
        """The face nearest to where one should be, in pixels of the searched picture."""
        x, y = expected.centre[0] / search.across, expected.centre[1] / search.down
        side = expected.width / search.across
        reach = REACH / 2 * side
        rows, columns = search.grey.shape
        x0, y0 = max(0, round(x - reach)), max(0, round(y - reach))
        x1, y1 = min(columns, round(x + reach)), min(rows, round(y + reach))
        if x1 <= x0 or y1 <= y0:
            return None
        smallest = max(search.smallest, round(side / GROWTH))
        part = search.grey[y0:y1, x0:x1]
        boxes = [
            (left + x0, top + y0, width, height)
            for left, top, width, height in self._boxes(part, smallest, round(side * GROWTH))
        ]
        return min(
            boxes,
            key=lambda box: math.hypot(box[0] + box[2] / 2 - x, box[1] + box[3] / 2 - y),
            default=None,
        )

    def _boxes(
        self, grey: npt.NDArray[np.uint8], smallest: int, largest: int = 0
    ) -> list[tuple[int, ...]]:
        found = self._cascade.detectMultiScale(
            grey,
            scaleFactor=SCALE_STEP,
            minNeighbors=MIN_NEIGHBOURS,
            minSize=(smallest, smallest),
            maxSize=(largest, largest),
        )
        return [tuple(map(int, box)) for box in found]

    def _in_pixels(self, boxes: list[tuple[int, ...]], search: _Search) -> list[Detection]:
        across, down = search.across, search.down
        return [
            Detection(Box(x * across, y * down, (x + w) * across, (y + h) * down), 1.0, self.name)
            for x, y, w, h in boxes
        ]


@dataclass(frozen=True)
class _Search:
    """What is searched: the grey picture, shrunk; the narrowest face, in its pixels; and pixels of
    the given picture per pixel of it."""

    grey: npt.NDArray[np.uint8]
    smallest: int
    across: float
    down: float


def _is_same(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    apart = math.hypot(
        one[0] + one[2] / 2 - other[0] - other[2] / 2, one[1] + one[3] / 2 - other[1] - other[3] / 2
    )
    return apart < min(one[2], other[2]) / 2
