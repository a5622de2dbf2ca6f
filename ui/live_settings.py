"""The choices under the picture. They act at once, without a rerun of the page."""

from __future__ import annotations

import streamlit as st

from fer_core.errors import FerError, ModelError
from fer_core.live import LiveSession, LiveSettings
from fer_core.model_store import default_model_name, list_models, load_card, model_folder

REFUSED_KEY = "live_settings_refused"
"""In session state: whether the form says that its settings could not be applied."""

DETECTOR_WORDS = {
    "blazeface": "BlazeFace (fast)",
    "haar": "Haar (classic)",
    "mediapipe": "MediaPipe",
}


@st.fragment
def settings_form(session: LiveSession) -> None:
    """Widgets for `LiveSettings`; what they say is applied to `session` in the same run.

    A fragment, so that a dragged slider or a quick double click never reruns the page around a
    running stream.
    """
    from fer_core.detectors import DETECTORS

    models = list_models()
    detector_column, model_column, threshold_column, switch_column = st.columns(
        [2, 2, 2.4, 1.6], gap="medium", vertical_alignment="top"
    )
    with detector_column:
        detector = st.selectbox(
            "Face detector",
            list(DETECTORS),
            format_func=lambda name: DETECTOR_WORDS.get(name, name),
            key="live_detector",
            help="What finds the faces. BlazeFace suits most cameras.",
        )
    with model_column:
        model = st.selectbox(
            "Model",
            models,
            index=_default_index(models),
            key="live_model",
            help="The network that reads the expression: one for each folder in models/.",
            placeholder="no model found",
        )
    with threshold_column:
        percent = st.slider(
            "Say *uncertain* below",
            min_value=0,
            max_value=100,
            value=_card_percent(model),
            step=1,
            format="%d %%",
            key=f"live_threshold_{model}",
            help="Labels with less confidence than this read uncertain.",
        )
    with switch_column:
        mirror = st.toggle("Mirror", value=True, key="live_mirror")
        bars = st.toggle("Bars", value=False, key="live_bars", help="A bar for each expression.")
    # A slot of its own: the sentence goes in the same moment as its cause.
    message = st.empty()
    try:
        if model is None:
            default_model_name()
            raise ModelError("There is no model folder in models/. Put one there and reload.")
        session.apply(
            LiveSettings(
                detector=detector,
                model=model,
                mirror=mirror,
                min_confidence=percent / 100,
                bars=bars,
            )
        )
    except FerError as error:
        meanwhile = "What was chosen before stays in use." if session.ready else "No labels so far."
        message.error(f"{error} {meanwhile}")
        st.session_state[REFUSED_KEY] = True
    else:
        st.session_state[REFUSED_KEY] = False


def _default_index(models: list[str]) -> int | None:
    if not models:
        return None
    try:
        return models.index(default_model_name())
    except (FerError, ValueError):
        return 0


def _card_percent(model: str | None) -> int:
    if model is not None:
        try:
            return round(100 * load_card(model_folder(model)).uncertain_below)
        except FerError:
            pass  # said in one sentence when the model is opened
    return 40
