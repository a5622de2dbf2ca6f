"""Which camera, how large and how often: asked of the browser when START is pressed."""

from __future__ import annotations

import streamlit as st

from fer_core.live_settings import FACINGS, FRAME_RATES, WIDTHS, CameraWish

_FACING_WORDS = {
    None: "any",
    "user": "front",
    "environment": "rear",
}
_FACING_KEY, _WIDTH_KEY, _RATE_KEY = "live_facing", "live_width", "live_rate"


def camera_wish() -> CameraWish:
    """What the form says, whether or not it has been drawn in this run."""
    state = st.session_state
    return CameraWish(
        width=state.get(_WIDTH_KEY) or CameraWish.width,
        facing=state.get(_FACING_KEY),
        frame_rate=state.get(_RATE_KEY) or CameraWish.frame_rate,
    )


def camera_form(playing: bool) -> None:
    """Widgets for `camera_wish`, which rest while the stream runs: it counts from START on."""
    with st.popover("Camera", icon=":material/videocam:", width="content"):
        if playing:
            st.caption("Counts from START on: press STOP to change it.")
        st.segmented_control(
            "Side (on phones)",
            [None, *FACINGS],
            format_func=lambda side: _FACING_WORDS[side],
            default=None,
            required=True,
            key=_FACING_KEY,
            disabled=playing,
            help="Any: the camera that SELECT DEVICE names, or else the browser's choice.",
        )
        st.select_slider(
            "Width of the picture",
            WIDTHS,
            value=CameraWish.width,
            format_func=lambda pixels: f"{pixels} px",
            key=_WIDTH_KEY,
            disabled=playing,
            help="Small faces need a wide picture; a slow machine needs a narrow one.",
        )
        st.segmented_control(
            "Frames a second",
            FRAME_RATES,
            default=CameraWish.frame_rate,
            required=True,
            key=_RATE_KEY,
            disabled=playing,
            help="30 needs a machine with room: when the server cannot encode as fast as the "
            "camera films, the picture lags more and more.",
        )
