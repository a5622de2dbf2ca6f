"""A live stream: frames of a camera in, labelled frames out, from a thread that must never fail.

The page that shows the stream and the thread that works on its frames meet in `LiveSession` alone.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from fer_core.calibration import NeutralCalibration
from fer_core.errors import FerError
from fer_core.governor import Governor, Seat
from fer_core.live_analyzer import (
    Draw,
    FrameSink,
    LiveAnalyzer,
    draw_overlay,
    in_short,
    own_analyzer,
    warm_analyzer,
)
from fer_core.live_answers import LiveAnswers
from fer_core.live_frames import StreamTime, as_frame, dimmed, picture_of, unrecognisable
from fer_core.live_metrics import LiveMetrics, LiveSnapshot
from fer_core.live_privacy import PrivacyGuard
from fer_core.live_settings import LiveSettings
from fer_core.live_timeline import LiveTimeline, Marker, TimelineView
from fer_core.quality import with_quality

if TYPE_CHECKING:
    import av

    from fer_core.detectors.base import Picture

__all__ = ["LiveAnalyzer", "LiveSession", "LiveSettings", "LiveSnapshot"]

_log = logging.getLogger(__name__)

_FAILURES_BEFORE_RENEWAL = 3
_RENEWAL_SECONDS = 5.0


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
        governor: shares the machine with the other streams; None works on every frame.
    """

    def __init__(
        self,
        settings: LiveSettings | None = None,
        make_analyzer: Callable[[LiveSettings], LiveAnalyzer] | None = None,
        draw: Draw | None = None,
        clock: Callable[[], float] = time.monotonic,
        governor: Governor | None = None,
    ) -> None:
        self._governor = governor
        self._seat: Seat | None = None
        self._make_analyzer = make_analyzer or own_analyzer
        self._draw = draw or draw_overlay
        self._clock = clock
        self._settings = settings or LiveSettings()
        self._analyzer: LiveAnalyzer | None = None
        self._made_at = -math.inf
        self._failures = 0
        self._last_mirror = self._settings.mirror
        self._paused = False
        self._streaming = False
        self._sink: FrameSink | None = None
        self._notes: list[str] = []
        self._shown: Picture | None = None
        self._still: Picture | None = None
        self._time = StreamTime()
        self._answers = LiveAnswers()
        self._privacy = PrivacyGuard()
        self._metrics = LiveMetrics()
        self._timeline = LiveTimeline()
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

    @property
    def needs_mending(self) -> bool:
        """Whether `apply` has something to do though nothing else is wished for."""
        return self._analyzer is None or self._worn_out()

    @property
    def calibration(self) -> NeutralCalibration:
        """What the faces of this stream look like at rest."""
        return self._answers.calibration

    @property
    def paused(self) -> bool:
        """Whether the picture stands still and nothing is analysed; the connection stays."""
        return self._paused

    @property
    def streaming(self) -> bool:
        """Whether a frame has come since the last stream ended."""
        return self._streaming

    @property
    def allowed_rate(self) -> float | None:
        """Frames a second that this stream gets because others came first; None for all of them."""
        seat = self._seat
        return seat.allowed if seat is not None and seat.limited else None

    def pause(self, paused: bool = True) -> None:
        """Let the picture stand still, or go on; faces that are still there keep their numbers."""
        self._paused = paused

    def apply(self, settings: LiveSettings) -> None:
        """Go over to `settings`; also mends an analyzer that keeps failing.

        Loading happens here, so that no frame waits for it. Costs nothing when nothing changed.

        Raises:
            FerError: the detector or the model cannot be had; the stream goes on as before.
        """
        with self._apply_lock:
            changed = self._settings.needs_another_analyzer(settings)
            if changed or self.needs_mending:
                self._made_at = self._clock()
                self._swap(warm_analyzer(self._make_analyzer, settings))
            if settings.privacy and not self._settings.privacy:
                # What stands still must not show a face that was not blurred yet.
                self._shown = self._still = None
            self._settings = settings

    def release(self) -> None:
        """Let go of the detector, at the end of a stream. Quick: closing goes to another thread."""
        self._paused = False
        self._shown = self._still = None
        self._leave()
        threading.Thread(target=self._swap, args=(None,), name="live-release", daemon=True).start()

    def close(self) -> None:
        """Let go of the detector and wait for it; calling it twice is allowed."""
        self._leave()
        self._swap(None)

    def __del__(self) -> None:
        # A session that was never started or stopped still holds a detector, and some detectors
        # hang the process when they reach the garbage collector unclosed.
        if getattr(self, "_analyzer", None) is not None or getattr(self, "_seat", None) is not None:
            self.close()

    def snapshot(self) -> LiveSnapshot:
        """Figures of this moment."""
        with self._state_lock:
            return self._metrics.snapshot(self._clock())

    def mark(self, note: str = "") -> Marker:
        """Mark this moment on the timeline, and in the recording if there is one."""
        with self._state_lock:
            marker = self._timeline.mark(self._clock(), note)
            if self._sink is not None:
                self._notes.append(marker.note)
            return marker

    def record(self, sink: FrameSink | None) -> None:
        """From the next frame on, hand what is shown to `sink`; None ends that."""
        with self._state_lock:
            self._sink, self._notes = sink, []

    def timeline(
        self, seconds: float = 60, points: int = 120, track: int | None = None
    ) -> TimelineView:
        """The last `seconds`; see `LiveTimeline.view`."""
        with self._state_lock:
            return self._timeline.view(self._clock(), seconds, points, track)

    def callback(self, frame: av.VideoFrame) -> av.VideoFrame:
        """The labelled frame; `frame` itself when there is no analyzer or something failed, and
        blurred from edge to edge in privacy mode.

        Never raises: an exception that escaped would freeze the stream for good, without a word.
        The failure is kept for `snapshot`.
        """
        settings = self._settings
        try:
            shown = self._stand_still(frame) if self._paused else self._process(frame, settings)
        except Exception as error:
            self._note(error)
            shown = None
        if shown is not None:
            return shown
        return unrecognisable(frame, settings.mirror) if settings.privacy else frame

    def _process(self, frame: av.VideoFrame, settings: LiveSettings) -> av.VideoFrame | None:
        seat = self._sit()
        if seat is not None and not seat.due() and self._shown is not None:
            # Not the new picture: what is drawn belongs to the frame that it was found in.
            return as_frame(self._shown, frame)
        begin = time.perf_counter()
        # Mirrored before anything is found or drawn, so that boxes fit and text stays readable.
        picture = picture_of(frame, settings.mirror)
        read = time.perf_counter()
        with self._work_lock:
            analyzer = self._analyzer
            if analyzer is None:
                return None
            self._streaming = True
            pts = self._step(analyzer, frame, settings)
            result = analyzer.track(picture, pts)
            threshold = analyzer.min_confidence
        tracked = time.perf_counter()
        result = with_quality(picture, result)
        if settings.min_confidence is not None:
            threshold = settings.min_confidence
        result = self._answers.refine(result, pts, settings.smoothing, threshold)
        worked = time.perf_counter()
        if settings.privacy:
            self._privacy.blur(picture, result, pts)
        picture = self._draw(picture, result, settings)
        drawn = as_frame(picture, frame)
        self._shown, self._still = picture, None
        end = time.perf_counter()
        if seat is not None:
            seat.worked(end - begin)
        stages = {
            "read": 1000 * (read - begin),
            **result.timings,
            "judge": 1000 * (worked - tracked),
            "draw": 1000 * (end - worked),
            "total": 1000 * (end - begin),
        }
        with self._state_lock:
            self._failures = 0
            now = self._clock()
            self._metrics.finished(now, result, stages)
            self._timeline.add(now, result.faces)
            sink, notes = self._sink, self._notes
            if sink is not None:
                self._notes = []
        if sink is not None:
            sink.put(picture, result, notes)
        return drawn

    def _sit(self) -> Seat | None:
        if self._seat is None and self._governor is not None and self._analyzer is not None:
            self._seat = self._governor.join()
        return self._seat

    def _leave(self) -> None:
        seat, self._seat = self._seat, None
        if seat is not None:
            seat.leave()

    def _stand_still(self, frame: av.VideoFrame) -> av.VideoFrame | None:
        """The last picture, dimmed; None when there is none that may be shown."""
        self._time.skip(self._raw_time(frame))
        if self._still is None:
            if self._shown is None:
                return None
            self._still = dimmed(self._shown)
        with self._state_lock:
            self._metrics.held(self._clock())
        return as_frame(self._still, frame)

    def _raw_time(self, frame: av.VideoFrame) -> float:
        return self._clock() if frame.time is None else float(frame.time)

    def _step(self, analyzer: LiveAnalyzer, frame: av.VideoFrame, settings: LiveSettings) -> float:
        """Seconds for the tracker, strictly rising; a jump or a turned picture ends all tracks."""
        goes_on = self._time.step(self._raw_time(frame))
        if settings.mirror != self._last_mirror or not goes_on:
            analyzer.reset()
            self._answers.reset()
            self._privacy.reset()
            self._last_mirror = settings.mirror
        return self._time.now

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
                f"A frame could not be worked on ({in_short(error)}). "
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
            if fresh is None:
                self._leave()
                self._streaming = False
            old, self._analyzer = self._analyzer, fresh
            self._answers.reset()
            self.calibration.reset()  # another tracker numbers anew, from 1
            with self._state_lock:
                self._failures = 0
        if old is not None:
            old.close()
