"""A moving clip of real faces, made in memory from scikit-image's astronaut (public domain)."""

from __future__ import annotations

import math
from collections.abc import Iterator

import cv2
import numpy as np

from fer_core.detectors.base import Picture

__all__ = ["FRAMES_A_SECOND", "face_clip"]

FRAMES_A_SECOND = 30.0

# Middle and side of the face in the 512x512 portrait, pixels.
_FACE = (226.0, 122.0)
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
    columns = math.ceil(math.sqrt(faces * width / height))
    columns = min(max(columns, 1), faces)
    rows = math.ceil(faces / columns)
    for index in range(frames):
        seconds = index / FRAMES_A_SECOND
        picture = np.full((height, width, 3), 96, np.uint8)
        for face in range(faces):
            row, column = divmod(face, columns)
            x0, x1 = width * column // columns, width * (column + 1) // columns
            y0, y1 = height * row // rows, height * (row + 1) // rows
            tile = _tile(portrait, x1 - x0, y1 - y0, seconds + 1.7 * face)
            picture[y0:y1, x0:x1] = tile
        yield seconds, picture


def _tile(portrait: Picture, width: int, height: int, seconds: float) -> Picture:
    side = min(width, height) * (0.36 + 0.06 * math.sin(0.9 * seconds))
    scale = side / _SIDE
    x = width * (0.5 + 0.12 * math.sin(1.3 * seconds))
    y = height * (0.48 + 0.08 * math.sin(1.7 * seconds + 1.0))
    matrix = np.array(
        [[scale, 0, x - scale * _FACE[0]], [0, scale, y - scale * _FACE[1]]], np.float64
    )
    moved = cv2.warpAffine(portrait, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8)
