"""A clip for Chromium's fake camera: a real face that moves, and the frame's number as a barcode.

The face is the astronaut portrait that scikit-image carries (public domain). The rows at the top
hold 16 black or white cells that survive the way through two video encoders, so that a test can
tell which frame it is looking at, how old it is, and whether it is mirrored.
"""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from skimage import data

WIDTH, HEIGHT = 640, 480
FRAMES = 150
"""Five seconds at Chromium's 30 frames a second; the clip then begins again, without a jump."""

CELLS, CELL_ROWS = 16, 24
BITS = 11
DARK, BRIGHT = 75, 180
"""Two encoders and a picture made narrower leave black cells darker, and white ones brighter."""

# In the portrait: the tight face, from hairline to chin and from ear to ear.
_FACE = np.array([178.0, 68.0, 268.0, 182.0])
_CENTRE = np.array([222.0, 125.0])


def view(number: int) -> tuple[float, float, float]:
    """What the camera sees in frame `number`: x and y of its left upper corner, and its width."""
    turn = 2 * np.pi * (number % FRAMES) / FRAMES
    width = 300 + 70 * np.sin(turn)
    height = width * HEIGHT / WIDTH
    x, y = _CENTRE[0] + 25 * np.cos(turn), _CENTRE[1] + 15 * np.sin(2 * turn)
    x = np.clip(x, width / 2, 512 - width / 2) - width / 2
    y = np.clip(y, height / 2, 512 - height / 2) - height / 2
    return float(x), float(y), float(width)


def face_box(number: int, mirrored: bool = False) -> tuple[float, float, float, float]:
    """Where the face is in frame `number`: x0, y0, x1, y1 in pixels."""
    x, y, width = view(number)
    scale = WIDTH / width
    x0, y0, x1, y1 = (_FACE - (x, y, x, y)) * scale
    if mirrored:
        x0, x1 = WIDTH - x1, WIDTH - x0
    return float(x0), float(y0), float(x1), float(y1)


def picture(number: int, face: bool = True, barcode: bool = True) -> np.ndarray:
    """Frame `number`, RGB; without face: a plain grey wall."""
    if face:
        x, y, width = view(number)
        scale = WIDTH / width
        turn = np.array([[scale, 0, -x * scale], [0, scale, -y * scale]], np.float32)
        frame = cv2.warpAffine(
            _portrait(),
            turn,
            (WIDTH, HEIGHT),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT,
        )
    else:
        frame = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
    for cell, bit in enumerate(_cells(number % FRAMES) if barcode else ()):
        left = cell * WIDTH // CELLS
        frame[:CELL_ROWS, left : left + WIDTH // CELLS] = 255 * bit
    return frame


def write_clip(path: Path, face: bool = True, barcode: bool = True) -> Path:
    """Write the clip as pictures one after another, which Chromium reads as motion JPEG."""
    with path.open("wb") as out:
        for number in range(FRAMES):
            held = io.BytesIO()
            Image.fromarray(picture(number, face, barcode)).save(held, "JPEG", quality=90)
            out.write(held.getvalue())
    return path


def _cells(number: int) -> list[int]:
    """White, black, eleven bits, their parity, white, white: not the same when read backwards."""
    bits = [(number >> (BITS - 1 - place)) & 1 for place in range(BITS)]
    return [1, 0, *bits, sum(bits) & 1, 1, 1]


def read_number(frame: np.ndarray) -> tuple[int, bool] | None:
    """The number in a frame's barcode and whether it is mirrored; None when it cannot be read.

    What is neither black nor white is no cell: something lies over it, such as a blurred face.
    """
    height, width = frame.shape[:2]
    row = frame[max(1, height * 12 // HEIGHT)].mean(axis=1)
    found = [row[int((cell + 0.5) * width / CELLS)] for cell in range(CELLS)]
    if any(DARK < value < BRIGHT for value in found):
        return None
    cells = [int(value >= BRIGHT) for value in found]
    mirrored = cells[:2] == [1, 1]
    if mirrored:
        cells.reverse()
    bits = cells[2 : 2 + BITS]
    if cells[:2] != [1, 0] or cells[-2:] != [1, 1] or cells[-3] != sum(bits) & 1:
        return None
    number = int("".join(map(str, bits)), 2)
    return (number, mirrored) if number < FRAMES else None


def nearest_frame(shown: np.ndarray) -> tuple[int, bool]:
    """Which frame a picture comes from, and whether it is mirrored, by all that is not drawn over.

    For pictures whose barcode lies under something. Half of the points decide, those that are most
    alike, so that something may cover the other half.
    """
    few = _few(shown)
    differences = {
        (number, mirrored): np.sort(np.abs(few - clean).ravel())[: few.size // 2].mean()
        for number, both in enumerate(_all_few())
        for mirrored, clean in zip((False, True), both, strict=True)
    }
    return min(differences, key=lambda which: differences[which])


def _few(frame: np.ndarray) -> np.ndarray:
    return cv2.resize(frame, (WIDTH // 8, HEIGHT // 8), interpolation=cv2.INTER_AREA).astype(float)


@cache
def _all_few() -> list[tuple[np.ndarray, np.ndarray]]:
    frames = [picture(number) for number in range(FRAMES)]
    return [(_few(frame), _few(frame[:, ::-1])) for frame in frames]


@cache
def _portrait() -> np.ndarray:
    return np.ascontiguousarray(data.astronaut())
