"""Detector, model and threshold: the choices that the tabs offer, laid out once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from fer_core.errors import FerError
from fer_core.model_store import default_model_name, load_card, model_folder, runnable_models

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

DETECTOR_WORDS = {
    "blazeface": "BlazeFace (fast)",
    "haar": "Haar (classic)",
    "mediapipe": "MediaPipe",
}
USUAL_PERCENT = 40
"""The threshold shown when a card cannot be read; opening the model says what is wrong with it."""


@dataclass(frozen=True)
class Choice:
    """What the viewer has chosen.

    Attributes:
        detector: one of `fer_core.detectors.DETECTORS`.
        model: name of a model folder.
        min_confidence: labels under it read `uncertain`, 0 to 1.
    """

    detector: str
    model: str
    min_confidence: float


def choices(
    prefix: str, columns: Sequence[DeltaGenerator], *, disabled: bool = False
) -> Choice | None:
    """Draw the three controls; None, and a sentence, when there is no model.

    Args:
        prefix: what the keys of the controls begin with, one for each tab.
        columns: where each of them goes.
        disabled: whether they are shown but cannot be changed now.
    """
    models = runnable_models()
    if not models:
        st.error("There is no model folder in models/. Put one there and reload the page.")
        return None
    detector_column, model_column, threshold_column = columns
    with detector_column:
        detector = choose_detector(prefix, disabled=disabled)
    with model_column:
        model = choose_model(prefix, models, disabled=disabled)
    assert model is not None
    with threshold_column:
        min_confidence = choose_threshold(prefix, model, disabled=disabled)
    return Choice(detector, model, min_confidence)


def choose_detector(prefix: str, *, disabled: bool = False, explained: str | None = None) -> str:
    """The detector; `explained` is the help beside it."""
    from fer_core.detectors import DETECTORS

    return st.selectbox(
        "Face detector",
        list(DETECTORS),
        format_func=detector_words,
        key=f"{prefix}_detector",
        disabled=disabled,
        help=explained,
    )


def choose_model(prefix: str, models: list[str], *, disabled: bool = False) -> str | None:
    """The model, the default one first; None when there is none to choose."""
    return st.selectbox(
        "Model",
        models,
        index=_default_index(models),
        key=f"{prefix}_model",
        disabled=disabled,
        help=models_in_words(models),
        placeholder="no model found",
    )


def choose_threshold(
    prefix: str, model: str | None, *, disabled: bool = False, explained: str | None = None
) -> float:
    """The confidence, 0 to 1, under which labels read `uncertain`; at first what the card gives."""
    percent = st.slider(
        "Say *uncertain* below",
        0,
        100,
        USUAL_PERCENT if model is None else card_percent(model),
        format="%d %%",
        key=f"{prefix}_threshold_{model}",
        disabled=disabled,
        help=explained,
    )
    return percent / 100


def detector_words(detector: str) -> str:
    """The detector's name for people."""
    return DETECTOR_WORDS.get(detector, detector)


def models_in_words(models: list[str]) -> str:
    """What tells the models apart: a line each, from its card, as Markdown."""
    lines = ["The network that reads the expression: one for each folder in models/."]
    for name in models:
        try:
            card = load_card(model_folder(name))
        except FerError:
            continue
        right = card.figures.get("PrivateTest", {}).get("accuracy")
        if right is not None and card.multiply_adds:
            lines.append(
                f"- **{name}**: {100 * right:.1f} % right on FER2013's PrivateTest, "
                f"{card.multiply_adds / 1e6:.0f} million multiply-adds a face"
            )
    if len(lines) > 1:
        lines.append("\nFewer multiply-adds are quicker.")
    return "\n".join(lines)


def card_percent(model: str) -> int:
    """The threshold that the model's own card gives, per cent."""
    try:
        return round(100 * load_card(model_folder(model)).uncertain_below)
    except FerError:
        return USUAL_PERCENT


def _default_index(models: list[str]) -> int | None:
    if not models:
        return None
    try:
        return models.index(default_model_name())
    except (FerError, ValueError):
        return 0
