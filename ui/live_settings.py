"""The choices under the picture. They act at once, without a rerun of the page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from fer_core.errors import FerError, ModelError
from fer_core.live import LiveSession
from fer_core.live_settings import MOST_SMOOTHING, LiveSettings
from fer_core.model_store import default_model_name, runnable_models
from ui.choices import choose_detector, choose_model, choose_threshold

REFUSED_KEY = "live_settings_refused"
"""In session state: whether the form says that its settings could not be applied."""


@dataclass(frozen=True)
class _Switch:
    """A yes or no of `LiveSettings`: its name there, its words, and what they mean."""

    name: str
    words: str
    help: str | None = None


_FRONT = (
    _Switch("mirror", "Mirror"),
    _Switch("bars", "Bars", "A bar for each expression."),
    _Switch(
        "privacy",
        "Privacy",
        "Faces are blurred in the picture and in recordings; labels stay. "
        "A face that the detector does not find is not blurred.",
    ),
)
_MORE = (
    _Switch("boxes", "Box"),
    _Switch("labels", "Label"),
    _Switch("numbers", "Track number", "The same face keeps its number."),
    _Switch("eyes", "Eye points", "Haar finds none."),
    _Switch("hints", "Hints", "Says at a face when it is too dark, small, turned or blurred."),
)


@st.fragment
def settings_form(session: LiveSession) -> None:
    """Widgets for `LiveSettings`; what they say is applied to `session` in the same run.

    A fragment, so that a dragged slider or a quick double click never reruns the page around a
    running stream.
    """
    models = runnable_models()
    detector_column, model_column, threshold_column, switch_column = st.columns(
        [2, 2, 2.4, 1.6], gap="medium", vertical_alignment="top"
    )
    with detector_column:
        detector = choose_detector(
            "live", explained="What finds the faces. BlazeFace suits most cameras."
        )
    with model_column:
        model = choose_model("live", models)
    with threshold_column:
        min_confidence = choose_threshold(
            "live", model, explained="Labels with less confidence than this read uncertain."
        )
        with st.popover("More", icon=":material/tune:", width="content"):
            smoothing = st.slider(
                "Smoothing",
                min_value=0.0,
                max_value=MOST_SMOOTHING,
                value=LiveSettings.smoothing,
                step=0.1,
                format="%.1f s",
                key="live_smoothing",
                help="How long a change takes to come through. 0 shows each frame's own answer.",
            )
            st.caption("In the picture")
            chosen = _switches(_MORE)
    with switch_column:
        chosen |= _switches(_FRONT)
    # A slot of its own: the sentence goes in the same moment as its cause.
    message = st.empty()
    try:
        if model is None:
            default_model_name()
            raise ModelError("There is no model folder in models/. Put one there and reload.")
        settings = LiveSettings(
            detector=detector,
            model=model,
            min_confidence=min_confidence,
            smoothing=float(smoothing),
        )
        session.apply(replace(settings, **chosen))
    except FerError as error:
        meanwhile = "What was chosen before stays in use." if session.ready else "No labels so far."
        message.error(f"{error} {meanwhile}")
        st.session_state[REFUSED_KEY] = True
    else:
        st.session_state[REFUSED_KEY] = False


def _switches(switches: tuple[_Switch, ...]) -> dict[str, Any]:
    return {
        switch.name: st.toggle(
            switch.words,
            value=getattr(LiveSettings, switch.name),
            key=f"live_{switch.name}",
            help=switch.help,
        )
        for switch in switches
    }
