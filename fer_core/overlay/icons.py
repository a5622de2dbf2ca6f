"""A drawn face for each expression, because OpenCV cannot draw emoji."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import cv2
import numpy as np

from fer_core.detectors.base import Picture
from fer_core.emotions import UNCERTAIN, emotion_of
from fer_core.overlay.sprites import Colour, Sprite

__all__ = ["UNCERTAIN_COLOUR", "colour_of", "icon"]

UNCERTAIN_COLOUR: Colour = (205, 205, 210)
_INK: Colour = (24, 22, 28)
_WHITE: Colour = (255, 255, 255)
_TEAR: Colour = (190, 230, 255)
_TONGUE: Colour = (235, 120, 130)

_FINE = 8
"""Icons are drawn so many times larger and shrunk, which smooths every edge."""


def colour_of(label: str) -> Colour:
    """The colour of a class; light grey for `uncertain`."""
    emotion = emotion_of(label)
    return UNCERTAIN_COLOUR if emotion is None else emotion.colour


@lru_cache(maxsize=256)
def icon(label: str, size: int) -> Sprite:
    """The face for `label`, a disc in its colour.

    Args:
        label: a class, or `uncertain`.
        size: side of the icon, pixels.
    """
    pen = _Pen(size * _FINE)
    pen.disc(0.5, 0.5, 0.49, _INK)
    pen.disc(0.5, 0.5, 0.44, colour_of(label))
    _FACES.get(label, _uncertain)(pen)
    return pen.sprite(size)


class _Pen:
    """Draws on a square canvas in shares of its side, origin at the upper left."""

    def __init__(self, side: int) -> None:
        self.side = side
        self.canvas: Picture = np.zeros((side, side, 3), np.uint8)
        self.mask = np.zeros((side, side), np.uint8)

    def disc(self, x: float, y: float, radius: float, colour: Colour) -> None:
        """A filled circle."""
        self.oval(x, y, radius, radius, colour)

    def oval(self, x: float, y: float, wide: float, high: float, colour: Colour) -> None:
        """A filled ellipse with half axes `wide` and `high`."""
        for target, value in ((self.canvas, colour), (self.mask, (255,))):
            cv2.ellipse(
                target, self._at(x, y), self._at(wide, high), 0, 0, 360, value, -1, cv2.LINE_AA
            )

    def arc(
        self, x: float, y: float, wide: float, high: float, start: int, stop: int, thick: float
    ) -> None:
        """A curved line; degrees run clockwise from the right."""
        points = cv2.ellipse2Poly(self._at(x, y), self._at(wide, high), 0, start, stop, 6)
        self._stroke([[int(px), int(py)] for px, py in points], thick)

    def line(self, points: Sequence[tuple[float, float]], thick: float = 0.07) -> None:
        """A line through `points`, with round ends."""
        self._stroke([list(self._at(x, y)) for x, y in points], thick)

    def half_disc(self, x: float, y: float, wide: float, high: float, colour: Colour) -> None:
        """The lower half of an ellipse, filled."""
        cv2.ellipse(
            self.canvas, self._at(x, y), self._at(wide, high), 0, 0, 180, colour, -1, cv2.LINE_AA
        )

    def sprite(self, size: int) -> Sprite:
        """What was drawn, `size` pixels wide."""
        alpha = self.mask.astype(np.float32)[..., None] / 255.0
        light = self.canvas.astype(np.float32) * alpha
        keep = np.repeat(1.0 - alpha, 3, axis=2)
        shrunk = [
            cv2.resize(part, (size, size), interpolation=cv2.INTER_AREA) for part in (light, keep)
        ]
        return Sprite(shrunk[0].astype(np.float32), shrunk[1].astype(np.float32))

    def _stroke(self, points: list[list[int]], thick: float) -> None:
        width = max(1, round(thick * self.side))
        path = [np.array(points, np.int32)]
        cv2.polylines(self.canvas, path, False, _INK, width, cv2.LINE_AA)
        for x, y in (points[0], points[-1]):
            cv2.circle(self.canvas, (x, y), width // 2, _INK, -1, cv2.LINE_AA)

    def _at(self, x: float, y: float) -> tuple[int, int]:
        return round(x * self.side), round(y * self.side)


def _dots(pen: _Pen, y: float = 0.43) -> None:
    for x in (0.33, 0.67):
        pen.oval(x, y, 0.055, 0.07, _INK)


def _wide_eyes(pen: _Pen, pupil: float) -> None:
    for x in (0.32, 0.68):
        pen.disc(x, 0.42, 0.125, _INK)
        pen.disc(x, 0.42, 0.095, _WHITE)
        pen.disc(x, 0.42, pupil, _INK)


def _angry(pen: _Pen) -> None:
    pen.line([(0.2, 0.28), (0.43, 0.39)], 0.08)
    pen.line([(0.8, 0.28), (0.57, 0.39)], 0.08)
    _dots(pen, 0.48)
    pen.arc(0.5, 0.78, 0.17, 0.12, 190, 350, 0.075)


def _disgust(pen: _Pen) -> None:
    pen.line([(0.22, 0.36), (0.4, 0.44), (0.22, 0.52)], 0.065)
    pen.line([(0.78, 0.36), (0.6, 0.44), (0.78, 0.52)], 0.065)
    pen.half_disc(0.6, 0.67, 0.1, 0.17, _INK)
    pen.half_disc(0.6, 0.67, 0.065, 0.13, _TONGUE)
    pen.line([(0.27, 0.7), (0.38, 0.64), (0.5, 0.68), (0.62, 0.66), (0.74, 0.66)], 0.07)


def _fear(pen: _Pen) -> None:
    pen.line([(0.18, 0.27), (0.38, 0.19)], 0.06)
    pen.line([(0.82, 0.27), (0.62, 0.19)], 0.06)
    _wide_eyes(pen, 0.035)
    zigzag = [(0.27, 0.75), (0.36, 0.67), (0.45, 0.75), (0.55, 0.67), (0.64, 0.75), (0.73, 0.67)]
    pen.line(zigzag, 0.065)


def _happy(pen: _Pen) -> None:
    for x in (0.32, 0.68):
        pen.arc(x, 0.44, 0.095, 0.11, 180, 360, 0.07)
    pen.half_disc(0.5, 0.57, 0.28, 0.27, _INK)
    pen.half_disc(0.5, 0.6, 0.21, 0.09, _WHITE)


def _sad(pen: _Pen) -> None:
    pen.line([(0.2, 0.36), (0.4, 0.27)], 0.06)
    pen.line([(0.8, 0.36), (0.6, 0.27)], 0.06)
    _dots(pen, 0.46)
    pen.oval(0.71, 0.64, 0.06, 0.1, _INK)
    pen.oval(0.71, 0.64, 0.04, 0.08, _TEAR)
    pen.arc(0.46, 0.8, 0.16, 0.12, 195, 345, 0.075)


def _surprise(pen: _Pen) -> None:
    pen.arc(0.32, 0.26, 0.11, 0.09, 200, 340, 0.06)
    pen.arc(0.68, 0.26, 0.11, 0.09, 200, 340, 0.06)
    _wide_eyes(pen, 0.055)
    pen.oval(0.5, 0.74, 0.1, 0.14, _INK)


def _neutral(pen: _Pen) -> None:
    _dots(pen)
    pen.line([(0.32, 0.7), (0.68, 0.7)], 0.075)


def _uncertain(pen: _Pen) -> None:
    pen.arc(0.5, 0.36, 0.15, 0.15, 170, 400, 0.09)
    pen.line([(0.59, 0.475), (0.5, 0.55), (0.5, 0.61)], 0.09)
    pen.disc(0.5, 0.76, 0.055, _INK)


_FACES: dict[str, Callable[[_Pen], None]] = {
    "angry": _angry,
    "disgust": _disgust,
    "fear": _fear,
    "happy": _happy,
    "sad": _sad,
    "surprise": _surprise,
    "neutral": _neutral,
    UNCERTAIN: _uncertain,
}
