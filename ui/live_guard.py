"""Two faults of streamlit-webrtc 0.79 that end or hang a stream, put right before each call of it.

Both come of script runs that Streamlit skips or breaks off when clicks follow quickly. They touch
the library's private parts, so everything here is quiet when a later version has others;
`tests/browser/test_live_stream.py` says then whether it is still needed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import streamlit as st

_OFFER_KEY = "live_offer"
_ASKING_KEY = "live_asking"
"""Whether, when last looked at, browser and server were on their way to a stream."""


def guard_stream(key: str) -> bool:
    """Call right before `webrtc_streamer(key=key, on_change=noting(key))`.

    Returns:
        Whether the browser has begun anew after a stream that the server took to go on.
    """
    context = st.session_state.get(key)
    if context is None:
        return False
    # Quick reruns (a double click) skip this line's run count, and the library then drops a stream
    # that is alive. On a page of its own the stream cannot be lost that way.
    context._last_rendered_run_count = None
    offer = _offer(key)
    fresh = offer is not None and offer != st.session_state.get(_OFFER_KEY)
    # A second offer on the way to a stream (a double click on START) is none to act upon.
    anew = fresh and not st.session_state.get(_ASKING_KEY)
    st.session_state[_OFFER_KEY] = offer
    st.session_state[_ASKING_KEY] = context.state.signalling
    return anew and _forget_ended(context)


def noting(key: str) -> Callable[[], None]:
    """Sees a STOP even if the run of the page that it causes is broken off at once."""

    def note() -> None:
        context = st.session_state.get(key)
        if context is not None and not context.state.signalling:
            st.session_state[_ASKING_KEY] = False

    return note


def _forget_ended(context: Any) -> bool:
    """Let go of the stream before this one; whether there was one.

    STOP and START within one run of the page: the run for STOP was broken off before the library
    came to end its stream. It would take that for the new one and answer with the old answer.
    """
    with contextlib.suppress(AttributeError):
        worker = context._get_worker()
        if worker is None and not context._sdp_answer_json:
            return False
        if worker is not None:
            worker.stop()
        context._set_worker(None)
        context._sdp_answer_json = None
        context._is_sdp_answer_sent = False
        return True
    return False


def _offer(key: str) -> str | None:
    """What the browser offers to begin a stream with; another one for each START."""
    with contextlib.suppress(ImportError, AttributeError, KeyError, TypeError):
        from streamlit_webrtc.component import generate_frontend_component_key

        value = st.session_state[generate_frontend_component_key(key)]
        return str(value["sdpOffer"]["sdp"])
    return None
