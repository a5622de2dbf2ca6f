"""The heart: a picture in, its faces and their expressions out."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_core.classifier import Classifier
from fer_core.closing import Closing
from fer_core.crops import crop_faces
from fer_core.detectors import DETECTORS, DetectorOptions, Follower, create_detector
from fer_core.emotions import CLASSES, UNCERTAIN
from fer_core.errors import OptionError
from fer_core.model_store import model_folder
from fer_core.pictures import load_picture
from fer_core.results import Box, Detection, Face, FrameResult
from fer_core.runtimes import RUNTIMES
from fer_core.sampling import EveryNth
from fer_core.smoothing import Smoother, SmoothingOptions
from fer_core.tracking import Tracker, TrackerOptions
from fer_core.turns import Turns

if TYPE_CHECKING:
    from fer_core.detectors.base import Detector, Picture
    from fer_core.runtimes import Probabilities

__all__ = ["Analyzer", "AnalyzerOptions"]


@dataclass(frozen=True)
class AnalyzerOptions:
    """How pictures are analysed.

    Attributes:
        detector: one of `fer_core.detectors.DETECTORS`.
        detector_options: None for the detector's defaults.
        model: name of a model folder, or a path to one; None for the default model.
        runtime: one of `fer_core.runtimes.RUNTIMES`.
        threads: CPU threads of the classifier; None for the runtime's own choice.
        min_confidence: a face whose best probability is under this, 0 to 1, is labelled
            `uncertain`; None for the model card's `uncertain_below`.
        tracking: how forgiving the tracker is.
        smoothing: how strongly probabilities and boxes of a track are smoothed.
        faces_per_frame: where `track` is given more faces than this it reads so many of them, those
            that have waited longest, and new ones always; the others keep what they were last read
            as. None reads all of them in every frame.
    """

    detector: str = "blazeface"
    detector_options: DetectorOptions | None = None
    model: str | None = None
    runtime: str = "auto"
    threads: int | None = None
    min_confidence: float | None = None
    tracking: TrackerOptions = field(default_factory=TrackerOptions)
    smoothing: SmoothingOptions = field(default_factory=SmoothingOptions)
    faces_per_frame: int | None = None

    def __post_init__(self) -> None:
        _check_name("detector", self.detector, tuple(DETECTORS))
        _check_name("runtime", self.runtime, RUNTIMES)
        if self.threads is not None and self.threads < 1:
            raise OptionError(f"threads must be at least 1. Received: {self.threads}.")
        if self.faces_per_frame is not None and self.faces_per_frame < 1:
            raise OptionError(
                f"faces_per_frame must be at least 1. Received: {self.faces_per_frame}."
            )
        if self.min_confidence is not None and not 0.0 <= self.min_confidence <= 1.0:
            raise OptionError(
                f"min_confidence must be from 0 to 1. Received: {self.min_confidence}."
            )


class Analyzer(Closing):
    """Finds the faces in a picture and reads their expressions.

    >>> with Analyzer() as analyzer:
    ...     result = analyzer.analyze("portrait.jpg")
    >>> (result.width, result.height, len(result.faces))
    (512, 512, 1)
    >>> sorted(result.faces[0].to_dict())
    ['box', 'confidence', 'eyes', 'label', 'probabilities', 'score', 'track_id']

    One instance serves one session and one thread at a time. The classifier may be shared: load it
    once and hand it to every analyzer.

    Attributes:
        options: what it was made with.
        classifier: the model that reads the crops.
    """

    def __init__(
        self,
        options: AnalyzerOptions | None = None,
        classifier: Classifier | None = None,
        detector: Detector | None = None,
    ) -> None:
        """Load what is needed; nothing is loaded later, so the first frame does not wait.

        Args:
            options: None for the defaults.
            classifier: a shared one, in place of `options.model`, `runtime` and `threads`; it
                stays open when this analyzer is closed.
            detector: one's own, in place of `options.detector`; it stays open likewise.

        Raises:
            ModelError: the model folder is missing, incomplete, altered, or of another kind.
            RuntimeMissingError: the runtime's package is not installed.
            DetectorError: the detector cannot be made.
        """
        self.options = options or AnalyzerOptions()
        self._owned: list[Classifier | Detector] = []
        if detector is None:
            detector = create_detector(self.options.detector, self.options.detector_options)
            self._owned.append(detector)
        self._detector = detector
        self._follower = detector if isinstance(detector, Follower) else None
        self._shape: tuple[int, ...] = ()
        if classifier is None:
            try:
                classifier = Classifier(
                    model_folder(self.options.model), self.options.runtime, self.options.threads
                )
            except BaseException:
                self.close()
                raise
            self._owned.append(classifier)
        self.classifier = classifier
        self._tracker = Tracker(self.options.tracking)
        self._smoother = Smoother(self.options.smoothing)
        self._turns = Turns(self.options.faces_per_frame)

    @property
    def min_confidence(self) -> float:
        """The threshold under which a label reads `uncertain`, 0 to 1."""
        chosen = self.options.min_confidence
        return self.classifier.card.uncertain_below if chosen is None else chosen

    def analyze(self, source: str | Path | bytes | Picture) -> FrameResult:
        """The faces of a single picture; nothing is remembered from one call to the next.

        Args:
            source: a path, the bytes of a picture file, or an array as `load_picture` takes it
                (RGB, not BGR); an array is not changed.

        Returns:
            Faces from left to right, without track numbers.

        Raises:
            PictureError: the picture cannot be read.
            DetectorError: the detector failed or is closed.
            ModelError: the network failed or is closed.
        """
        picture = load_picture(source)
        detections, detecting = self._detect(picture)
        probabilities, timings = self._read(picture, detections)
        timings = {**detecting, **timings, "track": 0.0}
        faces = [
            self._face(detection, tuple(map(float, row)))
            for detection, row in zip(detections, probabilities, strict=True)
        ]
        faces.sort(key=lambda face: face.box.from_left)
        return _result(picture, tuple(faces), None, timings)

    def track(self, picture: Picture, pts: float) -> FrameResult:
        """The faces of one frame of a clip or stream: numbered and smoothed over time.

        Args:
            picture: RGB uint8 (height, width, 3); it is not changed. Its size may change from
                frame to frame.
            pts: the frame's own time, seconds. A time before the last one begins another clip.

        Returns:
            Faces by track number.

        Raises:
            PictureError: the picture has an impossible shape.
            OptionError: `pts` is not a finite number.
            DetectorError: the detector failed or is closed.
            ModelError: the network failed or is closed.
        """
        if not _is_frame(picture):
            picture = load_picture(picture)
        detections, timings = self._detect(picture, self._expected(picture, pts))
        started = time.perf_counter()
        numbers = self._tracker.update([detection.box for detection in detections], pts)
        chosen = self._turns.choose(numbers)
        tracking = _milliseconds_since(started)
        probabilities, reading = self._read(picture, [detections[place] for place in chosen])
        started = time.perf_counter()
        rows = self._turns.fill(numbers, chosen, probabilities)
        faces = []
        for number, detection, row in zip(numbers, detections, rows, strict=True):
            box, steady = self._smoother.update(number, detection.box, tuple(map(float, row)), pts)
            faces.append(self._face(detection, steady, number, box))
        live = self._tracker.live_tracks()
        self._smoother.keep(live)
        self._turns.keep(live)
        faces.sort(key=lambda face: face.track_id or 0)
        tracking += _milliseconds_since(started)
        timings = {**timings, **reading, "track": tracking}
        return _result(picture, tuple(faces), float(pts), timings)

    def analyze_video(self, source: str | Path, every: int = 1) -> Iterator[FrameResult]:
        """The faces of each frame of a clip, numbered and smoothed over time.

        >>> with Analyzer() as analyzer:
        ...     times = [result.pts for result in analyzer.analyze_video("clip.mp4", every=5)]
        >>> [round(time, 3) for time in times]
        [0.0, 0.333, 0.667]

        Decoding runs a few frames ahead and memory does not grow with the clip. Tracks begin anew.
        Leaving the loop early stops the work.

        Args:
            source: mp4, mov, avi, mkv, webm, or another clip that FFmpeg decodes.
            every: analyse every n-th frame, from the first on; the others are skipped.

        Returns:
            Results in the order of the frames, each with its own time, `pts`, in seconds from the
            start of the clip. Nothing is read before the first one is asked for.

        Raises:
            OptionError: `every` is not a whole number of at least 1.
            VideoError: the clip cannot be read; raised when the first result is asked for.
            DetectorError, ModelError: as in `track`.
        """
        sampled = EveryNth(self, every)
        return _fresh_results(source, sampled)

    def reset(self) -> None:
        """Forget all tracks, as at the start of another clip; numbers are still never reused."""
        self._tracker.reset()
        self._smoother.reset()
        self._turns.reset()

    def close(self) -> None:
        """Release the detector and model that this analyzer made; calling it twice is allowed."""
        while self._owned:
            self._owned.pop().close()

    def _expected(self, picture: Picture, pts: float) -> list[Box]:
        """Where the faces of the last frame should be in this one, if it is of the same size."""
        same, self._shape = picture.shape == self._shape, picture.shape
        return self._tracker.expected(pts) if same else []

    def _detect(
        self, picture: Picture, known: Sequence[Box] | None = None
    ) -> tuple[list[Detection], dict[str, float]]:
        """Detect, near `known` where the detector can; milliseconds of it."""
        started = time.perf_counter()
        if known and self._follower is not None:
            detections = self._follower.follow(picture, known)
        else:
            detections = self._detector.detect(picture)
        return detections, {"detect": _milliseconds_since(started)}

    def _read(
        self, picture: Picture, detections: Sequence[Detection]
    ) -> tuple[Probabilities, dict[str, float]]:
        """Crop and classify; milliseconds of each."""
        if not detections:
            return np.zeros((0, len(CLASSES)), np.float32), {"crop": 0.0, "classify": 0.0}
        card = self.classifier.card
        started = time.perf_counter()
        crops = crop_faces(picture, detections, card.input_size, card.crop)
        cropped = time.perf_counter()
        probabilities = self.classifier.classify(crops)
        return probabilities, {
            "crop": 1000 * (cropped - started),
            "classify": _milliseconds_since(cropped),
        }

    def _face(
        self,
        detection: Detection,
        probabilities: tuple[float, ...],
        number: int | None = None,
        box: Box | None = None,
    ) -> Face:
        best = max(range(len(CLASSES)), key=probabilities.__getitem__)
        sure = probabilities[best] >= self.min_confidence
        return Face(
            box=detection.box if box is None else box,
            score=detection.score,
            probabilities=probabilities,
            label=CLASSES[best] if sure else UNCERTAIN,
            track_id=number,
            eyes=detection.eyes,
        )


def _fresh_results(source: str | Path, sampled: EveryNth) -> Iterator[FrameResult]:
    from fer_core.video import iter_results

    with contextlib.closing(iter_results(source, sampled)) as results:
        for result in results:
            if sampled.fresh:
                yield result


def _result(
    picture: Picture, faces: tuple[Face, ...], pts: float | None, timings: dict[str, float]
) -> FrameResult:
    height, width = picture.shape[:2]
    return FrameResult(width, height, faces, pts, timings)


def _is_frame(picture: Any) -> bool:
    return (
        isinstance(picture, np.ndarray)
        and picture.dtype == np.uint8
        and picture.ndim == 3
        and picture.shape[2] == 3
        and picture.size > 0
        and picture.flags.c_contiguous
    )


def _milliseconds_since(started: float) -> float:
    return 1000 * (time.perf_counter() - started)


def _check_name(option: str, name: str, known: tuple[str, ...]) -> None:
    if name not in known:
        raise OptionError(f"Unknown {option}. Received: {name!r}. Known: {', '.join(known)}.")
