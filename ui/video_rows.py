"""The list of clips: a row for each, with its state in words, its progress and what can be done."""

from __future__ import annotations

import time
from html import escape
from typing import TYPE_CHECKING, Literal

import streamlit as st

from ui.video_settings import clock
from ui.video_words import called, plain, size_words

if TYPE_CHECKING:
    from ui.video_queue import QueuedClip, Workplace

PROGRESS_SECONDS = 0.5
MOST_UNROLLED = 5
"""Longer lists scroll in themselves, or a result would lie far below its clip."""
LIST_HEIGHT = 400
SHOWN = "video_shown"
"""Where the session keeps the id of the clip whose result is on the page."""
ASKED = "video_asked"
"""Where it keeps, for one run, when the viewer asked for a result: each time is told apart."""
RETRY = "video_retry"
"""Where it keeps the id of a clip that is to be tried again."""

STYLE = """
.fer-clip {display:flex; flex-wrap:wrap; gap:.1rem .8rem; align-items:baseline}
.fer-clip b {font-weight:600; overflow-wrap:anywhere}
.fer-clip span {opacity:.75; font-size:.88rem}
"""

Signature = tuple[tuple[str, str], ...]


def rows(place: Workplace) -> None:
    """Draw the list; while something is at work it draws itself again, without the page."""
    drawn = signature(place)
    st.html(f"<style>{STYLE}</style>")
    if any(clip.active for clip in place.clips):
        _refreshed(place, drawn)
    else:
        _draw(place)


def signature(place: Workplace) -> Signature:
    """What the rest of the page depends on."""
    return tuple((clip.id, clip.state) for clip in place.clips)


@st.fragment(run_every=PROGRESS_SECONDS)
def _refreshed(place: Workplace, drawn: Signature) -> None:
    if signature(place) != drawn:
        st.rerun()
    _draw(place)


def _draw(place: Workplace) -> None:
    before = 0
    height: int | Literal["content"] = "content"
    if len(place.clips) > MOST_UNROLLED:
        height = LIST_HEIGHT
    with st.container(height=height, border=False, gap="small", key="video_list"):
        for clip in place.clips:
            with st.container(border=True, key=f"video_row_{clip.id}", gap="small"):
                _row(place, clip, before)
            before += clip.active


def _row(place: Workplace, clip: QueuedClip, before: int) -> None:
    # Asked once: a job that ends in this very moment must not get the buttons of two states.
    state = clip.state
    left, right = st.columns([3, 1.25], vertical_alignment="center")
    with left:
        facts = [size_words(clip.size)]
        if clip.order is not None and clip.order.words:
            facts.append(clip.order.words)
        st.html(
            f'<div class="fer-clip" data-state="{state}"><b>{escape(called(clip.name))}</b>'
            f"<span>{escape(' · '.join(facts))}</span><span>{_words(clip, state, before)}</span>"
            "</div>"
        )
        if state == "failed":
            st.error(plain(_error(clip)))
    if state in ("queued", "waiting", "running"):
        _progress(clip, state)
    with right, st.container(horizontal=True, gap="small", horizontal_alignment="right"):
        _buttons(place, clip, state)


def _progress(clip: QueuedClip, state: str) -> None:
    job = clip.job
    progress = None if job is None else job.progress
    if state == "running" and progress is not None:
        left = progress.seconds_left
        remains = "" if left is None else f", {clock(round(left))} left"
        st.progress(
            min(1.0, max(0.0, progress.fraction)),
            f"{progress.fraction:.0%}{remains} · {progress.frames:,} frames, "
            f"{progress.frames / max(progress.elapsed, 1e-3):.0f} a second",
        )
    elif state == "running":
        st.progress(0.0, "Opening the clip …")


def _buttons(place: Workplace, clip: QueuedClip, state: str) -> None:
    about = plain(called(clip.name))
    if state in ("queued", "waiting", "running"):
        st.button(
            "Cancel",
            key=f"video_cancel_{clip.id}",
            on_click=_cancel,
            args=(place, clip),
            help=f"Stop {about}; nothing of its result is kept.",
        )
        return
    if state == "done":
        shown = st.session_state.get(SHOWN) == clip.id
        if st.button(
            "Show",
            key=f"video_show_{clip.id}",
            type="primary" if shown else "secondary",
            help=f"Show what was found in {about}.",
        ):
            st.session_state[SHOWN], st.session_state[ASKED] = clip.id, time.monotonic_ns()
            st.rerun()
    if state in ("cancelled", "failed") and st.button(
        "Retry", key=f"video_retry_{clip.id}", help=f"{about} again, with the settings above."
    ):
        st.session_state[RETRY] = clip.id
        st.rerun()
    st.button(
        "Remove",
        key=f"video_remove_{clip.id}",
        on_click=place.remove,
        args=(clip,),
        help=f"Delete {about} and everything made of it.",
    )


def _cancel(place: Workplace, clip: QueuedClip) -> None:
    place.cancel(clip)
    if clip.job is not None:
        clip.job.wait(2.0)


def _words(clip: QueuedClip, state: str, before: int) -> str:
    if state == "queued":
        return f"In line, {before} before it" if before else "Next in line"
    if state == "cancelled":
        return "Cancelled. Nothing was kept of the result."
    if state == "done":
        report = None if clip.job is None else clip.job.report
        return "Done" if report is None else f"Done in {clock(report.elapsed)}"
    return {
        "ready": "Ready",
        "waiting": "Waiting for another viewer's clip to be finished …",
        "running": "At work",
        "failed": "Failed",
    }[state]


def _error(clip: QueuedClip) -> str:
    job = clip.job
    return clip.error or (job and job.error) or "The clip could not be annotated."
