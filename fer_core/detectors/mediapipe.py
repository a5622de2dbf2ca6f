"""`mediapipe`: the FaceDetector of MediaPipe's Tasks API."""

from __future__ import annotations

import weakref
from typing import Any

from fer_core.detectors.base import Picture
from fer_core.detectors.common import DetectorBase, shrunk
from fer_core.detectors.hidden_imports import hidden_imports
from fer_core.detectors.model_files import SHORT_RANGE, model_bytes
from fer_core.detectors.options import DetectorOptions
from fer_core.detectors.task_model import with_normalisation
from fer_core.errors import DetectorError
from fer_core.results import Box, Detection, Eyes

__all__ = ["MediaPipeDetector"]

WORKING_SIDE = 640
"""Larger pictures are shrunk to this longer side first; the network itself sees 128 pixels."""

MIN_SCORE = 0.5


class MediaPipeDetector(DetectorBase):
    """Finds faces with MediaPipe's own pipeline around the short-range network.

    The reference beside `blazeface`, which runs the same network with less around it. Gives scores
    and eye points; `options.range`, `fine` and `threads` do not apply.

    An instance must not be used by two threads at once. Close it: it holds threads and memory
    outside Python. One that is forgotten is closed when it is collected or when Python ends.
    """

    name = "mediapipe"

    def __init__(self, options: DetectorOptions | None = None) -> None:
        """Import MediaPipe (about a second, once a process) and start the task.

        Raises:
            DetectorError: MediaPipe, one of its system libraries, or the model file is missing.
        """
        super().__init__(options)
        self._mediapipe = _import()
        self._model = with_normalisation(model_bytes(SHORT_RANGE))
        self._task: Any = None
        self._start()

    def _find(self, picture: Picture) -> list[Detection]:
        if self._task is None:
            self._start()
        height, width = picture.shape[:2]
        scale = min(1.0, WORKING_SIDE / max(height, width))
        if scale < 1:
            size = max(1, round(width * scale)), max(1, round(height * scale))
            picture = shrunk(picture, *size)
        mp = self._mediapipe
        try:
            result = self._task.detect(mp.Image(image_format=mp.ImageFormat.SRGB, data=picture))
        except Exception:
            # After one failure the task answers every later call with the same error.
            self._release()
            raise
        across, down = width / picture.shape[1], height / picture.shape[0]
        return [_detection(found, width, height, across, down) for found in result.detections]

    def _start(self) -> None:
        mp = self._mediapipe
        score = MIN_SCORE if self.options.min_score is None else self.options.min_score
        options = mp.tasks.vision.FaceDetectorOptions(
            base_options=mp.tasks.BaseOptions(model_asset_buffer=self._model),
            running_mode=mp.tasks.vision.RunningMode.IMAGE,
            min_detection_confidence=score,
        )
        try:
            self._task = mp.tasks.vision.FaceDetector.create_from_options(options)
        except (RuntimeError, ValueError, OSError) as error:
            raise DetectorError(
                f"MediaPipe cannot start its face detector: {error}. Choose the detector blazeface."
            ) from None
        # A task that is collected while open can hang the process.
        self._finalizer = weakref.finalize(self, self._task.close)

    def _release(self) -> None:
        if self._task is not None:
            self._task = None
            self._finalizer()


def _import() -> Any:
    try:
        with hidden_imports("tensorflow", "jax"):
            import mediapipe
            import mediapipe.tasks.python
    except (ImportError, OSError) as error:
        raise DetectorError(
            f"The detector mediapipe cannot be loaded: {error}. "
            "Run `pip install mediapipe==0.10.33` (on Debian and Ubuntu also "
            "`apt-get install libegl1 libgles2`), or choose the detector blazeface."
        ) from None
    return mediapipe


def _detection(found: Any, width: int, height: int, across: float, down: float) -> Detection:
    """One of the task's detections in pixels of a picture of `width` x `height`.

    Args:
        found: box in pixels of the picture that the task saw, key points as shares of it.
        width, height: of the source picture, pixels.
        across, down: source pixels per pixel of the picture that the task saw.
    """
    box = found.bounding_box
    eyes = None
    if found.keypoints and len(found.keypoints) >= 2:
        left, right = found.keypoints[:2]
        eyes = Eyes((left.x * width, left.y * height), (right.x * width, right.y * height))
    return Detection(
        Box(
            box.origin_x * across,
            box.origin_y * down,
            (box.origin_x + box.width) * across,
            (box.origin_y + box.height) * down,
        ),
        float(found.categories[0].score),
        MediaPipeDetector.name,
        eyes,
    )
