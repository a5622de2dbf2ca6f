"""What a live stream has been doing for the last seconds and the last minute, in bounded memory."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median

from fer_core.emotions import CLASSES, UNCERTAIN
from fer_core.results import Face, FrameResult

LABELS: tuple[str, ...] = (*CLASSES, UNCERTAIN)
"""Every label that can be shown, in the order in which shares are given."""

RATE_SECONDS = 3.0
"""Span of the frame rate and of the medians per stage."""
SHARE_SECONDS = 60
"""Span of the shares, in whole-second buckets."""
STALLED_SECONDS = 1.5
"""A stream with no frame for this long has a rate of 0, whatever came before."""
ERROR_SECONDS = 5.0
"""A sentence stays on the page until this long after the last failed frame."""

_MOST_SAMPLES = 400  # 3 s at 120 frames a second, with room; a hard bound whatever the camera does


@dataclass(frozen=True)
class LiveSnapshot:
    """The state of a live stream at one moment.

    Attributes:
        faces: in the newest frame; 0 once the stream has stalled.
        frames_per_second: finished frames, over the last three seconds.
        stages: median milliseconds per stage over the same span, in the order of work: `read`,
            `detect`, `crop`, `classify`, `track`, `judge` (quality, smoothing), `draw`; a stage
            that did not run is missing.
        total_ms: median milliseconds of the whole callback.
        slow_ms: what 95 of 100 callbacks stay under, over the same span.
        shares: share of each label in the last minute, 0 to 1, sum 1 over `LABELS`, one vote per
            face and frame; empty when no face was seen.
        size: (width, height) of the newest frame, pixels; None before the first one.
        frames: finished since the session was made.
        errors: frames that failed since the session was made.
        error: a sentence about the last failure, until five seconds after it; else None.
        idle_seconds: since the newest frame, good or failed; None before the first one.
        problems: for each face of the newest frame that is filmed badly, its track number (None
            where faces have none) and what is wrong, words of `fer_core.quality.PROBLEMS`.
        tracks: the track numbers of the newest frame's faces.
    """

    faces: int = 0
    frames_per_second: float = 0.0
    stages: Mapping[str, float] = field(default_factory=dict)
    total_ms: float = 0.0
    slow_ms: float = 0.0
    shares: Mapping[str, float] = field(default_factory=dict)
    size: tuple[int, int] | None = None
    frames: int = 0
    errors: int = 0
    error: str | None = None
    idle_seconds: float | None = None
    problems: tuple[tuple[int | None, tuple[str, ...]], ...] = ()
    tracks: tuple[int, ...] = ()


class LiveMetrics:
    """Counts frames, times and labels. Not thread-safe: the owner holds a lock.

    Every method takes the time in seconds of one monotonic clock.
    """

    def __init__(self) -> None:
        self._finished: deque[float] = deque(maxlen=_MOST_SAMPLES)
        self._stages: deque[tuple[float, dict[str, float]]] = deque(maxlen=_MOST_SAMPLES)
        self._votes: deque[tuple[int, list[int]]] = deque(maxlen=SHARE_SECONDS + 1)
        self._frames = 0
        self._errors = 0
        self._faces: tuple[Face, ...] = ()
        self._size: tuple[int, int] | None = None
        self._error: str | None = None
        self._error_time = -math.inf
        self._last: float | None = None

    def finished(self, now: float, result: FrameResult, stages: Mapping[str, float]) -> None:
        """Note a frame that went well.

        Args:
            now: seconds.
            result: what was found in it.
            stages: milliseconds per stage; key `total` for the whole.
        """
        votes = self._bucket(int(now))
        for face in result.faces:
            votes[LABELS.index(face.label)] += 1
        self._faces = result.faces
        self._frames += 1
        self._size = (result.width, result.height)
        self._finished.append(now)
        self._stages.append((now, dict(stages)))
        self._last = now

    def held(self, now: float) -> None:
        """Note a frame that stood still on purpose."""
        self._last = now

    def failed(self, now: float, sentence: str) -> None:
        """Note a frame that failed, and the sentence that says why."""
        self._errors += 1
        self._faces = ()
        self._error = sentence
        self._error_time = now
        self._last = now

    def snapshot(self, now: float) -> LiveSnapshot:
        """What there is to say at `now`."""
        idle = None if self._last is None else max(0.0, now - self._last)
        moving = idle is not None and idle <= STALLED_SECONDS
        stages = self._medians(now)
        total = stages.pop("total", 0.0)
        faces = self._faces if moving else ()
        return LiveSnapshot(
            faces=len(faces),
            frames_per_second=self._rate(now) if moving else 0.0,
            stages=stages,
            total_ms=total,
            slow_ms=self._slow(now),
            shares=self._shares(now),
            size=self._size,
            frames=self._frames,
            errors=self._errors,
            error=self._error if now - self._error_time <= ERROR_SECONDS else None,
            idle_seconds=idle,
            problems=tuple(
                (face.track_id, face.quality.problems)
                for face in faces
                if face.quality is not None and not face.quality.good
            ),
            tracks=tuple(face.track_id for face in faces if face.track_id is not None),
        )

    def _bucket(self, second: int) -> list[int]:
        if not self._votes or self._votes[-1][0] != second:
            self._votes.append((second, [0] * len(LABELS)))
        return self._votes[-1][1]

    def _rate(self, now: float) -> float:
        recent = [t for t in self._finished if now - t <= RATE_SECONDS]
        if len(recent) < 2 or recent[-1] <= recent[0]:
            return 0.0
        return (len(recent) - 1) / (recent[-1] - recent[0])

    def _medians(self, now: float) -> dict[str, float]:
        samples: dict[str, list[float]] = {}
        for t, stages in self._stages:
            if now - t <= RATE_SECONDS:
                for name, milliseconds in stages.items():
                    samples.setdefault(name, []).append(milliseconds)
        return {name: median(values) for name, values in samples.items()}

    def _slow(self, now: float) -> float:
        recent = [s["total"] for t, s in self._stages if now - t <= RATE_SECONDS and "total" in s]
        return sorted(recent)[min(len(recent) - 1, int(0.95 * len(recent)))] if recent else 0.0

    def _shares(self, now: float) -> dict[str, float]:
        first = int(now) - SHARE_SECONDS
        sums = [0] * len(LABELS)
        for second, votes in self._votes:
            if second > first:
                sums = [a + b for a, b in zip(sums, votes, strict=True)]
        whole = sum(sums)
        if not whole:
            return {}
        return {label: votes / whole for label, votes in zip(LABELS, sums, strict=True)}
