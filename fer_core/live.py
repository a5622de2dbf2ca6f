"""A live stream: frames of a camera in, labelled frames out, from a thread that must never fail.

The page that shows the stream and the thread that works on its frames meet in `LiveSession` alone.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np

from fer_core.emotions import UNCERTAIN
from fer_core.errors import DetectorError, FerError, OptionError
from fer_core.live_metrics import LiveMetrics, LiveSnapshot
from fer_core.results import FrameResult

if TYPE_CHECKING:
    import av

    from fer_core.detectors.base import Picture

__all__ = ["LiveAnalyzer", "LiveSession", "LiveSettings", "LiveSnapshot"]

_log = logging.getLogger(__name__)

_WARM_UP_SHAPE = (480, 640, 3)
_FAILURES_BEFORE_RENEWAL = 3
_RENEWAL_SECONDS = 5.0
_JUMP_SECONDS = 1.0


@dataclass(frozen=True)
class LiveSettings:
    """Everything a viewer may change while the stream runs.

    Attributes:
        detector: a name in `fer_core.detectors.DETECTORS`.
        model: name of a model folder; None for the default one.
        runtime: a name in `fer_core.runtimes.RUNTIMES`, or `auto`.
        mirror: whether the picture is turned left to right, as in a mirror; text is not.
        min_confidence: labels whose best probability is under this, 0 to 1, read `uncertain`;
            None for the threshold in the model's card.
        bars: whether a bar per class is drawn beside each face.
    """

    detector: str = "blazeface"
    model: str | None = None
    runtime: str = "auto"
    mirror: bool = True
    min_confidence: float | None = None
    bars: bool = False

    def __post_init__(self) -> None:
        if self.min_confidence is not None and not 0.0 <= self.min_confidence <= 1.0:
            raise OptionError(
                f"min_confidence is {self.min_confidence!r}. Give a number from 0 to 1, or None."
            )

    def needs_another_analyzer(self, other: LiveSettings) -> bool:
        """Whether going from here to `other` takes another detector or network."""
        mine = (self.detector, self.model, self.runtime)
        return mine != (other.detector, other.model, other.runtime)


class LiveAnalyzer(Protocol):
    """The part of `fer_core.analyzer.Analyzer` that a live stream uses."""

    def track(self, picture: Picture, pts: float) -> FrameResult:
        """Faces of one frame; labels as the analyzer's own threshold has them."""
        ...

    def reset(self) -> None:
        """Forget all tracks."""
        ...

    def close(self) -> None:
        """Release the detector."""
        ...


# May draw into the picture that it is given.
Draw = Callable[["Picture", FrameResult, LiveSettings], "Picture"]


