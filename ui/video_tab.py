"""The Video tab: clips in; annotated clips, timelines and tables of their faces out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from fer_core.errors import FerError
from ui.choices import Choice, choices
from ui.video_words import called, plain

if TYPE_CHECKING:
    from fer_core.analyzer import AnalyzerOptions
    from ui.video_job import MakeAnalyzer
    from ui.video_queue import QueuedClip, Workplace
    from ui.video_settings import ClipSettings

ENDINGS = ["mp4", "mov", "avi", "mkv", "webm"]

UPLOADS = "video_uploads"
"""Where the session counts its uploads: the field for them is a new one after each."""
SAID = "video_said"
"""Where it keeps sentences for the next run."""


def render() -> None:
    """Draw the tab. Called in every run of the page, so that an upload is never lost."""
    from ui.video_places import workplace
    from ui.video_rows import rows

    place = workplace()
    _uploads()
    for sentence in st.session_state.pop(SAID, ()):
        st.error(plain(sentence))
    if not place.clips:
        st.caption(notice())
        return
    choice = choices("video", st.columns(3, gap="medium", vertical_alignment="bottom"))
    wanted = _settings()
    _start(place, choice, wanted)
    shown = _shown(place)
    rows(place)
    if shown is not None:
        _result(shown)
    st.caption(notice())


def notice() -> str:
    """What may come, where it goes and when it is deleted."""
    from ui.video_places import AWAY_SECONDS
    from ui.video_queue import MOST_CLIPS

    # Streamlit refuses what is larger; its setting is the only place where the limit stands.
    megabytes = st.get_option("server.maxUploadSize")
    return (
        f"Up to {MOST_CLIPS} clips of at most {megabytes} MB each: MP4, MOV, AVI, MKV or WebM. "
        "They go to the process that serves this page. They are deleted there when you remove "
        f"them, and {AWAY_SECONDS / 60:.0f} minutes after the page was closed; until then a reload "
        "finds them again, by a cookie that only this browser has. A clip's original is deleted "
        "as soon as it is done."
    )


def _uploads() -> None:
    """The field for clips, which is empty again once they are in the list."""
    from ui.video_queue import MOST_CLIPS

    key = f"video_upload_{st.session_state.setdefault(UPLOADS, 0)}"
    missed = st.file_uploader(
        "Clips",
        type=ENDINGS,
        accept_multiple_files=True,
        key=key,
        help=f"Up to {MOST_CLIPS} clips. They are worked on one after the other.",
        # Not in the page's run: that one copies what the field holds.
        on_change=_take,
        args=(key,),
    )
    if missed:  # it came before the field was known, which calls nobody
        _take(key)
        st.rerun()


def _take(key: str) -> None:
    """Move uploads to the list: a session would hold them in memory, a list does not."""
    from ui.video_files import let_go
    from ui.video_places import own_place

    place, said = own_place().workplace, []
    for upload in st.session_state[key] or ():
        try:
            place.add(called(upload.name), upload)
        except FerError as error:
            said.append(str(error))
        let_go(upload.file_id)
    st.session_state[UPLOADS] += 1
    st.session_state[SAID] = said


def _settings() -> ClipSettings | None:
    from ui.video_settings import settings

    return settings("video")


def _start(place: Workplace, choice: Choice | None, wanted: ClipSettings | None) -> None:
    """The button, and whatever was asked for since the last run."""
    from ui.video_rows import RETRY

    ready = [clip for clip in place.clips if clip.state == "ready"]
    able = choice is not None and wanted is not None
    label = f"Annotate {len(ready)} clips" if len(ready) > 1 else "Annotate"
    pressed = st.button(label, type="primary", key="video_start", disabled=not (able and ready))
    again = place.find(st.session_state.pop(RETRY, None))
    asked = [*(ready if pressed else ()), *([again] if again is not None else ())]
    if not asked or choice is None or wanted is None:
        return
    try:
        _ask(place, asked, choice, wanted)
    except FerError as error:
        st.error(plain(str(error)))
        return
    st.rerun()


def _ask(place: Workplace, clips: list[QueuedClip], choice: Choice, wanted: ClipSettings) -> None:
    from ui.video_queue import Order

    for clip in clips:
        order = Order(analyzer_of(choice), wanted.options(clip.name), wanted.in_words())
        place.ask([clip], order)


def analyzer_of(choice: Choice) -> AnalyzerOptions | MakeAnalyzer:
    """How a job's analyser is to be made, in the job's own process.

    Raises:
        ModelError: the model cannot be opened.
    """
    from fer_core.confined.clips import confined_options

    return confined_options(choice.detector, choice.model, choice.min_confidence)


def _shown(place: Workplace) -> QueuedClip | None:
    """The clip whose result was asked for, or else the first one that is done."""
    from ui.video_rows import SHOWN

    done = [clip for clip in place.clips if clip.state == "done"]
    asked = st.session_state.get(SHOWN)
    clip = next((clip for clip in done if clip.id == asked), done[0] if done else None)
    st.session_state[SHOWN] = None if clip is None else clip.id
    return clip


def _result(clip: QueuedClip) -> None:
    from ui.video_result import result
    from ui.video_rows import ASKED

    result(clip, asked=st.session_state.pop(ASKED, None))
