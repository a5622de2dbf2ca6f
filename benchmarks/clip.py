"""A moving clip of real faces, made in memory from scikit-image's astronaut (public domain)."""

from __future__ import annotations

import math
from collections.abc import Iterator

import cv2
import numpy as np

from fer_core.detectors.base import Picture
from fer_core.results import Box

__all__ = ["FRAMES_A_SECOND", "face_boxes", "face_clip"]

FRAMES_A_SECOND = 30.0

# The face in the 512x512 portrait, pixels: what is moved about, and the tight face box (framed by
# hand as FER2013 frames faces) as the way from there to its middle, and its side.
_FACE = (226.0, 122.0)
_TO_MIDDLE = (1.0, -8.0)
_SIDE = 106.0


def face_clip(width: int, height: int, faces: int, frames: int) -> Iterator[tuple[float, Picture]]:
    """Frames that pan and zoom over the portrait; several faces stand in a grid, out of step.

    A face is about a third of its tile's shorter side.

    Args:
        width, height: of a frame, pixels.
        faces: how many, at least 1.
        frames: how many.

    Yields:
        (seconds, RGB uint8 (height, width, 3)).
    """
    from skimage.data import astronaut

    portrait = np.asarray(astronaut(), np.uint8)  # type: ignore[no-untyped-call]
    for index in range(frames):
        seconds = index / FRAMES_A_SECOND
        picture = np.full((height, width, 3), 96, np.uint8)
        for (x0, y0, x1, y1), own in _tiles(width, height, faces, seconds):
            picture[y0:y1, x0:x1] = _tile(portrait, x1 - x0, y1 - y0, own)
        yield seconds, picture


def face_boxes(width: int, height: int, faces: int, seconds: float) -> list[Box]:
    """Where the faces of `face_clip` truly are at `seconds`: tight face boxes, pixels."""
    boxes = []
    for (x0, y0, x1, y1), own in _tiles(width, height, faces, seconds):
        scale, x, y = _place(x1 - x0, y1 - y0, own)
        x, y = x0 + x + scale * _TO_MIDDLE[0], y0 + y + scale * _TO_MIDDLE[1]
        half = scale * _SIDE / 2
        boxes.append(Box(x - half, y - half, x + half, y + half))
    return boxes


def _tiles(
    width: int, height: int, faces: int, seconds: float
) -> Iterator[tuple[tuple[int, int, int, int], float]]:
    """The tile of each face (x0, y0, x1, y1), and the face's own time: they move out of step."""
    columns = math.ceil(math.sqrt(faces * width / height))
    columns = min(max(columns, 1), faces)
    rows = math.ceil(faces / columns)
    for face in range(faces):
        row, column = divmod(face, columns)
        x0, x1 = width * column // columns, width * (column + 1) // columns
        y0, y1 = height * row // rows, height * (row + 1) // rows
        yield (x0, y0, x1, y1), seconds + 1.7 * face


def _place(width: int, height: int, seconds: float) -> tuple[float, float, float]:
    """Tile pixels per pixel of the portrait, and where the face is in a tile."""
    side = min(width, height) * (0.36 + 0.06 * math.sin(0.9 * seconds))
    x = width * (0.5 + 0.12 * math.sin(1.3 * seconds))
    y = height * (0.48 + 0.08 * math.sin(1.7 * seconds + 1.0))
    return side / _SIDE, x, y


def _tile(portrait: Picture, width: int, height: int, seconds: float) -> Picture:
    scale, x, y = _place(width, height, seconds)
    matrix = np.array(
        [[scale, 0, x - scale * _FACE[0]], [0, scale, y - scale * _FACE[1]]], np.float64
    )
    moved = cv2.warpAffine(portrait, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8)