class LiveSession:
    """One viewer's stream. All methods may be called from any thread.

    `apply` loads what the settings ask for, in the caller's thread, and only then hands it to the
    stream: the picture goes on with the old analyzer until the new one is ready. `callback` runs in
    the stream's own thread; it needs no page and raises nothing. `release` lets go of the detector
    when the stream ends, and the next `apply` makes another.

    Args:
        settings: to start with; nothing is loaded before `apply`.
        make_analyzer: settings -> analyzer, whose model is shared between sessions and whose
            detector is not. None: `fer_core.analyzer.Analyzer` with a model of its own.
        draw: (picture, result, settings) -> picture. None: `fer_core.overlay.draw`.
        clock: seconds that never go back.
    """

    def __init__(
        self,
        settings: LiveSettings | None = None,
        make_analyzer: Callable[[LiveSettings], LiveAnalyzer] | None = None,
        draw: Draw | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._make_analyzer = make_analyzer or _own_analyzer
        self._draw = draw or _draw_overlay
        self._clock = clock
        self._settings = settings or LiveSettings()
        self._analyzer: LiveAnalyzer | None = None
        self._made_at = -math.inf
        self._failures = 0
        self._last_pts = 0.0
        self._last_mirror = self._settings.mirror
        self._metrics = LiveMetrics()
        # Taken in this order, never the other way: apply, work, state.
        self._apply_lock = threading.Lock()
        self._work_lock = threading.Lock()
        self._state_lock = threading.Lock()

    @property
    def settings(self) -> LiveSettings:
        """What the stream works with now."""
        return self._settings

    @property
    def ready(self) -> bool:
        """Whether frames will be analysed, rather than passed through."""
        return self._analyzer is not None

    def apply(self, settings: LiveSettings) -> None:
        """Go over to `settings`; also mends an analyzer that keeps failing.

        Loading happens here, so that no frame waits for it. Costs nothing when nothing changed.

        Raises:
            FerError: the detector or the model cannot be had; the stream goes on as before.
        """
        with self._apply_lock:
            current = self._analyzer
            changed = self._settings.needs_another_analyzer(settings)
            if current is None or changed or self._worn_out():
                self._made_at = self._clock()
                self._swap(self._warm_analyzer(settings))
            self._settings = settings

    def release(self) -> None:
        """Let go of the detector, at the end of a stream. Quick: closing goes to another thread."""
        threading.Thread(target=self._swap, args=(None,), name="live-release", daemon=True).start()

    def close(self) -> None:
        """Let go of the detector and wait for it; calling it twice is allowed."""
        self._swap(None)

    def __del__(self) -> None:
        # A session that was never started or stopped still holds a detector, and some detectors
        # hang the process when they reach the garbage collector unclosed.
        if getattr(self, "_analyzer", None) is not None:
            self.close()

    def snapshot(self) -> LiveSnapshot:
        """Figures of this moment."""
        with self._state_lock:
            return self._metrics.snapshot(self._clock())

    def callback(self, frame: av.VideoFrame) -> av.VideoFrame:
        """The labelled frame; `frame` itself when there is no analyzer or something failed.

        Never raises: an exception that escaped would freeze the stream for good, without a word.
        The failure is kept for `snapshot`.
        """
        try:
            return self._process(frame)
        except Exception as error:
            self._note(error)
            return frame

    def _process(self, frame: av.VideoFrame) -> av.VideoFrame:
        import av

        begin = time.perf_counter()
        settings = self._settings
        picture: Picture = frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False)
        if settings.mirror:
            # Before anything is found or drawn, so that boxes fit and text stays readable.
            turned = np.empty_like(picture)
            cv2.flip(picture, 1, turned)
            picture = turned
        read = time.perf_counter()
        with self._work_lock:
            if self._analyzer is None:
                return frame
            result = self._analyzer.track(picture, self._time_of(frame, settings))
        if settings.min_confidence is not None:
            result = with_threshold(result, settings.min_confidence)
        worked = time.perf_counter()
        drawn = av.VideoFrame.from_ndarray(self._draw(picture, result, settings), format="rgb24")
        drawn.pts, drawn.time_base = frame.pts, frame.time_base
        end = time.perf_counter()
        stages = {
            "read": 1000 * (read - begin),
            **result.timings,
            "draw": 1000 * (end - worked),
            "total": 1000 * (end - begin),
        }
        with self._state_lock:
            self._failures = 0
            self._metrics.finished(
                self._clock(),
                [face.label for face in result.faces],
                stages,
                (result.width, result.height),
            )
        return drawn

    def _time_of(self, frame: av.VideoFrame, settings: LiveSettings) -> float:
        """Seconds for the tracker, strictly rising; a jump or a turned picture ends all tracks."""
        now = self._clock() if frame.time is None else float(frame.time)
        turned = settings.mirror != self._last_mirror
        if turned or not -_JUMP_SECONDS < now - self._last_pts < _JUMP_SECONDS:
            assert self._analyzer is not None
            self._analyzer.reset()
            self._last_mirror = settings.mirror
        else:
            now = max(now, self._last_pts + 1e-3)
        self._last_pts = now
        return now

    def _warm_analyzer(self, settings: LiveSettings) -> LiveAnalyzer:
        fresh: LiveAnalyzer | None = None
        try:
            fresh = self._make_analyzer(settings)
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
                f"started ({_in_short(error)}). Choose another detector or model."
            ) from error
        return fresh

    def _worn_out(self) -> bool:
        """Whether the analyzer fails frame after frame, and is not a new one."""
        with self._state_lock:
            failing = self._failures >= _FAILURES_BEFORE_RENEWAL
        return failing and self._clock() - self._made_at >= _RENEWAL_SECONDS

    def _note(self, error: Exception) -> None:
        if isinstance(error, FerError):
            sentence = str(error)
        else:
            sentence = (
                f"A frame could not be worked on ({_in_short(error)}). "
                "The picture goes on; if labels stay away, choose another detector or model."
            )
        with self._state_lock:
            self._failures += 1
            first = self._failures == 1
            self._metrics.failed(self._clock(), sentence)
        if first:  # one entry per run of failures: a camera would fill the log
            _log.error("A live frame failed", exc_info=error)

    def _swap(self, fresh: LiveAnalyzer | None) -> None:
        with self._work_lock:
            old, self._analyzer = self._analyzer, fresh
            with self._state_lock:
                self._failures = 0
        if old is not None:
            old.close()


def _in_short(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]


def with_threshold(result: FrameResult, min_confidence: float) -> FrameResult:
    """`result` with the labels that it has under another threshold, 0 to 1."""
    faces = tuple(
        replace(face, label=face.top if face.confidence >= min_confidence else UNCERTAIN)
        for face in result.faces
    )
    return replace(result, faces=faces)


def _own_analyzer(settings: LiveSettings) -> LiveAnalyzer:
    from fer_core.analyzer import Analyzer, AnalyzerOptions

    return Analyzer(
        AnalyzerOptions(detector=settings.detector, model=settings.model, runtime=settings.runtime)
    )


def _draw_overlay(picture: Picture, result: FrameResult, settings: LiveSettings) -> Picture:
    from fer_core.overlay import OverlayOptions, draw

    return draw(picture, result, OverlayOptions(bars=settings.bars), in_place=True)
