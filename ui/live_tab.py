"""The Live tab: the camera's picture with labels, and what is seen in figures beside it."""

from __future__ import annotations

import time
from typing import Any

import streamlit as st
from streamlit_webrtc import WebRtcMode, webrtc_streamer

from fer_core.errors import FerError
from fer_core.live import LiveSession
from ui import resources
from ui.camera_hint import camera_hint
from ui.connection import rtc_configuration
from ui.live_panel import panel_html
from ui.live_settings import REFUSED_KEY, settings_form

STREAM_KEY = "live_stream"
SESSION_KEY = "live_session"
_SINCE_KEY = "live_waiting_since"

PANEL_SECONDS = 0.5
SLOW_CONNECTION_SECONDS = 8.0

# More than 15 frames a second may outrun the server's encoder on a small machine; frames then
# queue up without bound and the picture lags further and further behind.
CAMERA: dict[str, Any] = {
    "video": {
        "width": {"ideal": 640},
        "height": {"ideal": 480},
        "frameRate": {"ideal": 15, "max": 15},
    },
    "audio": False,
}

NOTICE = (
    "When you press START, your camera's pictures go to the process that serves this page "
    "and come back with labels. Nothing is stored."
)

CONNECTION_HELP = """
- **The browser asks for the camera**: allow it. If it was refused before, use the camera sign in
  the address bar.
- **Another program uses the camera**: close it, or take another camera with SELECT DEVICE.
- **The page is not on this computer**: it must be opened with `https://`, and the server may need a
  TURN server: set `FER_LIVE_TURN_URL`, `FER_LIVE_TURN_USER` and `FER_LIVE_TURN_PASSWORD` (or
  `FER_LIVE_STUN`) where it is started.
- **A firewall or VPN** may block the UDP packets that carry the picture.
"""


def render() -> None:
    """Draw the tab. Called in every run of the page, so that the stream is never taken for lost."""
    session = _session()
    picture, beside = st.columns([3, 2], gap="medium")
    with st.container():
        settings_form(session)  # first, so that the models are loaded before START is there
    with picture:
        notice = st.container()
        playing, waiting = _stream(session)
        camera_hint()
        if not playing:
            with st.expander("The picture does not come up?"):
                st.markdown(CONNECTION_HELP)
    if not playing and not waiting:
        with notice:
            st.markdown(NOTICE)
    with beside:
        _panel(session, playing, waiting)


def _session() -> LiveSession:
    if SESSION_KEY not in st.session_state:
        st.session_state[SESSION_KEY] = LiveSession(make_analyzer=resources.live_analyzer)
    session: LiveSession = st.session_state[SESSION_KEY]
    return session


def _stream(session: LiveSession) -> tuple[bool, bool]:
    """The picture with START and STOP; returns whether it plays, and whether it is on its way."""
    try:
        connection = rtc_configuration()
    except FerError as error:
        st.error(f"{error} Until then the page connects without it.")
        connection = {"iceServers": []}
    if STREAM_KEY in st.session_state:
        # Quick reruns (a double click) skip this line's run count, and the library then drops a
        # stream that is alive. On a page of its own the stream cannot be lost that way.
        st.session_state[STREAM_KEY]._last_rendered_run_count = None
    stream = webrtc_streamer(
        key=STREAM_KEY,
        mode=WebRtcMode.SENDRECV,
        rtc_configuration=connection,
        media_stream_constraints=CAMERA,
        video_frame_callback=session.callback,
        on_video_ended=session.release,
        sendback_audio=False,
        async_processing=True,
        media_toggle_controls=False,
        video_html_attrs={
            "autoPlay": True,
            "controls": False,
            "muted": True,
            "style": {"width": "100%", "borderRadius": "0.6rem"},
        },
    )
    playing, waiting = stream.state.playing, stream.state.signalling
    was_idle = st.session_state.get(_SINCE_KEY) is None
    if not (playing or waiting):
        st.session_state[_SINCE_KEY] = None
    elif was_idle:
        st.session_state[_SINCE_KEY] = time.monotonic()
        resources.settle()  # what other tabs have loaded since
    return playing, waiting


def _panel(session: LiveSession, playing: bool, waiting: bool) -> None:
    # A fragment's interval is part of its definition, hence a new one for each state.
    @st.fragment(run_every=PANEL_SECONDS if playing or waiting else None)
    def panel() -> None:
        snapshot = session.snapshot()
        st.html(panel_html(snapshot, playing))
        slow, fault = st.empty(), st.empty()
        sentence = snapshot.error
        if playing or waiting:
            sentence = _mend(session) or sentence
            since = st.session_state.get(_SINCE_KEY)
            waited = 0.0 if since is None else time.monotonic() - since
            silent = snapshot.idle_seconds is None or snapshot.idle_seconds > waited
            if silent and waited > SLOW_CONNECTION_SECONDS:
                slow.warning(
                    "No picture has come back yet. *The picture does not come up?*, under the "
                    "picture, says what to check."
                )
        if sentence:
            fault.error(sentence)

    panel()


def _mend(session: LiveSession) -> str | None:
    """Give the stream an analyzer when it has none or a broken one; returns why that failed."""
    if st.session_state.get(REFUSED_KEY):
        return None
    try:
        session.apply(session.settings)
    except FerError as error:
        return str(error)
    return None
