"""The writer beside a live stream: takes frames from the callback and writes them elsewhere."""

from __future__ import annotations

import contextlib
import logging
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from fer_core.errors import OptionError
from fer_core.recording.rows import RecordedFrame, RowFiles
from fer_core.results import FrameResult

if TYPE_CHECKING:
    from fer_core.detectors.base import Picture
    from fer_core.recording.clip import FragmentedClip

__all__ = ["LiveRecorder", "RecordingOptions", "RecordingStatus"]

_log = logging.getLogger(__name__)

SYNC_SECONDS = 0.8
"""How often everything goes to the operating system, so that under a second of it is lost with the
process. Waiting for the disk itself (fsync) took seconds on a busy machine, and is left to it."""
MOST_PICTURES = 16
"""Waiting to be encoded; 44 MB at 1280x720."""
MOST_ROWS = 3000
"""Waiting to be written; 100 seconds at 30 frames a second."""
STOP_SECONDS = 20.0


@dataclass(frozen=True)
class RecordingOptions:
    """How much is recorded at most; the recording then ends by itself.

    Attributes:
        max_seconds: how long, above 0.
        max_bytes: how large, all files together, above 0.
        min_free_bytes: room that is left to others on the disk.
        clip: whether the pictures are written too, and not only the rows.
    """

    max_seconds: float = 3600.0
    max_bytes: int = 500_000_000
    min_free_bytes: int = 200_000_000
    clip: bool = True

    def __post_init__(self) -> None:
        if not (self.max_seconds > 0 and self.max_bytes > 0 and self.min_free_bytes >= 0):
            raise OptionError(
                "A recording needs max_seconds and max_bytes above 0 and min_free_bytes of 0 or "
                f"more. Received: {self.max_seconds}, {self.max_bytes}, {self.min_free_bytes}."
            )


@dataclass(frozen=True)
class RecordingStatus:
    """Where a recording stands.

    Attributes:
        active: whether it takes frames.
        seconds: from its start to its newest frame.
        frames: taken so far.
        dropped: frames whose picture was left out of the clip because the disk or the encoder
            could not follow; their rows are there.
        lost: frames that are not in any file, for the same reason.
        bytes: on disk.
        sentence: why it ended by itself, or what went wrong; else None.
    """

    active: bool = False
    seconds: float = 0.0
    frames: int = 0
    dropped: int = 0
    lost: int = 0
    bytes: int = 0
    sentence: str | None = None


