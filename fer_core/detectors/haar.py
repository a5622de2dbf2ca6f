"""`haar`: OpenCV's frontal face cascade."""

from __future__ import annotations

from pathlib import Path

import cv2

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

    def _find(self, picture: Picture) -> list[Detection]:
        height, width = picture.shape[:2]
        longer = max(height, width)
        share = SMALLEST_FACE if self.options.min_face is None else self.options.min_face
        side = min(max(WORKING_SIDE, WINDOW / max(share, WINDOW / MOST_SIDE)), MOST_SIDE)
        scale = min(1.0, side / longer)
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        if scale < 1:
            grey = shrunk(grey, max(1, round(width * scale)), max(1, round(height * scale)))
        smallest = max(1, round(share * longer * scale))
        boxes = self._cascade.detectMultiScale(
            grey,
            scaleFactor=SCALE_STEP,
            minNeighbors=MIN_NEIGHBOURS,
            minSize=(smallest, smallest),
        )
        across, down = width / grey.shape[1], height / grey.shape[0]
        return [
            Detection(Box(x * across, y * down, (x + w) * across, (y + h) * down), 1.0, self.name)
            for x, y, w, h in (tuple(map(int, box)) for box in boxes)
        ]
