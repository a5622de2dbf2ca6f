"""Small marks on faces: eye points, and what is wrong with the picture of a face."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2

from fer_core.detectors.base import Picture
from fer_core.overlay.layout import Rectangle, choose, inner_spots, outer_spots
from fer_core.overlay.plates import note
from fer_core.overlay.sprites import Colour, paste
from fer_core.overlay.style import Style
from fer_core.results import Face, FrameResult

__all__ = ["draw_eyes", "draw_hint"]

_EDGE: Colour = (16, 16, 20)
_DOT: Colour = (120, 235, 255)
_FARTHEST = 1e5
"""Pixels; OpenCV draws with whole numbers of 32 bits."""


def draw_eyes(picture: Picture, result: FrameResult, style: Style) -> None:
    """Draw a dot, edged in dark, on each eye point, in place."""
    height, width = picture.shape[:2]
    across, down = width / max(1, result.width), height / max(1, result.height)
    for face in result.faces:
        if face.eyes is None:
            continue
        for x, y in (face.eyes.left, face.eyes.right):
            where = (x * across, y * down)
            if all(math.isfinite(value) and abs(value) < _FARTHEST for value in where):
                dot = (round(where[0]), round(where[1]))
                cv2.circle(picture, dot, style.line + 1 + style.edge, _EDGE, -1, cv2.LINE_AA)
                cv2.circle(picture, dot, style.line + 1, _DOT, -1, cv2.LINE_AA)


def draw_hint(
    picture: Picture,
    face: Face,
    where: Rectangle,
    others: Sequence[Rectangle],
    taken: list[Rectangle],
    style: Style,
) -> None:
    """Draw the problems of a face's picture on a plate at its box, in place; nothing if it has none
    or if no room is left."""
    if face.quality is None or face.quality.good:
        return
    frame = (picture.shape[1], picture.shape[0])
    for text in (", ".join(face.quality.problems), face.quality.problems[0]):
        sprite = note(text, max(style.small, min(style.text, 11)), max(2, style.pad // 2))
        size = (sprite.width, sprite.height)
        # Below first: the label stands above.
        outside = outer_spots(where, size, style.gap, frame)
        spots = [*reversed(outside), *inner_spots(where, size, style.gap, frame)]
        spot = choose(spots, [*taken, *others]) or choose(spots, taken)
        if spot is not None:
            paste(picture, sprite, spot.x, spot.y)
            taken.append(spot)
            return
