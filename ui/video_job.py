"""A clip that is being annotated in a thread of its own, while the page stays usable."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from fer_core.confined.clips import annotate_confined
from fer_core.errors import FerError, VideoCancelled
from fer_core.video import (
    FrameAnalyzer,
    VideoOptions,
    VideoProgress,
    VideoReport,
    annotate_video,
)
from fer_core.video.slots import SLOTS as _SLOTS

if TYPE_CHECKING:
    from fer_core.analyzer import AnalyzerOptions

_log = logging.getLogger(__name__)

State = Literal["waiting", "running", "done", "cancelled", "failed"]


class ClosableAnalyzer(FrameAnalyzer, AbstractContextManager["ClosableAnalyzer"], Protocol):
    """An analyser that a job opens and closes."""


MakeAnalyzer = Callable[[], ClosableAnalyzer]

TABLES = {"csv": "faces.csv", "jsonl": "faces.jsonl", "parquet": "faces.parquet"}
"""The tables that every job writes, by kind."""


class VideoJob:
    """One job. All attributes may be read from any thread.

    Attributes:
        folder: where everything of this job lies.
        clip: the annotated clip; there when the state is `done`.
        tables: its tables, by kind: `csv`, `jsonl` and `parquet`; there at the same time.
        table: the CSV among them.
        started: when the job was asked for, by `time.time`.
        state: how far it is.
        progress: the last word of it, or None.
        report: what was found, when the state is `done`.
        error: a sentence, when the state is `failed`.
    """

    def __init__(
        self, source: Path, analyzer: AnalyzerOptions | MakeAnalyzer, options: VideoOptions
    ) -> None:
        """Start at once.

        Args:
            source: the clip, in a folder that belongs to this job.
            analyzer: options of the analyser, which is then made in a process of its own, so
                that a hostile clip ends that process alone; or a function that makes one, called
                in the job's thread, for clips that are trusted.
            options: how to read and write.
        """
        self.folder = source.parent
        self.clip = self.folder / "annotated.mp4"
        self.tables = {kind: self.folder / name for kind, name in TABLES.items()}
        self.table = self.tables["csv"]
        self.started = time.time()
        self.state: State = "waiting"
        self.progress: VideoProgress | None = None
        self.report: VideoReport | None = None
        self.error: str | None = None
        self._source = source
        self._analyzer = analyzer
        self._options = options
        self._cancelled = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fer-video-job", daemon=True)
        self._thread.start()

    @property
    def at_work(self) -> bool:
        """Whether it is waiting or running."""
        return self.state in ("waiting", "running")

    def cancel(self) -> None:
        """Stop soon; nothing is kept. Does nothing when it has ended."""
        self._cancelled.set()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until it has ended; whether it has."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not _SLOTS.acquire(timeout=0.1):
            if self._cancelled.is_set():
                self.state = "cancelled"
                return
        try:
            self.state = "running"
            self._annotate()
        finally:
            _SLOTS.release()

    def _annotate(self) -> None:
        try:
            self.report = self._work()
        except VideoCancelled:
            self.state = "cancelled"
        except FerError as error:
            self.error, self.state = str(error), "failed"
        except Exception as error:
            _log.exception("A clip failed")
            self.error = (
                f"The clip could not be annotated ({type(error).__name__}: {error}). "
                "Try another clip; the terminal that runs this page says more."
            )
            self.state = "failed"
        else:
            self.state = "done"
        finally:
            self._source.unlink(missing_ok=True)

    def _work(self) -> VideoReport:
        if not callable(self._analyzer):
            return annotate_confined(
                self._source,
                self.clip,
                self._analyzer,
                options=self._options,
                tables=self.tables,
                progress=self._note,
                cancelled=self._cancelled.is_set,
            )
        with self._analyzer() as analyzer:
            return annotate_video(
                self._source,
                self.clip,
                analyzer,
                options=self._options,
                progress=self._note,
                cancelled=self._cancelled,
                **self.tables,
            )

    def _note(self, progress: VideoProgress) -> None:
        self.progress = progress
