"""Which way up a frame is: phones store the sensor's picture and say how to turn it."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import av.sidedata.sidedata
import av.video.frame
import cv2
import numpy as np

from fer_core.detectors.base import Picture


@dataclass(frozen=True)
class Orientation:
    """One of the eight ways to lay a picture: transpose first, then mirror.

    Attributes:
        transposed: rows become columns.
        mirror_x, mirror_y: turn left and right, top and bottom, after that.
    """

    transposed: bool = False
    mirror_x: bool = False
    mirror_y: bool = False

    @property
    def clockwise(self) -> int:
        """Degrees clockwise, 0, 90, 180 or 270; of the turn alone for a mirrored picture."""
        if self.transposed:
            return 90 if self.mirror_x else 270
        return 180 if self.mirror_y else 0

    def shown_size(self, width: int, height: int) -> tuple[int, int]:
        """(width, height) of the upright picture."""
        return (height, width) if self.transposed else (width, height)

    def upright(self, picture: Picture) -> Picture:
        """The picture as it is to be shown, C-contiguous; the same array when nothing is to do."""
        turned = cv2.transpose(picture) if self.transposed else picture
        if self.mirror_x or self.mirror_y:
            both = self.mirror_x and self.mirror_y
            turned = cv2.flip(turned, -1 if both else int(self.mirror_x))
        return np.asarray(turned, dtype=np.uint8)


def orientation_of(frame: av.video.frame.VideoFrame) -> Orientation:
    """The orientation that the file asks for; upright when it asks for none.

    The display matrix takes (x, y) to (a x + c y, b x + d y) (ISO/IEC 14496-12, 6.2.2). Angles
    between the quarter turns do not occur in recordings; the nearest one is taken.
    """
    # PyAV calls it a mapping of names, and looks kinds up.
    sides: Any = frame.side_data
    entry = sides.get(av.sidedata.sidedata.Type.DISPLAYMATRIX)
    matrix = b"" if entry is None else bytes(entry)
    if len(matrix) < 36:
        return Orientation()
    a, b, _, c, d, *_ = struct.unpack("=9i", matrix[:36])
    if abs(b) + abs(c) > abs(a) + abs(d):
        return Orientation(transposed=True, mirror_x=c < 0, mirror_y=b < 0)
    return Orientation(mirror_x=a < 0, mirror_y=d < 0)
