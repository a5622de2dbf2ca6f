"""The Video tab: a clip in, the annotated clip and a table of its faces out."""

from __future__ import annotations

import base64
import io
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import streamlit as st

from fer_core.errors import FerError, ModelError
from fer_core.model_store import default_model_name, list_models, load_card, model_folder

if TYPE_CHECKING:
    from fer_core.video import VideoReport
    from ui.video_job import MakeAnalyzer, VideoJob

ENDINGS = ["mp4", "mov", "avi", "mkv", "webm"]
LONGEST_SECONDS = 3600
"""Longer clips are refused: the page is for one viewer's clips, the command line for archives."""
PROGRESS_SECONDS = 0.5

NOTICE = (
    "The clip goes to the process that serves this page. It is deleted there when you close the "
    "page or upload another one."
)


def render() -> None:
    """Draw the tab. Called in every run of the page, so that an upload is never lost."""
    from ui.video_files import workplace

    place = workplace()
    upload = st.file_uploader(
        "Clip",
        type=ENDINGS,
        key="video_upload",
        help="Every frame is analysed, at the clip's own times. The sound is kept.",
    )
    place.take(None if upload is None else upload.file_id)
    if upload is None:
        st.caption(NOTICE)
        return
    job = place.job
    busy = job is not None and job.at_work
    choice = _choices(busy)
    if st.button("Annotate", type="primary", key="video_start", disabled=busy or choice is None):
        assert choice is not None
        job = _start(upload, choice)
    if job is None:
        st.caption(NOTICE)
    elif busy:
        # Not asked again: a job that ends in this very moment would leave everything disabled.
        _running(job)
    else:
        _ended(job, upload.name)


def _choices(busy: bool) -> dict[str, Any] | None:
    from fer_core.detectors import DETECTORS
    from ui.live_settings import DETECTOR_WORDS

    models = list_models()
    if not models:
        st.error("There is no model folder in models/. Put one there and reload the page.")
        return None
    detector_column, model_column, threshold_column, bars_column = st.columns(
        [2, 2, 2.4, 1.6], gap="medium", vertical_alignment="bottom"
    )
    with detector_column:
        detector = st.selectbox(
            "Face detector",
            list(DETECTORS),
            format_func=lambda name: DETECTOR_WORDS.get(name, name),
            key="video_detector",
            disabled=busy,
        )
    with model_column:
        model = st.selectbox(
            "Model", models, index=_default_index(models), key="video_model", disabled=busy
        )
    with threshold_column:
        percent = st.slider(
            "Say *uncertain* below",
            0,
            100,
            _card_percent(model),
            format="%d %%",
            key=f"video_threshold_{model}",
            disabled=busy,
        )
    with bars_column:
        bars = st.toggle("Bars", key="video_bars", disabled=busy, help="A bar for each expression.")
    return {"detector": detector, "model": model, "min_confidence": percent / 100, "bars": bars}


def _start(upload: Any, choice: dict[str, Any]) -> VideoJob | None:
    from fer_core.overlay import OverlayOptions
    from fer_core.video import VideoOptions
    from ui.video_files import store, workplace
    from ui.video_job import VideoJob

    place = workplace()
    place.drop_job()
    try:
        make_analyzer = analyzer_maker(choice)
        source = store(upload, place.place_for_job())
    except FerError as error:
        st.error(str(error))
        return None
    options = VideoOptions(
        overlay=OverlayOptions(bars=choice["bars"]),
        max_seconds=LONGEST_SECONDS,
        name=upload.name,
    )
    place.job = VideoJob(source, make_analyzer, options)
    st.rerun()


def analyzer_maker(choice: dict[str, Any]) -> MakeAnalyzer:
    """A function that makes the analyser for a job; the network is loaded here, once for all.

    Raises:
        FerError: the model cannot be opened.
    """
    from fer_core.analyzer import Analyzer, AnalyzerOptions
    from ui import resources

    network = resources.classifier(choice["model"])
    options = AnalyzerOptions(
        detector=choice["detector"],
        model=choice["model"],
        min_confidence=choice["min_confidence"],
    )
    return lambda: Analyzer(options, classifier=network)


