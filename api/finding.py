"""What is done with a posted picture in a process of its own: decoded, its faces found and cut out.

What comes back is a few kilobytes: the pixels of a stranger's picture never reach the server, and
what finds faces in them takes nothing of the one core that the server's own code runs on.
"""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fer_core.allocator import M_MMAP_THRESHOLD, M_TRIM_THRESHOLD, set_malloc_options
from fer_core.confined.sentences import failed
from fer_core.crops import crop_faces
from fer_core.detectors import DetectorOptions, create_detector
from fer_core.errors import DetectorError, WorkerError
from fer_core.pictures import load_picture
from fer_core.results import Box, Detection, Eyes

if TYPE_CHECKING:
    from fer_core.confined import WorkerPool
    from fer_core.confined.child import Tell
    from fer_core.detectors import Detector
    from fer_core.model_store import CropSpec
    from fer_core.runtimes import Crops

__all__ = ["Found", "find_confined"]

NUMBERS = 9
"""Of a face: score, box (x0, y0, x1, y1), eyes (x, y, x, y), which are NaN where there are none."""

KEPT_BYTES = 16 << 20
"""A larger piece goes back to the system as soon as it is freed."""


@dataclass(frozen=True)
class Found:
    """The faces of a picture, from left to right.

    Attributes:
        width, height: of the picture, pixels.
        detections: where they are.
        crops: uint8 (N, size, size, 1), one for each.
        timings: milliseconds, keys `detect` and `crop`.
    """

    width: int
    height: int
    detections: tuple[Detection, ...]
    crops: Crops
    timings: dict[str, float]


def find_confined(
    content: bytes, detector: str, size: int, spec: CropSpec, pool: WorkerPool
) -> Found:
    """The faces of a picture file, found in another process.

    Args:
        content: of the file.
        detector: one of `fer_core.detectors.DETECTORS`.
        size, spec: of the crops, from the card of the model that is to read them.
        pool: of the processes.

    Raises:
        PictureError: it cannot be read as a picture.
        DetectorError: the detector cannot be had, or failed.
        WorkerError: a limit was met, the process ended, or what it says makes no sense.
    """
    said = pool.call("api.finding:find_here", content, detector, size, spec, name="The picture")
    try:
        return _checked(said, detector, size)
    except (TypeError, ValueError, ArithmeticError, AttributeError):
        # Whoever has taken hold of that process may send anything that is plain.
        raise WorkerError(failed("The picture", "an answer that makes no sense")) from None


def find_here(
    tell: Tell, content: bytes, detector: str, size: int, spec: CropSpec
) -> tuple[int, int, npt.NDArray[np.float64], Crops, float, float]:
    """What the process does; see `_checked` for what it gives."""
    _keep_memory()
    picture = load_picture(content)
    started = time.perf_counter()
    try:
        detections = _detector(detector).detect(picture)
    except DetectorError:
        _detector.cache_clear()  # one that failed once may go on failing
        raise
    detections.sort(key=lambda one: one.box.from_left)
    detected = time.perf_counter()
    crops = crop_faces(picture, detections, size, spec)
    cropped = time.perf_counter()
    height, width = picture.shape[:2]
    numbers = np.array([_numbers(one) for one in detections], np.float64).reshape(-1, NUMBERS)
    return width, height, numbers, crops, 1000 * (detected - started), 1000 * (cropped - detected)


@functools.cache
def _keep_memory() -> None:
    """Let this process keep up to `KEPT_BYTES` that it has freed for the next picture.

    Asking the system anew for the pixels of each took 1.1 of 3.9 ms for a picture of 640x480.
    """
    set_malloc_options((M_MMAP_THRESHOLD, KEPT_BYTES), (M_TRIM_THRESHOLD, KEPT_BYTES))


@functools.cache
def _detector(name: str) -> Detector:
    # As many of these processes run as there are cores; each keeps to one.
    return create_detector(name, DetectorOptions(threads=1))


def _numbers(detection: Detection) -> tuple[float, ...]:
    box, eyes = detection.box, detection.eyes
    points = (np.nan,) * 4 if eyes is None else (*eyes.left, *eyes.right)
    return (detection.score, box.x0, box.y0, box.x1, box.y1, *points)


def _checked(said: Any, detector: str, size: int) -> Found:
    """What the process has said, as what it must be.

    Raises:
        TypeError, ValueError, ArithmeticError, AttributeError: it is something else.
    """
    width, height, numbers, crops, detecting, cropping = said
    if (numbers.dtype, crops.dtype) != (np.float64, np.uint8):
        raise ValueError(f"arrays of {numbers.dtype} and {crops.dtype}")
    if numbers.ndim != 2 or numbers.shape[1] != NUMBERS or not np.isfinite(numbers[:, :5]).all():
        raise ValueError(f"numbers of shape {numbers.shape}")
    if crops.shape != (len(numbers), size, size, 1):
        raise ValueError(f"crops of shape {crops.shape}")
    detections = tuple(_detection(row, detector) for row in numbers.tolist())
    timings = {"detect": float(detecting), "crop": float(cropping)}
    if not np.isfinite([*timings.values()]).all():
        raise ValueError(f"milliseconds: {timings}")
    return Found(int(width), int(height), detections, crops, timings)


def _detection(row: list[float], detector: str) -> Detection:
    score, x0, y0, x1, y1, *points = row
    eyes = None
    if np.isfinite(points).all():
        eyes = Eyes((points[0], points[1]), (points[2], points[3]))
    return Detection(Box(x0, y0, x1, y1), score, detector, eyes)
