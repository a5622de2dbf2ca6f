"""What the detectors share: checks, closing, and shrinking a picture without aliasing."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fer_core.closing import Closing
from fer_core.cores import process_cores
from fer_core.detectors.base import Picture
from fer_core.detectors.options import DetectorOptions
from fer_core.errors import DetectorError, PictureError
from fer_core.results import Detection

__all__ = ["DetectorBase", "shrunk"]


class DetectorBase(Closing):
    """Checks, closing and the order of results; a detector adds `_find` and, if needed, `_release`.

    Not to be shared between threads unless a detector says so.
    """

    name: str

    def __init__(self, options: DetectorOptions | None = None) -> None:
        self.options = options or DetectorOptions()
        self._closed = False

    def detect(self, picture: Picture) -> list[Detection]:
        """Every face in `picture`; see `fer_core.detectors.base.Detector.detect`.

        Raises:
            PictureError: `picture` is not RGB uint8 (height, width, 3) or has no pixel.
            DetectorError: the detector failed or is closed.
        """
        return self._answer(picture, self._find)

    def _answer(
        self, picture: Picture, find: Callable[[Picture], list[Detection]]
    ) -> list[Detection]:
        """What `find` finds in `picture`, checked before and put in order after."""
        if self._closed:
            raise DetectorError(
                f"The {self.name} detector is closed. Make another with create_detector()."
            )
        picture = _checked(picture)
        try:
            with process_cores().at_work():
                found = find(picture)
        except Exception as error:
            height, width = picture.shape[:2]
            raise DetectorError(
                f"The {self.name} detector failed on a picture of {width}x{height} pixels: {error}"
            ) from error
        if self.options.min_face is not None:
            narrowest = self.options.min_face * max(picture.shape[:2])
            found = [one for one in found if one.box.width >= narrowest]
        # Ties (Haar gives every face 1.0) are broken by size: the nearest face comes first.
        found.sort(key=lambda one: (one.score, one.box.area), reverse=True)
        return found[: self.options.max_faces]

    def close(self) -> None:
        """Release what the detector holds; calling it twice is allowed."""
        if not self._closed:
            self._closed = True
            self._release()

    @abstractmethod
    def _find(self, picture: Picture) -> list[Detection]:
        """Faces in a checked picture, in any order."""

    def _release(self) -> None:
        """Let go of what the garbage collector would not; most detectors leave all to it."""


def shrunk(picture: npt.NDArray[Any], width: int, height: int) -> npt.NDArray[np.uint8]:
    """`picture` at `width` x `height`, uint8, smaller or larger.

    Halves by averaging while that fits and leaves a last factor under 2 to linear interpolation:
    free of aliasing, and about seven times as fast as OpenCV's INTER_AREA at a fractional factor
    (0.12 against 0.92 ms from 640x480 to 192x144).
    """
    while picture.shape[0] >= 2 * height and picture.shape[1] >= 2 * width:
        half = (max(1, picture.shape[1] // 2), max(1, picture.shape[0] // 2))
        picture = cv2.resize(picture, half, interpolation=cv2.INTER_AREA)
    if picture.shape[:2] != (height, width):
        picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR)
    return picture


def _checked(picture: Any) -> Picture:
    shape = getattr(picture, "shape", None)
    kind = getattr(picture, "dtype", type(picture).__name__)
    if shape is None or len(shape) != 3 or shape[2] != 3 or kind != np.uint8:
        raise PictureError(
            "A detector takes RGB uint8 of shape (height, width, 3). "
            f"Received: {kind} of shape {shape}. fer_core.pictures.load_picture makes one."
        )
    if shape[0] == 0 or shape[1] == 0:
        raise PictureError(f"The picture has no pixel. Received: shape {shape}.")
    return np.ascontiguousarray(picture)
