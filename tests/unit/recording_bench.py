"""Frames to record; light, because processes that are killed import it."""

from __future__ import annotations

import numpy as np

from fer_core.results import FrameResult


def picture(number: int, width: int = 160, height: int = 120) -> np.ndarray:
    made = np.full((height, width, 3), 40, np.uint8)
    made[:, : 5 + number * 2] = (200, 30, 30)
    return made


def result(*faces) -> FrameResult:
    return FrameResult(160, 120, faces, 1.0, {"detect": 2.0})