@st.fragment(run_every=PROGRESS_SECONDS)
def _running(job: VideoJob) -> None:
    from fer_core.video.probe import clock

    if not job.at_work:
        st.rerun()
    progress = job.progress
    if job.state == "waiting":
        st.progress(0.0, "Waiting for another clip to be finished …")
    elif progress is None:
        st.progress(0.0, "Opening the clip …")
    else:
        left = progress.seconds_left
        remains = "" if left is None else f", {clock(left)} left"
        st.progress(
            progress.fraction,
            f"{progress.fraction:.0%}{remains} · {progress.frames} frames, "
            f"{progress.frames / max(progress.elapsed, 1e-3):.0f} a second",
        )
    if st.button("Cancel", key="video_cancel"):
        job.cancel()
        job.wait(2.0)
        st.rerun()


def _ended(job: VideoJob, name: str) -> None:
    if job.state == "failed":
        st.error(job.error or "The clip could not be annotated.")
    elif job.state == "cancelled":
        st.info("Cancelled. Nothing was kept; press Annotate to start again.")
    elif job.report is not None:
        for warning in job.report.warnings:
            st.warning(warning)
        _result(job, job.report, name)


def _result(job: VideoJob, report: VideoReport, name: str) -> None:
    stem = PurePath(name.replace("\\", "/")).stem or "clip"
    picture, beside = st.columns([3, 2], gap="medium")
    with picture:
        st.video(str(job.clip), format="video/mp4")
        clip_column, table_column = st.columns(2)
        clip_column.download_button(
            "Download the clip",
            data=job.clip.read_bytes,
            file_name=f"{stem}-expressions.mp4",
            mime="video/mp4",
            key="video_download_clip",
            on_click="ignore",
            width="stretch",
        )
        table_column.download_button(
            "Download the table (CSV)",
            data=job.table.read_bytes,
            file_name=f"{stem}-expressions.csv",
            mime="text/csv",
            key="video_download_table",
            on_click="ignore",
            width="stretch",
        )
    with beside:
        _summary(report)


def _summary(report: VideoReport) -> None:
    import pandas as pd

    from fer_core.video.probe import clock

    with st.container(horizontal=True, gap="large"):
        st.metric("Length", clock(report.seconds), width="content")
        st.metric("Frames", f"{report.frames:,}", width="content")
        st.metric("Tracks", f"{report.tracks:,}", width="content")
    if report.faces == 0:
        st.info("No face was found in this clip.")
        return
    rows = [
        {"icon": _icon(label), "label": label, "share": 100 * share}
        for label, share in report.label_shares.items()
    ]
    table = pd.DataFrame(rows).sort_values("share", ascending=False, kind="stable")
    st.dataframe(
        table,
        hide_index=True,
        width="stretch",
        column_config={
            "icon": st.column_config.ImageColumn("", width=40),
            "label": "Expression",
            "share": st.column_config.ProgressColumn(
                "Share of faces", format="%.1f %%", min_value=0, max_value=100
            ),
        },
    )
    st.caption(
        f"{report.faces:,} faces in {report.frames:,} frames, done in {clock(report.elapsed)} "
        f"({report.speed:.1f} times real time). A track is one face followed without a gap."
    )


def _icon(label: str) -> str:
    """The overlay's drawn face as an address: not every machine has a font with emoji."""
    from ui.icons import icon_picture

    held = io.BytesIO()
    icon_picture(label, 32).save(held, "PNG")
    return "data:image/png;base64," + base64.b64encode(held.getvalue()).decode("ascii")


def _default_index(models: list[str]) -> int:
    try:
        return models.index(default_model_name())
    except (FerError, ValueError):
        return 0


def _card_percent(model: str) -> int:
    try:
        return round(100 * load_card(model_folder(model)).uncertain_below)
    except ModelError:
        return 40  # said in one sentence when the model is opened
