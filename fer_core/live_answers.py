"""From what a frame shows to what is said about it: neutral face, smoothing, threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fer_core.calibration import NeutralCalibration
from fer_core.emotions import CLASSES, UNCERTAIN
from fer_core.results import Face, FrameResult
from fer_core.smoothing import Smoother, SmoothingOptions

__all__ = ["LiveAnswers", "with_threshold"]

KEPT_SECONDS = 3.0
"""What belongs to a track is forgotten when it has not been seen for this long, which is longer
than any tracker here keeps a number."""


class LiveAnswers:
    """Says what each face of a stream shows. `refine` serves one thread; `calibration` all.

    Attributes:
        calibration: what the faces look like at rest.
    """

    def __init__(self) -> None:
        self.calibration = NeutralCalibration()
        self._smoother = Smoother(SmoothingOptions(box_cutoff=0.0))
        self._seen: dict[int, float] = {}

    def refine(
        self, result: FrameResult, pts: float, smoothing: float, min_confidence: float
    ) -> FrameResult:
        """The result as it is shown.

        Args:
            result: of one frame, with each face's own probabilities.
            pts: the frame's time, seconds.
            smoothing: time constant of the probabilities, seconds; 0 for none.
            min_confidence: labels under it read `uncertain`.
        """
        if smoothing != self._smoother.options.seconds:
            self._smoother.options = replace(self._smoother.options, seconds=smoothing)
        self.calibration.learn(result.faces, pts)
        faces = tuple(self._answer(face, pts, min_confidence) for face in result.faces)
        self._forget(pts)
        return replace(result, faces=faces)

    def reset(self) -> None:
        """All tracks have ended."""
        self._smoother.reset()
        self._seen.clear()

    def _answer(self, face: Face, pts: float, min_confidence: float) -> Face:
        probabilities: Sequence[float] = face.probabilities
        if face.track_id is not None:
            self._seen[face.track_id] = pts
            probabilities = self.calibration.relative(face.track_id, probabilities)
            _, probabilities = self._smoother.update(face.track_id, face.box, probabilities, pts)
        return _labelled(replace(face, probabilities=tuple(probabilities)), min_confidence)

    def _forget(self, pts: float) -> None:
        kept = {track for track, seen in self._seen.items() if pts - seen <= KEPT_SECONDS}
        if len(kept) < len(self._seen):
            self._seen = {track: self._seen[track] for track in kept}
            self._smoother.keep(kept)
            self.calibration.keep(kept)


def with_threshold(result: FrameResult, min_confidence: float) -> FrameResult:
    """`result` with the labels that it has under another threshold, 0 to 1."""
    faces = tuple(_labelled(face, min_confidence) for face in result.faces)
    return replace(result, faces=faces)


def _labelled(face: Face, min_confidence: float) -> Face:
    best = max(range(len(CLASSES)), key=face.probabilities.__getitem__)
    sure = face.probabilities[best] >= min_confidence
    return replace(face, label=CLASSES[best] if sure else UNCERTAIN)
