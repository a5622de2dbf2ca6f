"""The Live tab: the camera's picture with labels, and what is seen in figures beside it."""

from __future__ import annotations

import time
from functools import partial

import streamlit as st
from streamlit_webrtc import WebRtcMode, webrtc_streamer

from fer_core.errors import FerError
from fer_core.governor import process_governor
from fer_core.live import LiveSession
from fer_core.live_newest import NewestOnly
from fer_core.live_settings import CameraWish
from ui import resources
from ui.camera_hint import camera_hint
from ui.connection import rtc_configuration
from ui.connection_state import lost_words
from ui.freed_memory import return_memory_soon
from ui.live_actions import actions
from ui.live_beside import beside
from ui.live_camera import camera_form, camera_wish
from ui.live_guard import guard_stream, noting
from ui.live_keys import mark_anywhere
from ui.live_notice import BEFORE_START, deployer_notice
from ui.live_recordings import Shelf, shelf
from ui.live_settings import settings_form
from ui.live_snapshot import snapshots
from ui.while_here import while_here

STREAM_KEY = "live_stream"
SESSION_KEY = "live_session"
_SINCE_KEY = "live_waiting_since"
_LOST_KEY = "live_lost"
_NEWEST_KEY = "live_newest"

STREAMING_SECONDS = 5.0
"""A stream whose last frame is older has ended, or will be told so."""

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
    told = deployer_notice()
    if told is not None:
        st.info(told, icon=":material/info:")
    picture, column = st.columns([3, 2], gap="medium")
    lower = st.container()
    with lower:
        settings_form(session)  # first, so that the models are loaded before START is there
    with picture:
        notice, stage, camera = st.container(), st.container(), st.container()
        with stage:
            playing, waiting = _stream(session, camera_wish())
            camera_hint()
            mark_anywhere()
        # Beside START while it can be changed, out of the way while it cannot.
        with lower if playing or waiting else camera:
            camera_form(playing or waiting)
        actions(session, playing)
        if not playing:
            _help(session)
    if not playing and not waiting:
        with notice:
            st.markdown(BEFORE_START)
            if lost := st.session_state.get(_LOST_KEY):
                st.warning(lost)
    with column:
        beside(session, playing, waiting, st.session_state.get(_SINCE_KEY))


def _help(session: LiveSession) -> None:
    with st.expander("The picture does not come up?"):
        st.markdown(CONNECTION_HELP)
        instead = st.toggle(
            "Snapshots instead",
            key="live_snapshots",
            help="Single pictures need no video connection. The browser must allow the camera.",
        )
    if instead:
        snapshots(session)


def _session() -> LiveSession:
    if SESSION_KEY not in st.session_state:
        return_memory_soon()  # Streamlit lets sessions of pages that went go when another comes
        st.session_state[SESSION_KEY] = LiveSession(
            make_analyzer=resources.live_analyzer, governor=process_governor()
        )
    session: LiveSession = st.session_state[SESSION_KEY]
    while_here(session, partial(_away, session))
    return session


def _away(session: LiveSession) -> None:
    """The page is gone: no detector waits for it, unless its stream goes on without it."""
    idle = session.snapshot().idle_seconds
    if not session.streaming or idle is None or idle > STREAMING_SECONDS:
        session.release()
        return_memory_soon()


def _newest(session: LiveSession) -> NewestOnly:
    if _NEWEST_KEY not in st.session_state:
        st.session_state[_NEWEST_KEY] = NewestOnly(session.callback)
    newest: NewestOnly = st.session_state[_NEWEST_KEY]
    return newest


def _stream(session: LiveSession, wish: CameraWish) -> tuple[bool, bool]:
    """The picture with START and STOP; returns whether it plays, and whether it is on its way."""
    try:
        connection = rtc_configuration()
    except FerError as error:
        st.error(f"{error} Until then the page connects without it.")
        connection = {"iceServers": []}
    if guard_stream(STREAM_KEY):
        st.session_state[_SINCE_KEY] = None
    stream = webrtc_streamer(
        key=STREAM_KEY,
        mode=WebRtcMode.SENDRECV,
        rtc_configuration=connection,
        media_stream_constraints=wish.constraints(),
        queued_video_frames_callback=_newest(session),
        on_change=noting(STREAM_KEY),
        on_video_ended=partial(_ended, session, shelf()),
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
    since = st.session_state.get(_SINCE_KEY)
    if not (playing or waiting):
        if since is not None:
            idle = session.snapshot().idle_seconds
            came = idle is not None and idle < time.monotonic() - since
            st.session_state[_LOST_KEY] = lost_words(idle if came else None)
        st.session_state[_SINCE_KEY] = None
    elif since is None:
        st.session_state[_SINCE_KEY] = time.monotonic()
        st.session_state[_LOST_KEY] = None
        resources.settle()  # what other tabs have loaded since
    return playing, waiting


def _ended(session: LiveSession, place: Shelf) -> None:
    """The stream is over, whoever ended it. Called on the server's event loop: quick."""
    session.release()
    place.finish()
    return_memory_soon()
