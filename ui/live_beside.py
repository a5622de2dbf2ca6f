"""The column beside the picture: figures, timeline, and what they ask of the page."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic as _now

import streamlit as st

from fer_core.errors import FerError
from fer_core.live import LiveSession
from fer_core.live_metrics import LiveSnapshot
from fer_core.live_timeline import SPANS, TimelineView
from ui.connection_state import ConnectionState, connection_state
from ui.live_actions import DRAWN_KEY, actions_state
from ui.live_feed import PanelNow, live_feed
from ui.live_panel import panel_html
from ui.live_recordings import Shelf, shelf
from ui.live_settings import REFUSED_KEY
from ui.live_timeline import POINTS, timeline_html
from ui.live_view import live_view

_SPAN_KEY = "live_span"
_FACE_KEY = "live_face"
MEND_SECONDS = 2.0
"""From one attempt to mend a broken stream to the next."""

ADVICE = {
    "slow": (
        "*The picture does not come up?*, under the picture, says what to check (permission, "
        "HTTPS, TURN), and offers snapshots, which need no video connection."
    ),
    "unfed": (
        "Browser and server are connected, but the camera sends nothing. Press STOP, see that it "
        "is switched on and that no other program uses it, and press START again."
    ),
    "stalled": (
        "If the camera was unplugged or the network was cut, press STOP, put it right, and press "
        "START again."
    ),
}


@dataclass(frozen=True)
class Beside:
    """What the column is about; every method may be called from any thread.

    Attributes:
        session: the stream.
        place: its recordings.
        playing, waiting: as `connection_state` has them.
        since: when START was pressed, on the monotonic clock; None before.
        span: seconds that the timeline shows.
        face: the track that it shows; None for the mean of all.
    """

    session: LiveSession
    place: Shelf
    playing: bool
    waiting: bool
    since: float | None
    span: int
    face: int | None

    @property
    def on(self) -> bool:
        """Whether anything changes by itself."""
        return self.playing or self.waiting

    def state(self, snapshot: LiveSnapshot) -> ConnectionState:
        """Of the connection."""
        if self.playing and not self.session.ready:
            # Frames go back as they came, and nobody counts them.
            return ConnectionState("waiting", "Connected, without labels so far.")
        waited = 0.0 if self.since is None else _now() - self.since
        idle, paused = snapshot.idle_seconds, self.session.paused
        return connection_state(self.playing, self.waiting, waited, idle, paused)

    def tracks(self, view: TimelineView) -> list[int]:
        """Faces to choose from: those in the timeline, and the chosen one."""
        tracks = [lane.track for lane in view.lanes]
        if self.face is not None and self.face not in tracks:
            tracks.append(self.face)
        return tracks

    def look(self) -> tuple[LiveSnapshot, TimelineView]:
        """Figures and timeline of this moment."""
        return self.session.snapshot(), self.session.timeline(self.span, POINTS, self.face)

    def now(self) -> PanelNow:
        """What there is to be shown."""
        return self.drawn(*self.look())

    def drawn(self, snapshot: LiveSnapshot, view: TimelineView) -> PanelNow:
        """What there is to be shown of one `look`."""
        session, state = self.session, self.state(snapshot)
        recorder = self.place.recorder
        panel = panel_html(
            snapshot,
            self.playing,
            None if recorder is None else recorder.status(),
            session.calibration.state(),
            session.allowed_rate,
            state,
        )
        return PanelNow(panel, timeline_html(view), self._around(snapshot, state, view))

    def _around(self, snapshot: LiveSnapshot, state: ConnectionState, view: TimelineView) -> str:
        tracks = self.tracks(view)
        mending = int(_now() / MEND_SECONDS) if self.session.needs_mending else None
        return repr(
            (
                state.name if state.needs_help else "",
                snapshot.error,
                tracks if len(tracks) > 1 else [],
                actions_state(self.session, self.place),
                mending,
            )
        )


@st.fragment
def beside(session: LiveSession, playing: bool, waiting: bool, since: float | None) -> None:
    """Draw the column.

    Args:
        session: the stream.
        playing, waiting: as `ui.connection_state` has them.
        since: when START was pressed, on the monotonic clock; None before.
    """
    span = st.session_state.get(_SPAN_KEY) or SPANS[0]
    face = st.session_state.get(_FACE_KEY) or None
    column = Beside(session, shelf(), playing, waiting, since, span, face)
    snapshot, view = column.look()
    sentence = snapshot.error
    if column.on:
        sentence = _mend(session) or sentence
        state = column.state(snapshot)
        if state.needs_help:
            # Above the figures, or a phone does not show it. What lies under the picture while
            # browser and server look for a way is not there any more once they have found it.
            unfed = playing and state.name == "slow"
            st.warning(ADVICE["unfed" if unfed else state.name])
    if sentence:
        st.error(sentence)
    feed = live_feed()
    feed.show(column.now if column.on else None)
    live_view(column.drawn(snapshot, view), feed.address if column.on else None)
    _choices(column.tracks(view))
    if playing and st.session_state.get(DRAWN_KEY) != actions_state(session, column.place):
        st.rerun(scope="app")  # the recording has ended by itself: the buttons must follow


def _choices(tracks: list[int]) -> None:
    with st.container(horizontal=True, gap="small"):
        st.segmented_control(
            "Span",
            SPANS,
            default=SPANS[0],
            required=True,
            format_func=lambda seconds: f"{seconds // 60} min",
            key=_SPAN_KEY,
            label_visibility="collapsed",
        )
        if len(tracks) > 1:
            st.selectbox(
                "Face",
                [0, *tracks],
                format_func=lambda track: f"face #{track}" if track else "all faces",
                key=_FACE_KEY,
                label_visibility="collapsed",
                width=140,
            )


def _mend(session: LiveSession) -> str | None:
    """Give the stream an analyzer when it has none or a broken one; returns why that failed."""
    if st.session_state.get(REFUSED_KEY):
        return None
    try:
        session.apply(session.settings)
    except FerError as error:
        return str(error)
    return None
