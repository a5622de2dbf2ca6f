"""What a job has found so far, and how far it is."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

from fer_core.emotions import CLASSES, UNCERTAIN
from fer_core.results import FrameResult
from fer_core.video.contracts import TICKS, ClipFrame, VideoProgress, VideoReport
from fer_core.video.lanes import Lanes
from fer_core.video.moments import Moments
from fer_core.video.reader import ClipReader

PROGRESS_EVERY = 0.1
"""Seconds between two calls of the progress function."""

Progress = Callable[[VideoProgress], None]


class Tally:
    """Counts what comes by and tells how far the job is."""

    def __init__(self, reader: ClipReader, progress: Progress | None) -> None:
        self._reader = reader
        self._progress = progress
        self._began = time.perf_counter()
        self._told = self._began
        self._labels: Counter[str] = Counter()
        self._tracks: set[int] = set()
        self._lanes = Lanes()
        self._moments = Moments()
        self._frames = 0
        self._analysed = 0
        self._position = 0.0

    def add(self, frame: ClipFrame, result: FrameResult, fresh: bool = True) -> None:
        """Count a frame; `fresh` says whether it was analysed itself."""
        self._frames += 1
        self._position = frame.pts
        if fresh:
            self._analysed += 1
            for face in result.faces:
                self._labels[face.label] += 1
                if face.track_id is not None:
                    self._tracks.add(face.track_id)
            self._lanes.add(frame.picture, result, (frame.ticks - self._reader.begin) / TICKS)
            self._moments.add(result)
        now = time.perf_counter()
        if self._progress is None or now - self._told < PROGRESS_EVERY:
            return
        self._told = now
        elapsed = now - self._began
        fraction = frame.progress
        left = elapsed * (1 - fraction) / fraction if fraction > 0 else None
        self._progress(VideoProgress(fraction, self._frames, frame.pts, elapsed, left))

    def finish(self) -> None:
        """Tell that all is done."""
        if self._progress is not None:
            elapsed = time.perf_counter() - self._began
            self._progress(VideoProgress(1.0, self._frames, self._position, elapsed, 0.0))

    def report(self, warnings: tuple[str, ...]) -> VideoReport:
        """What came of the job."""
        return VideoReport(
            info=self._reader.info,
            frames=self._frames,
            seconds=self._reader.seconds_read,
            faces=sum(self._labels.values()),
            tracks=len(self._tracks),
            label_counts={label: self._labels[label] for label in (*CLASSES, UNCERTAIN)},
            elapsed=time.perf_counter() - self._began,
            warnings=warnings,
            frames_analysed=self._analysed,
            origin=self._reader.begin / TICKS,
            lanes=self._lanes.lanes(),
            moments=self._moments.moments(),
        )
