"""One clip that is annotated, with everything that was found written beside it."""

from __future__ import annotations

import datetime
import logging
import shutil
import threading
import time
from pathlib import Path
from typing import Any, Literal

from api.choices import Choice
from fer_core.confined.clips import annotate_confined, confined_options
from fer_core.errors import FerError, VideoCancelled
from fer_core.video import VideoOptions, VideoProgress, VideoReport

__all__ = ["RESULTS", "Job", "State"]

_log = logging.getLogger(__name__)

State = Literal["waiting", "running", "done", "failed", "cancelled"]

RESULTS: dict[str, str] = {
    "annotated.mp4": "video/mp4",
    "faces.csv": "text/csv",
    "faces.jsonl": "application/jsonl",
}
"""Files that a job makes, and their media types."""


class Job:
    """One job. All attributes may be read from any thread.

    Attributes:
        number: what callers know it by; cannot be guessed.
        folder: where its files lie.
        choice: how the clip is read.
        state: how far it is.
        progress: the last word of it, or None.
        report: what was found, when the state is `done`.
        error: a sentence, when the state is `failed`.
        ended: when it did, by `time.monotonic`; None before.
    """

    def __init__(self, number: str, folder: Path, choice: Choice, options: VideoOptions) -> None:
        """A job on the clip `folder / "upload"`; it waits until `run` is called."""
        self.number = number
        self.folder = folder
        self.choice = choice
        self.state: State = "waiting"
        self.progress: VideoProgress | None = None
        self.report: VideoReport | None = None
        self.error: str | None = None
        self.ended: float | None = None
        self.created = datetime.datetime.now(datetime.timezone.utc)
        self.cancelled = threading.Event()
        self._options = options

    @property
    def source(self) -> Path:
        """The clip, deleted when the job has ended."""
        return self.folder / "upload"

    def run(self) -> None:
        """Do it, in this thread."""
        if self.cancelled.is_set():
            self._end("cancelled")
            return
        self.state = "running"
        try:
            self._annotate()
        except VideoCancelled:
            self._end("cancelled")
        except FerError as error:
            self.error = str(error)
            self._end("failed")
        except Exception as error:
            _log.exception("A clip failed")
            self.error = (
                f"The clip could not be annotated ({type(error).__name__}). "
                "Try another clip; the terminal of the server says more."
            )
            self._end("failed")
        else:
            self._end("done")

    def remove(self) -> None:
        """Delete everything of it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def to_dict(self) -> dict[str, Any]:
        """The job as callers see it, but for the addresses of its files."""
        progress, report = self.progress, self.report
        return {
            "id": self.number,
            "state": self.state,
            "created": self.created.isoformat(timespec="seconds"),
            "model": self.choice.model,
            "detector": self.choice.detector,
            "progress": None
            if progress is None
            else {
                "fraction": progress.fraction,
                "frames": progress.frames,
                "position": progress.position,
                "elapsed": progress.elapsed,
                "seconds_left": progress.seconds_left,
            },
            "report": None
            if report is None
            else {
                "width": report.info.width,
                "height": report.info.height,
                "frames": report.frames,
                "seconds": report.seconds,
                "faces": report.faces,
                "tracks": report.tracks,
                "label_counts": report.label_counts,
                "elapsed": report.elapsed,
                "warnings": list(report.warnings),
            },
            "error": self.error,
        }

    def _annotate(self) -> None:
        choice = self.choice
        self.report = annotate_confined(
            self.source,
            self.folder / "annotated.mp4",
            confined_options(choice.detector, choice.model, choice.min_confidence),
            options=self._options,
            tables={"csv": self.folder / "faces.csv", "jsonl": self.folder / "faces.jsonl"},
            progress=self._note,
            cancelled=self.cancelled.is_set,
        )

    def _note(self, progress: VideoProgress) -> None:
        self.progress = progress

    def _end(self, state: State) -> None:
        self.source.unlink(missing_ok=True)
        self.ended = time.monotonic()
        self.state = state
