"""Which camera, how large and how often: asked of the browser when START is pressed."""

from __future__ import annotations

import streamlit as st

from fer_core.live_settings import FACINGS, FRAME_RATES, WIDTHS, CameraWish

_FACING_WORDS = {
    None: "as SELECT DEVICE says",
    "user": "front",
    "environment": "rear",
}


def camera_form(playing: bool) -> CameraWish:
    """The wish, from widgets that rest while the stream runs: it counts from START on."""
    with st.popover("Camera", icon=":material/videocam:", width="content"):
        if playing:
            st.caption("What is chosen here counts from the next START on.")
        facing = st.segmented_control(
            "Side (on phones)",
            [None, *FACINGS],
            format_func=lambda side: _FACING_WORDS[side],
            default=None,
            required=True,
            key="live_facing",
            disabled=playing,
        )
        width = st.select_slider(
            "Width",
            WIDTHS,
            value=CameraWish.width,
            format_func=lambda pixels: f"{pixels}",
            key="live_width",
            disabled=playing,
            help="Pixels. Small faces need a wide picture; a slow machine needs a narrow one.",
        )
        rate = st.segmented_control(
            "Frames a second",
            FRAME_RATES,
            default=CameraWish.frame_rate,
            required=True,
            key="live_rate",
            disabled=playing,
            help="30 needs a machine with room: when the server cannot encode as fast as the "
            "camera films, the picture lags more and more.",
        )
    return CameraWish(width=width, facing=facing, frame_rate=rate or CameraWish.frame_rate)