class LiveRecorder:
    """Writes `clip.mp4`, `faces.csv`, `frames.jsonl` and `faces.parquet` into a folder.

    `put` is called by the stream and never waits for the disk, never raises. Whatever goes wrong
    ends the recording with one sentence in `status`; the stream goes on.
    """

    def __init__(
        self,
        folder: Path,
        options: RecordingOptions | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin a recording.

        Args:
            folder: where the files will be; made if it is not there, and must be empty.
            options: None for the defaults.
            clock: seconds that never go back.

        Raises:
            OptionError: the folder cannot be made or written.
        """
        self.folder = folder
        self.options = options or RecordingOptions()
        self._clock = clock
        self._began: float | None = None
        self._waiting: deque[tuple[RecordedFrame, Picture | None]] = deque()
        self._pictures = 0
        self._frames = self._dropped = self._lost = self._bytes = 0
        self._seconds = 0.0
        self._active = True
        self._sentence: str | None = None
        self._clip: FragmentedClip | None = None
        self._changed = threading.Condition()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._rows = RowFiles(folder)
        except OSError as error:
            raise OptionError(
                f"Nothing can be recorded in {folder}: {error.strerror or error}. "
                "Make room or choose another place."
            ) from None
        self._thread = threading.Thread(target=self._work, name="live-recorder", daemon=True)
        self._thread.start()

    def put(self, picture: Picture, result: FrameResult, markers: Iterable[str] = ()) -> None:
        """Take one frame. Called by the stream's thread; returns at once.

        Args:
            picture: RGB uint8 (height, width, 3) as it is shown; nobody may change it afterwards.
            result: what was found in it.
            markers: notes that the viewer gave since the frame before.
        """
        now = self._clock()
        with self._changed:
            if not self._active:
                return
            if self._began is None:
                self._began = now
            seconds = max(0.0, now - self._began)
            if seconds > self.options.max_seconds:
                self._end(f"after {_in_words(self.options.max_seconds)}, the most it may last")
                return
            if len(self._waiting) >= MOST_ROWS:
                self._lost += 1
                return
            keeps = self.options.clip and self._pictures < MOST_PICTURES
            if self.options.clip and not keeps:
                self._dropped += 1
            time_now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
            frame = RecordedFrame(self._frames, time_now, seconds, result, tuple(markers))
            self._waiting.append((frame, picture if keeps else None))
            self._pictures += keeps
            self._frames += 1
            self._seconds = seconds
            self._changed.notify()

    def status(self) -> RecordingStatus:
        """Where it stands."""
        with self._changed:
            return RecordingStatus(
                self._active,
                self._seconds,
                self._frames,
                self._dropped,
                self._lost,
                self._bytes,
                self._sentence,
            )

    def stop(self, wait: float = STOP_SECONDS) -> RecordingStatus:
        """End it and wait for the files, at most `wait` seconds; calling it twice is allowed."""
        with self._changed:
            self._active = False
            self._changed.notify()
        self._thread.join(wait)
        return self.status()

    def files(self) -> list[Path]:
        """What there is to keep, by name; Parquet only once the recording has ended."""
        names = ("clip.mp4", "faces.csv", "faces.parquet", "frames.jsonl")
        found = [self.folder / name for name in names]
        return [file for file in found if file.is_file() and file.stat().st_size]

    def _work(self) -> None:
        synced = self._clock()
        try:
            while True:
                with self._changed:
                    if not self._waiting and self._active:
                        self._changed.wait(SYNC_SECONDS / 2)
                    taken = self._waiting.popleft() if self._waiting else None
                    over = taken is None and not self._active
                if taken is not None:
                    self._write(*taken)
                if over:
                    break
                if self._clock() - synced >= SYNC_SECONDS:
                    self._sync()
                    synced = self._clock()
            self._finish()
        except Exception as error:
            self._fail(error)

    def _write(self, frame: RecordedFrame, picture: Picture | None) -> None:
        self._rows.write(frame)
        if picture is None:
            return
        try:
            if self._clip is None:
                from fer_core.recording.clip import FragmentedClip

                size = (picture.shape[1], picture.shape[0])
                self._clip = FragmentedClip(self.folder / "clip.mp4", size)
            self._clip.write(picture, frame.seconds)
        finally:
            with self._changed:
                self._pictures -= 1

    def _sync(self) -> None:
        self._rows.sync()
        size = self._rows.bytes + (0 if self._clip is None else self._clip.bytes)
        free = shutil.disk_usage(self.folder).free
        with self._changed:
            self._bytes = size
            if size >= self.options.max_bytes:
                self._end(f"at {self.options.max_bytes / 1e6:.0f} MB, the most it may have")
            elif free < self.options.min_free_bytes:
                self._end(f"because only {free / 1e6:.0f} MB are left on the disk")

    def _end(self, why: str) -> None:
        """Take no more frames; what waits is still written. The lock is held."""
        if self._active:
            self._active = False
            self._sentence = f"The recording ended by itself {why}. It can be downloaded."

    def _finish(self) -> None:
        try:
            if self._clip is not None:
                self._clip.close()
        finally:
            self._rows.close()
        with self._changed:
            self._bytes = sum(file.stat().st_size for file in self.files())

    def _fail(self, error: Exception) -> None:
        _log.error("A recording failed", exc_info=error)
        why = getattr(error, "strerror", None) or " ".join(f"{error}".split()) or repr(error)
        with self._changed:
            self._active = False
            self._waiting.clear()
            self._sentence = (
                f"The recording ended because it could not be written ({why}). "
                "The live picture goes on, and what was written before is kept. "
                "Make room on the server's disk and record again."
            )
        with contextlib.suppress(Exception):
            if self._clip is not None:
                self._clip.abandon()
        with contextlib.suppress(Exception):
            self._rows.close()


def _in_words(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:.0f} seconds"
