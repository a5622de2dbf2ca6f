"""What a live session is put together from: an analyzer, a drawing, who else wants frames."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol

import numpy as np

from fer_core.errors import DetectorError, FerError
from fer_core.live_settings import LiveSettings
from fer_core.results import FrameResult

if TYPE_CHECKING:
    from fer_core.analyzer import AnalyzerOptions
    from fer_core.detectors.base import Picture

__all__ = [
    "Draw",
    "FrameSink",
    "LiveAnalyzer",
    "draw_overlay",
    "live_options",
    "own_analyzer",
    "warm_analyzer",
]

_log = logging.getLogger(__name__)

FACES_PER_FRAME = 4
"""A crowd takes turns: of eight faces each is read in every second frame. To read all of them in
each takes as long as everything else together, and smoothing reaches over more frames than that."""

_WARM_UP_SHAPE = (480, 640, 3)


class LiveAnalyzer(Protocol):
    """The part of `fer_core.analyzer.Analyzer` that a live stream uses."""

    @property
    def min_confidence(self) -> float:
        """The threshold under which a label reads `uncertain` where the viewer chose none."""
        ...

    def track(self, picture: Picture, pts: float) -> FrameResult:
        """Numbered faces of one frame, each as it was last read: in a crowd not all are in each."""
        ...

    def reset(self) -> None:
        """Forget all tracks."""
        ...

    def close(self) -> None:
        """Release the detector."""
        ...


class FrameSink(Protocol):
    """Takes what a stream shows, such as `fer_core.recording.LiveRecorder`."""

    def put(self, picture: Picture, result: FrameResult, markers: Iterable[str]) -> None:
        """Take a frame, at once and without raising."""
        ...


# May draw into the picture that it is given.
Draw = Callable[["Picture", FrameResult, LiveSettings], "Picture"]


def warm_analyzer(
    make: Callable[[LiveSettings], LiveAnalyzer], settings: LiveSettings
) -> LiveAnalyzer:
    """An analyzer that has already worked once.

    Raises:
        FerError: the detector or the model cannot be had.
    """
    fresh: LiveAnalyzer | None = None
    try:
        fresh = make(settings)
        fresh.track(np.zeros(_WARM_UP_SHAPE, np.uint8), 0.0)
        fresh.reset()
    except Exception as error:
        if fresh is not None:
            fresh.close()
        if isinstance(error, FerError):
            raise
        _log.error("An analyzer could not be started", exc_info=error)
        raise DetectorError(
            f"{settings.detector} with the model {settings.model or 'by default'} could not be "
            f"started ({in_short(error)}). Choose another detector or model."
        ) from error
    return fresh


def in_short(error: Exception) -> str:
    """An error's kind and words on one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]


def live_options(settings: LiveSettings) -> AnalyzerOptions:
    """How a stream's frames are analysed."""
    from fer_core.analyzer import AnalyzerOptions
    from fer_core.smoothing import SmoothingOptions

    return AnalyzerOptions(
        detector=settings.detector,
        model=settings.model,
        runtime=settings.runtime,
        smoothing=SmoothingOptions(seconds=0.0),  # the session smooths, as strongly as it likes
        faces_per_frame=FACES_PER_FRAME,
    )


def own_analyzer(settings: LiveSettings) -> LiveAnalyzer:
    """An analyzer with a model of its own, for sessions that share none."""
    from fer_core.analyzer import Analyzer

    return Analyzer(live_options(settings))


def draw_overlay(picture: Picture, result: FrameResult, settings: LiveSettings) -> Picture:
    """The overlay that the settings ask for, drawn into `picture` itself."""
    from fer_core.overlay import OverlayOptions, draw

    options = OverlayOptions(
        boxes=settings.boxes,
        labels=settings.labels,
        bars=settings.bars,
        numbers=settings.numbers,
        eyes=settings.eyes,
        hints=settings.hints,
    )
    return draw(picture, result, options, in_place=True)
