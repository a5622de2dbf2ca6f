"""A picture of what a network really sees: crops of one batch, after every change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fer_core.errors import TrainingError

SEEN_FILE = "seen.png"


def contact_sheet(
    crops: npt.NDArray[Any], columns: int, scale: int = 2, gap: int = 2
) -> npt.NDArray[np.uint8]:
    """Crops in rows, each `scale` times its size, on white.

    Args:
        crops: (N, size, size), grey values 0 to 255; at least one.
        columns: crops in a row.
        scale: pixels a side for each pixel.
        gap: pixels between crops.

    Returns:
        uint8 (height, width).
    """
    size = crops.shape[1] * scale
    rows = -(-len(crops) // columns)
    sheet = np.full((rows * (size + gap) + gap, columns * (size + gap) + gap), 255, np.uint8)
    for index, crop in enumerate(crops):
        top = gap + index // columns * (size + gap)
        left = gap + index % columns * (size + gap)
        grey = np.clip(np.rint(crop), 0, 255).astype(np.uint8)
        sheet[top : top + size, left : left + size] = cv2.resize(
            grey, (size, size), interpolation=cv2.INTER_NEAREST
        )
    return sheet


def write_sheet(crops: npt.NDArray[Any], file: Path, columns: int) -> None:
    """Write a contact sheet as PNG.

    Raises:
        TrainingError: it cannot be written.
    """
    done, data = cv2.imencode(".png", contact_sheet(crops, columns))
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data.tobytes() if done else b"")
    except OSError as error:
        raise TrainingError(f"The picture {file} cannot be written: {error}.") from None
