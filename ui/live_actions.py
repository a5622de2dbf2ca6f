"""What a viewer does with a running stream: pause, mark, record, hold a neutral face."""

from __future__ import annotations

import time
from pathlib import Path

import streamlit as st

from fer_core.errors import FerError
from fer_core.live import LiveSession
from ui.file_links import file_links
from ui.live_keys import END_KEY, GO_ON_KEY, MARK_KEY, PAUSE_KEY, RECORD_KEY
from ui.live_recordings import Recording, Shelf, actual_size, kept_folder, shelf
from ui.video_places import own_place
from ui.viewer_files import Offer

DRAWN_KEY = "live_actions_drawn"
"""In session state: what the row of buttons showed when it was drawn last."""
TWICE_SECONDS = 0.5
"""Marks closer than that are one: when a fragment's timer fires in the moment of a click, the page
sends the click with both, and Streamlit answers it twice."""
_NOTE_KEY = "live_note"
_MARKED_KEY = "live_marked_at"
_NEUTRAL_KEY = "live_neutral"
_SAID_KEY = "live_recordings_said"

_KINDS = {
    "clip.mp4": ("Clip", "video/mp4"),
    "faces.csv": ("CSV", "text/csv"),
    "faces.parquet": ("Parquet", "application/vnd.apache.parquet"),
    "frames.jsonl": ("JSON lines", "application/jsonl"),
}


def actions_state(session: LiveSession, place: Shelf) -> tuple[bool, bool]:
    """What decides how the buttons look: whether it is paused, and whether it records."""
    return session.paused, place.active


@st.fragment
def actions(session: LiveSession, playing: bool) -> None:
    """The row of buttons under the picture, and the recordings of this session."""
    place = shelf()
    if not playing or (place.recorder is not None and not place.active):
        session.record(None)
        if place.recorder is not None:
            with st.spinner("Finishing the recording …"):
                place.stop()
    if playing:
        _buttons(session, place)
    st.session_state[DRAWN_KEY] = actions_state(session, place)
    _recordings(place)


def _buttons(session: LiveSession, place: Shelf) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall"):
        paused, active = session.paused, place.active
        # Two buttons each, not one that changes: a click that comes twice, or late, means what it
        # said.
        st.button(
            "Go on" if paused else "Pause",
            icon=":material/play_arrow:" if paused else ":material/pause:",
            key=GO_ON_KEY if paused else PAUSE_KEY,
            on_click=session.pause,
            args=(not paused,),
            help="The picture stands still and nothing is analysed; the connection stays.",
        )
        st.button(
            "End" if active else "Record",
            icon=":material/stop_circle:" if active else ":material/fiber_manual_record:",
            type="primary" if active else "secondary",
            key=END_KEY if active else RECORD_KEY,
            on_click=_end if active else _record,
            args=(session, place),
            help="The picture as shown, and a row for every face and frame.",
        )
        st.button(
            "Mark",
            icon=":material/flag:",
            key=MARK_KEY,
            shortcut="M",
            on_click=_mark,
            args=(session,),
            help="Puts a line on the timeline and into the recording.",
        )
        with st.popover("Note", icon=":material/edit_note:"):
            st.text_input(
                "Note for the next mark", key=_NOTE_KEY, max_chars=200, placeholder="optional"
            )
        with st.popover(
            "Neutral face",
            icon=":material/sentiment_neutral:",
            key=_NEUTRAL_KEY,
            on_change="rerun",  # without it the server could not close it
        ):
            _neutral(session)


def _mark(session: LiveSession) -> None:
    now = time.monotonic()
    if now - st.session_state.get(_MARKED_KEY, -TWICE_SECONDS) < TWICE_SECONDS:
        return
    st.session_state[_MARKED_KEY] = now
    session.mark(st.session_state.get(_NOTE_KEY) or "")
    st.session_state[_NOTE_KEY] = ""


def _record(session: LiveSession, place: Shelf) -> None:
    if place.active:
        return
    try:
        session.record(place.start())
    except FerError as error:
        st.session_state[_SAID_KEY] = f"Nothing is recorded. {error}"


def _end(session: LiveSession, place: Shelf) -> None:
    session.record(None)
    place.stop()


def _keep(place: Shelf, recording: Recording) -> None:
    if recording not in place.recordings:
        return  # the click came twice, and the first one kept it
    try:
        st.session_state[_SAID_KEY] = f"Kept in {place.keep(recording)}."
    except FerError as error:
        st.session_state[_SAID_KEY] = str(error)


def _neutral(session: LiveSession) -> None:
    st.markdown(
        "Hold a neutral face for three seconds. Later answers are then relative to it, "
        "for every face in the picture, until it leaves."
    )
    with st.container(horizontal=True):
        st.button("Hold it now", key="live_hold", on_click=_hold, args=(session,))
        st.button("Forget", key="live_forget", on_click=_forget, args=(session,))
    st.caption(
        "It moves the point of rest, no more. An expression close to someone's rest then takes "
        "more to be told."
    )


def _hold(session: LiveSession) -> None:
    session.calibration.start()
    # On a phone it would lie over the panel that counts the three seconds.
    st.session_state[_NEUTRAL_KEY] = False


def _forget(session: LiveSession) -> None:
    session.calibration.reset()
    st.session_state[_NEUTRAL_KEY] = False


def _recordings(place: Shelf) -> None:
    said = st.session_state.pop(_SAID_KEY, None)
    if said:
        (st.success if said.startswith("Kept") else st.error)(said)
    if not place.recordings:
        return
    with st.expander(f"Recordings ({len(place.recordings)})", expanded=True):
        where = kept_folder()
        st.caption(
            "They are deleted soon after you close or reload the page. Download what you want."
            if where is None
            else "They are deleted soon after you close or reload the page, unless you keep them "
            f"in {where}."
        )
        for recording in list(place.recordings):
            _one(place, recording, where is not None)


def _one(place: Shelf, recording: Recording, may_keep: bool) -> None:
    status, name = recording.status, recording.name
    minutes, seconds = divmod(round(status.seconds), 60)
    words = f"**{name}** · {minutes}:{seconds:02} · {status.frames} frames · "
    words += f"{actual_size(recording) / 1e6:.1f} MB"
    if status.dropped:
        words += f" · {status.dropped} pictures left out of the clip"
    st.markdown(words)
    if status.sentence:
        st.warning(status.sentence)
    with st.container(horizontal=True, gap="small"):
        file_links({_KINDS[file.name][0]: _address(name, file) for file in recording.files})
        if may_keep:
            st.button(
                "Keep",
                key=f"live_keep_{name}",
                icon=":material/save:",
                on_click=_keep,
                args=(place, recording),
            )
        st.button(
            "Delete",
            key=f"live_delete_{name}",
            icon=":material/delete:",
            on_click=place.delete,
            args=(recording,),
        )


def _address(recording: str, file: Path) -> str:
    return own_place().files.address(Offer(file, f"{recording}-{file.name}", _KINDS[file.name][1]))
