"""What was found in one clip: the clip beside its timeline, people, shares, downloads."""

from __future__ import annotations

import base64
import io
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from ui.file_links import file_links, whole_address
from ui.video_places import own_place
from ui.video_words import called, plain, stem
from ui.viewer_files import Offer

if TYPE_CHECKING:
    from pandas import DataFrame

    from fer_core.clip_story import ClipStory
    from fer_core.video import VideoReport
    from ui.video_job import VideoJob
    from ui.video_queue import QueuedClip

TABLES = {
    "csv": ("CSV", "csv", "text/csv"),
    "jsonl": ("JSON lines", "jsonl", "application/x-ndjson"),
    "parquet": ("Parquet", "parquet", "application/vnd.apache.parquet"),
}


STYLE = """
.st-key-video_player video {max-height:70vh; object-fit:contain; border-radius:.5rem;
  background:color-mix(in srgb, currentColor 6%, transparent)}
"""
"""A clip held upright stays on the screen as a whole."""


def result(clip: QueuedClip, asked: int | None = None) -> None:
    """Draw it; a sentence instead when its files have been removed in the meantime.

    Args:
        clip: one that is done.
        asked: when the viewer asked for it, to be taken there; None if not just now.
    """
    from fer_core.clip_story import story_of

    job = clip.job
    if job is None or job.report is None:
        return
    if not job.clip.is_file():
        st.info("This clip was removed in another tab.")
        return
    report = job.report
    story = story_of(report)
    st.html(f"<style>{STYLE}</style>")
    st.subheader(plain(called(clip.name)), anchor=False)
    for warning in report.warnings:
        st.warning(plain(warning))
    _seen(clip, job, report, story, asked)
    _downloads(clip, job, report, story)
    _tables(report, story)


def _seen(
    clip: QueuedClip, job: VideoJob, report: VideoReport, story: ClipStory, asked: int | None
) -> None:
    from ui.video_seek import PLAYER, seekable
    from ui.video_timeline import moments_html, timeline_html

    left, right = st.columns([3, 2], gap="medium")
    with left, st.container(key=PLAYER):
        played = Offer(job.clip, f"{_named(clip)}.mp4", "video/mp4", shown=True)
        st.video(whole_address(own_place().files.address(played)))
    with right:
        _figures(report)
        if report.faces == 0:
            st.info("No face was found in this clip.")
        seekable(timeline_html(story) + moments_html(story), story.seconds, asked)


def _figures(report: VideoReport) -> None:
    from fer_core.video.probe import clock

    with st.container(horizontal=True, gap="large"):
        st.metric("Length", clock(report.seconds), width="content")
        st.metric("Frames", f"{report.frames:,}", width="content")
        st.metric("Tracks", f"{report.tracks:,}", width="content")


def _downloads(clip: QueuedClip, job: VideoJob, report: VideoReport, story: ClipStory) -> None:
    name = _named(clip)
    offers = {"Download the clip": Offer(job.clip, f"{name}.mp4", "video/mp4")}
    for kind, (title, ending, mime) in TABLES.items():
        table = job.tables.get(kind)
        if table is not None:
            offers[f"Table ({title})"] = Offer(table, f"{name}.{ending}", mime)
    written = _written(clip, job, report, story)
    if written is not None:
        offers["Report (HTML)"] = Offer(written, f"{name}.html", "text/html")
    files = own_place().files
    with st.container(key="video_downloads"):
        file_links({words: files.address(offer) for words, offer in offers.items()})


def _named(clip: QueuedClip) -> str:
    """What the names of its downloads begin with."""
    return f"{stem(clip.name)}-expressions"


def _written(clip: QueuedClip, job: VideoJob, report: VideoReport, story: ClipStory) -> Path | None:
    """The report beside the clip, written when the result is first drawn; None, with a sentence on
    the page, when that cannot be done."""
    from fer_core.clip_report import clip_report_html

    file = job.folder / "report.html"
    if file.is_file():
        return file
    words = clip.order.words if clip.order is not None else ""
    text = clip_report_html(called(clip.name), story, report, [words] if words else [])
    try:
        # Under a name of its own first: another tab of this viewer may draw the result too.
        handle, beside = tempfile.mkstemp(dir=job.folder)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(beside).replace(file)
    except OSError as error:
        st.warning(
            f"The report cannot be stored on the server ({error.strerror}). Make room there, and "
            "show this result again."
        )
        return None
    return file


def _tables(report: VideoReport, story: ClipStory) -> None:
    import pandas as pd

    from fer_core.video.probe import clock

    if report.faces == 0:
        return
    left, right = st.columns([2, 3], gap="medium")
    rows = [
        {"icon": _icon(label), "label": label, "share": 100 * share}
        for label, share in report.label_shares.items()
    ]
    table = pd.DataFrame(rows).sort_values("share", ascending=False, kind="stable")
    share = st.column_config.ProgressColumn(
        "Share of faces", format="%.1f %%", min_value=0, max_value=100
    )
    left.dataframe(
        table,
        hide_index=True,
        width="stretch",
        column_config={
            "icon": st.column_config.ImageColumn("", width=40),
            "label": "Expression",
            "share": share,
        },
    )
    right.dataframe(
        people_table(story),
        hide_index=True,
        width="stretch",
        column_config={
            "face": st.column_config.ImageColumn("", width=40),
            "track": st.column_config.NumberColumn("Track", format="#%d", width=60),
            "from": st.column_config.TextColumn("From", width=70),
            "to": st.column_config.TextColumn("To", width=70),
            **_percent(story),
        },
    )
    st.caption(
        f"{report.faces:,} faces in {report.frames:,} frames, done in {clock(report.elapsed)} "
        f"({report.speed:.1f} times real time). A track is one face followed without a gap."
    )


def people_table(story: ClipStory) -> DataFrame:
    """A row for each person: its face, when it was seen, the share of each label in per cent.

    Times are those of the written clip, as on the timeline.
    """
    import pandas as pd

    from fer_core.clip_report import face_uri
    from ui.video_settings import clock

    return pd.DataFrame(
        [
            {
                "face": None if person.face is None else face_uri(person.face),
                "track": person.track,
                "from": clock(person.first - story.origin, tenths=True),
                "to": clock(person.last - story.origin, tenths=True),
                **{label: 100 * share for label, share in person.shares.items()},
            }
            for person in story.people
        ]
    )


def _percent(story: ClipStory) -> dict[str, Any]:
    labels = {label for person in story.people for label in person.shares}
    return {label: st.column_config.NumberColumn(label, format="%.0f %%") for label in labels}


def _icon(label: str) -> str:
    """The overlay's drawn face as an address: not every machine has a font with emoji."""
    from ui.icons import icon_picture

    held = io.BytesIO()
    icon_picture(label, 32).save(held, "PNG")
    return "data:image/png;base64," + base64.b64encode(held.getvalue()).decode("ascii")
