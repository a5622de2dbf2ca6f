"""Faces that nobody recognises: so few dots are left of them that nothing can bring them back."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from fer_core.detectors.base import Picture
from fer_core.overlay.layout import frame_rectangle
from fer_core.results import Box

__all__ = ["blur_all", "blur_faces"]

DOTS = 6
"""So many dots across a face are left of it. People need some 18 to tell one face from another
(Bachmann, European Journal of Cognitive Psychology, 1991)."""

ASIDE, ABOVE, BELOW = 0.3, 0.5, 0.3
"""How much more than the box is blurred, in its sides: ears, hair and chin tell who it is too."""

DOTS_OF_PICTURE = 20


def blur_faces(picture: Picture, boxes: Iterable[Box]) -> None:
    """Blur what lies in and round `boxes` (pixels of `picture`), in place."""
    height, width = picture.shape[:2]
    for box in boxes:
        head = Box(
            box.x0 - ASIDE * box.width,
            box.y0 - ABOVE * box.height,
            box.x1 + ASIDE * box.width,
            box.y1 + BELOW * box.height,
        )
        where = frame_rectangle(head, width, height)
        if where is not None:
            # Of a head that is cut off by the picture's edge the same share of dots is left.
            across = max(1, round(DOTS * (1 + 2 * ASIDE) * where.width / max(1.0, head.width)))
            down = max(1, round(DOTS * (1 + ABOVE + BELOW) * where.height / max(1.0, head.height)))
            window = picture[where.y : where.bottom, where.x : where.right]
            window[...] = _coarse(window, across, down)


def blur_all(picture: Picture) -> Picture:
    """A copy of which only colours are left: for frames in which nobody knows where faces are."""
    height, width = picture.shape[:2]
    down = max(1, round(DOTS_OF_PICTURE * height / max(1, width)))
    return np.ascontiguousarray(_coarse(picture, min(DOTS_OF_PICTURE, width), min(down, height)))


def _coarse(window: Picture, across: int, down: int) -> Picture:
    height, width = window.shape[:2]
    few = cv2.resize(window, (min(across, width), min(down, height)), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(few, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
