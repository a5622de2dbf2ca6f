"""Whether a face was filmed well enough to be read: light, size, direction, sharpness.

The bounds were found on a public-domain portrait (scikit-image's astronaut, BlazeFace, the shipped
48x48 network) that was damaged step by step, and set where the seven probabilities begin to leave
those of the sound picture. Half of the sum of absolute differences, sound against damaged:

    mean grey of the face      41: 0.02     29: 0.02     19: 0.15     12: 0.70
    Gaussian blur, 95 px face  sigma 3: 0.06     4: 0.14     5: 0.29     6: 0.87
    motion blur, 95 px face    15 px: 0.09     21 px: 0.17     31 px: 0.50
    head turned (on a model)   40 degrees: 0.03     50: 0.06     60: 0.30
    side of the box            41 px: 0.02     37 px: 0.02     under 35 px: not found

One portrait says little about everybody: the answers are marked, never hidden.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from fer_core.results import Box, Eyes, FrameResult

if TYPE_CHECKING:
    from fer_core.detectors.base import Picture

__all__ = ["PROBLEMS", "FaceQuality", "measure_quality", "with_quality"]

PROBLEMS: tuple[str, ...] = ("too dark", "too small", "too far turned", "blurred")
"""Every problem that is looked for, in the order in which they are told."""

DARKEST = 26.0
"""Mean grey of the face, 0 to 255. Low enough that dark skin in fair light stays well above."""
SMALLEST = 38.0
"""Side of the box, pixels: smaller faces are enlarged for the network."""
BLURRIEST = 0.0055
"""See `FaceQuality.sharpness`."""
NARROWEST, FARTHEST = 0.335, 0.12
"""Eyes closer together, or their middle further from that of the box, as shares of its width."""

_SIDE = 48
"""Pixels: what is finer than the network's own crop does not matter to it."""
_SAMPLES = 2


@dataclass(frozen=True)
class FaceQuality:
    """How one face was filmed.

    Attributes:
        light: mean grey of the face, 0 to 255.
        side: of the box, pixels (the root of its area).
        sharpness: variance of the second difference of neighbouring pixels, as a share of the
            variance of the pixels themselves, in the face shrunk to 48x48; across or down,
            whichever is smaller, so that motion blur is seen too. Above 0.
        eye_distance: between the eye points, as a share of the box's width; None without eyes.
        eye_offset: of their middle from the middle of the box, to the right, likewise.
        problems: those of `PROBLEMS` that the face has; empty for a good picture.
    """

    light: float
    side: float
    sharpness: float
    eye_distance: float | None = None
    eye_offset: float | None = None
    problems: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        """Whether no problem was found."""
        return not self.problems

    def to_dict(self) -> dict[str, Any]:
        """A plain dictionary that `json` can write."""
        return {
            "light": self.light,
            "side": self.side,
            "sharpness": self.sharpness,
            "eye_distance": self.eye_distance,
            "eye_offset": self.eye_offset,
            "problems": list(self.problems),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> FaceQuality:
        """What `to_dict` made `data` of."""
        return cls(**{**data, "problems": tuple(data["problems"])})


def measure_quality(picture: Picture, box: Box, eyes: Eyes | None = None) -> FaceQuality:
    """How the face in `box` was filmed; takes about 0.1 ms.

    Args:
        picture: RGB uint8 (height, width, 3), without anything drawn on it.
        box: the face, pixels; what lies outside the picture is left out.
        eyes: its eye points, pixels, where the detector has them.
    """
    side = math.sqrt(box.area)
    light, sharpness = _light_and_sharpness(picture, box)
    distance = offset = None
    if eyes is not None and box.width > 0:
        (left_x, left_y), (right_x, right_y) = eyes.left, eyes.right
        distance = math.hypot(right_x - left_x, right_y - left_y) / box.width
        offset = ((left_x + right_x) / 2 - box.centre[0]) / box.width
    turned = distance is not None and (
        distance < NARROWEST or (offset is not None and abs(offset) > FARTHEST)
    )
    found = (light < DARKEST, side < SMALLEST, turned, sharpness < BLURRIEST)
    problems = tuple(name for name, has in zip(PROBLEMS, found, strict=True) if has)
    return FaceQuality(light, side, sharpness, distance, offset, problems)


def with_quality(picture: Picture, result: FrameResult) -> FrameResult:
    """`result` with the quality of every face in it.

    Args:
        picture: the one that was analysed, without anything drawn on it.
        result: what was found.
    """
    faces = tuple(
        replace(face, quality=measure_quality(picture, face.box, face.eyes))
        for face in result.faces
    )
    return replace(result, faces=faces)


def _light_and_sharpness(picture: Picture, box: Box) -> tuple[float, float]:
    height, width = picture.shape[:2]
    x0, x1 = max(0, math.floor(box.x0)), min(width, math.ceil(box.x1))
    y0, y1 = max(0, math.floor(box.y0)), min(height, math.ceil(box.y1))
    if x1 - x0 < 2 or y1 - y0 < 2:
        return 0.0, 0.0
    # Two samples a pixel and direction are enough of a large face.
    step = max(1, min(x1 - x0, y1 - y0) // (_SIDE * _SAMPLES))
    # Grey before columns are left out: NumPy is slow at picking pixels of three bytes.
    window = cv2.cvtColor(picture[y0:y1:step, x0:x1], cv2.COLOR_RGB2GRAY)[:, ::step]
    small = cv2.resize(window, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    grey = small.astype(np.float32)
    across = grey[:, 2:] - 2 * grey[:, 1:-1] + grey[:, :-2]
    down = grey[2:] - 2 * grey[1:-1] + grey[:-2]
    spread = max(1.0, float(grey.var()))
    return float(grey.mean()), max(1e-9, min(float(across.var()), float(down.var())) / spread)
