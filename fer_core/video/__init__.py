"""Clips: read them with their own times, analyse every frame, write them annotated."""

from __future__ import annotations

from fer_core.video.annotate import annotate_video, iter_results
from fer_core.video.contracts import (
    FrameAnalyzer,
    Lane,
    Moment,
    VideoInfo,
    VideoOptions,
    VideoProgress,
    VideoReport,
)
from fer_core.video.reader import ClipReader, probe

__all__ = [
    "ClipReader",
    "FrameAnalyzer",
    "Lane",
    "Moment",
    "VideoInfo",
    "VideoOptions",
    "VideoProgress",
    "VideoReport",
    "annotate_video",
    "iter_results",
    "probe",
]
