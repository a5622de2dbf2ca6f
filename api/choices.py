"""What a caller may choose, and the results in the form in which they go out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from fer_core.analyzer import AnalyzerOptions
from fer_core.detectors import DETECTORS
from fer_core.emotions import UNCERTAIN, emotion_of
from fer_core.errors import OptionError
from fer_core.model_store import default_model_name, runnable_models
from fer_core.results import Face, FrameResult

__all__ = ["Choice", "result_json"]


@dataclass(frozen=True)
class Choice:
    """How one picture or clip is to be read.

    Attributes:
        detector: one of `fer_core.detectors.DETECTORS`.
        model: name of a folder in `models/`; None for the default one.
        min_confidence: labels under it read `uncertain`, 0 to 1; None for the model's own.
    """

    detector: str = DETECTORS[0]
    model: str | None = None
    min_confidence: float | None = None

    def settled(self) -> Choice:
        """The same with the model's name filled in.

        Raises:
            OptionError: there is no detector or no model of that name. Paths are not names: what
                lies elsewhere on the server is nobody's business.
            ModelError: there is no default model.
        """
        AnalyzerOptions(detector=self.detector, min_confidence=self.min_confidence)
        if self.model is None:
            return replace(self, model=default_model_name())
        known = runnable_models()
        if self.model not in known:
            raise OptionError(
                f"There is no model called {self.model[:80]!r}. "
                f"Models here: {', '.join(known) or 'none'}."
            )
        return self


def result_json(result: FrameResult, choice: Choice, threshold: float) -> dict[str, Any]:
    """What is sent for one picture.

    Args:
        result: what was found; labels in it do not matter.
        choice: what was asked for, settled.
        threshold: labels under it read `uncertain`.
    """
    return {
        "width": result.width,
        "height": result.height,
        "model": choice.model,
        "detector": choice.detector,
        "faces": [_face_json(face, threshold) for face in result.faces],
        "timings_ms": result.timings,
    }


def _face_json(face: Face, threshold: float) -> dict[str, Any]:
    label = face.top if face.confidence >= threshold else UNCERTAIN
    emotion = emotion_of(label)
    data = replace(face, label=label).to_dict()
    del data["track_id"]
    return {**data, "emoji": None if emotion is None else emotion.emoji}
