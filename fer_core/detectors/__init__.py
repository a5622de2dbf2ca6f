"""Face detectors behind one protocol, made by name.

    with create_detector("blazeface") as detector:
        for face in detector.detect(picture):
            print(face.box, face.score)

`blazeface` (the default) and `haar` need neither TensorFlow nor MediaPipe; those are imported only
when `mediapipe` is chosen. No detector downloads anything.
"""

from __future__ import annotations

from fer_core.detectors.base import Detector, Follower, Picture
from fer_core.detectors.options import RANGES, DetectorOptions
from fer_core.errors import OptionError

__all__ = [
    "DETECTORS",
    "RANGES",
    "Detector",
    "DetectorOptions",
    "Follower",
    "Picture",
    "create_detector",
]

DETECTORS: tuple[str, ...] = ("blazeface", "haar", "mediapipe")
"""Names of the detectors, the default first."""


def create_detector(name: str = DETECTORS[0], options: DetectorOptions | None = None) -> Detector:
    """A new detector called `name`. Use it in a `with` block, or close it.

    Args:
        name: one of `DETECTORS`.
        options: None for the defaults.

    Raises:
        OptionError: there is no detector of that name.
        DetectorError: a package or a file that it needs is missing.
    """
    if name == "blazeface":
        from fer_core.detectors.blazeface import BlazeFaceDetector

        return BlazeFaceDetector(options)
    if name == "haar":
        from fer_core.detectors.haar import HaarDetector

        return HaarDetector(options)
    if name == "mediapipe":
        from fer_core.detectors.mediapipe import MediaPipeDetector

        return MediaPipeDetector(options)
    known = ", ".join(DETECTORS)
    raise OptionError(f"Unknown detector. Received: {name!r}. Known: {known}.")
