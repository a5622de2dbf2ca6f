"""A bar per class: as a panel with names beside a face, or as a bare row where room is short."""

from __future__ import annotations

from functools import lru_cache

import cv2

from fer_core.detectors.base import Picture
from fer_core.emotions import CLASSES, EMOTIONS
from fer_core.overlay.icons import icon
from fer_core.overlay.layout import Rectangle
from fer_core.overlay.plates import PLATE_COLOUR, PLATE_OPACITY, TEXT_COLOUR
from fer_core.overlay.sprites import Colour, Sprite, over, paste, solid, text_mask, tint
from fer_core.overlay.style import Style
from fer_core.results import Face

__all__ = ["draw_panel", "draw_row", "panel_size", "row_size"]

_TROUGH: Colour = (70, 70, 78)


def panel_size(style: Style) -> tuple[int, int]:
    """Width and height of a panel, pixels."""
    left = _bars_start(style)
    width = left + round(style.small * 3.6) + style.pad * 2
    return width, _row_height(style) * len(CLASSES) + 2 * style.pad


def draw_panel(picture: Picture, face: Face, spot: Rectangle, style: Style) -> None:
    """Draw icon, name and bar of each class into `spot`, in place."""
    paste(picture, _panel_ground(style), spot.x, spot.y)
    row = _row_height(style)
    left, right = spot.x + _bars_start(style), spot.right - style.pad * 2
    thin = max(1, row // 4)
    for emotion, share in zip(EMOTIONS, face.probabilities, strict=True):
        top = spot.y + style.pad + emotion.code * row + thin
        bottom = top + row - 2 * thin - 1
        cv2.rectangle(picture, (left, top), (right, bottom), _TROUGH, -1)
        filled = left + round(_share(share) * (right - left))
        if filled > left:
            cv2.rectangle(picture, (left, top), (filled, bottom), emotion.colour, -1)


def row_size(face: Rectangle, style: Style) -> tuple[int, int]:
    """Width and height of a row of bars for a face of that size, pixels."""
    each = max(2, min(style.small, (face.width - 2) // len(CLASSES)))
    high = max(8, min(style.small * 2, face.height // 4))
    return each * len(CLASSES) + 2, high + 2


def draw_row(picture: Picture, face: Face, spot: Rectangle) -> None:
    """Draw seven upright bars without names into `spot`, in place."""
    paste(picture, _ground(spot.width, spot.height), spot.x, spot.y)
    each = (spot.width - 2) // len(CLASSES)
    high = spot.height - 2
    for emotion, share in zip(EMOTIONS, face.probabilities, strict=True):
        left = spot.x + 1 + emotion.code * each
        bottom = spot.bottom - 2
        top = bottom - max(1, round(_share(share) * high)) + 1
        cv2.rectangle(picture, (left, top), (left + max(0, each - 2), bottom), emotion.colour, -1)


@lru_cache(maxsize=64)
def _ground(width: int, height: int) -> Sprite:
    return solid(width, height, PLATE_COLOUR, PLATE_OPACITY, radius=2)


@lru_cache(maxsize=16)
def _panel_ground(style: Style) -> Sprite:
    width, height = panel_size(style)
    ground = solid(width, height, PLATE_COLOUR, PLATE_OPACITY, radius=style.pad)
    row = _row_height(style)
    for emotion in EMOTIONS:
        top = style.pad + emotion.code * row
        face = icon(emotion.name, row - 2)
        ground = over(face, ground, style.pad, top + 1)
        name = tint(text_mask(emotion.name, style.small), TEXT_COLOUR)
        ground = over(name, ground, style.pad * 2 + row, top + (row - name.height) // 2)
    return ground


@lru_cache(maxsize=16)
def _bars_start(style: Style) -> int:
    names = max(text_mask(name, style.small).shape[1] for name in CLASSES)
    return int(style.pad * 3 + _row_height(style) + names)


def _row_height(style: Style) -> int:
    return round(style.small * 1.3)


def _share(probability: float) -> float:
    return min(1.0, max(0.0, probability))
