"""One viewer's clips: what waits, what is at work, what has ended. Nothing here draws anything."""

from __future__ import annotations

import logging
import secrets
import shutil
import tempfile
import threading
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal

from fer_core.errors import FerError, VideoError
from fer_core.video import VideoOptions
from ui.video_files import again, new_folder, store
from ui.video_job import MakeAnalyzer, VideoJob

if TYPE_CHECKING:
    from fer_core.analyzer import AnalyzerOptions

_log = logging.getLogger(__name__)

MOST_CLIPS = 20
"""In one viewer's list; each may be as large as an upload can be."""

State = Literal["ready", "queued", "waiting", "running", "done", "cancelled", "failed"]


@dataclass(frozen=True)
class Order:
    """How a clip is to be annotated.

    Attributes:
        analyzer: options of the analyser, or a function that makes one; see `VideoJob`.
        options: how to read and write.
        words: the same for people; may be empty.
    """

    analyzer: AnalyzerOptions | MakeAnalyzer
    options: VideoOptions
    words: str = ""


class QueuedClip:
    """One clip of the list. All attributes may be read from any thread.

    Attributes:
        id: names it in the page; says nothing about it.
        name: what it was called where it came from; for people only, and untrusted.
        size: bytes.
        folder: where everything of it lies.
        order: how it is or was to be annotated; None before it is asked for.
        job: the job of its last attempt, or None.
        error: a sentence, when the state is `failed`.
    """

    def __init__(self, name: str, upload: Path, folder: Path) -> None:
        self.id = secrets.token_hex(6)
        self.name = name
        self.size = upload.stat().st_size
        self.folder = folder
        self.order: Order | None = None
        self.job: VideoJob | None = None
        self.error: str | None = None
        self._upload = upload
        self._rest: Literal["ready", "queued", "cancelled", "failed"] = "ready"

    @property
    def state(self) -> State:
        """How far it is."""
        job = self.job
        return self._rest if job is None else job.state

    @property
    def active(self) -> bool:
        """Whether it is in line or at work."""
        return self.state in ("queued", "waiting", "running")

    def ask(self, order: Order) -> None:
        """Put it in line."""
        self.order, self.job, self.error, self._rest = order, None, None, "queued"

    def cancel(self) -> None:
        """Stop soon, or leave the line."""
        if self.job is not None:
            self.job.cancel()
        elif self._rest == "queued":
            self._rest = "cancelled"

    def begin(self) -> VideoJob | None:
        """Its turn has come; None when it could not begin."""
        assert self.order is not None
        try:
            attempt = Path(tempfile.mkdtemp(dir=self.folder))
            source = again(self._upload, attempt)
            self.job = VideoJob(source, self.order.analyzer, self.order.options)
        except FerError as error:
            self.error, self._rest = str(error), "failed"
        except Exception as error:
            # The line must go on, whatever is wrong with this one.
            _log.exception("A clip could not begin")
            self.error = f"The clip could not be begun ({type(error).__name__}: {error}). Retry it."
            self._rest = "failed"
        return self.job

    def settle(self, job: VideoJob) -> None:
        """The job has ended: keep what it made, or what it takes to try again, never both."""
        if job.state == "done":
            self._upload.unlink(missing_ok=True)
            return
        if self.job is job:  # not asked for again in the meantime
            self.error = job.error
        shutil.rmtree(job.folder, ignore_errors=True)

    def forget(self) -> None:
        """Stop and delete everything; waits for the job."""
        job = self.job
        if job is not None:
            job.cancel()
            job.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class Workplace:
    """One viewer's folder and clips, one of which is at work at a time.

    May be used by several sessions at once: two tabs of one browser, or the page before and after
    a reload. File names in the folder are ours; nobody else can read it.
    """

    def __init__(self) -> None:
        self.folder = new_folder()
        self.closed = False
        self._clips: list[QueuedClip] = []
        self._lock = threading.Lock()
        self._worker: threading.Thread | None = None
        # Also when the process ends without telling us.
        self._remove = weakref.finalize(self, shutil.rmtree, self.folder, True)

    @property
    def clips(self) -> tuple[QueuedClip, ...]:
        """All of them, in the order in which they came."""
        with self._lock:
            return tuple(self._clips)

    def find(self, clip_id: str | None) -> QueuedClip | None:
        """The clip with this id; None when it is not there (any more)."""
        return next((clip for clip in self.clips if clip.id == clip_id), None)

    def add(self, name: str, upload: BinaryIO) -> QueuedClip:
        """Take in an upload.

        Raises:
            VideoError: the list or the disk is full.
        """
        if len(self.clips) >= MOST_CLIPS:
            raise VideoError(
                f"{name} was not taken: the list holds {MOST_CLIPS} clips at most. "
                "Remove one and upload it again."
            )
        self.folder.mkdir(mode=0o700, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        try:
            clip = QueuedClip(name, store(upload, folder), folder)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        with self._lock:
            self._clips.append(clip)
        return clip

    def ask(self, clips: list[QueuedClip], order: Order) -> None:
        """Put those of `clips` in line that are not there yet."""
        with self._lock:
            for clip in clips:
                if clip in self._clips and not clip.active:
                    clip.ask(order)
            if self._worker is None and not self.closed:
                self._worker = threading.Thread(
                    target=self._work, name="fer-video-queue", daemon=True
                )
                self._worker.start()

    def cancel(self, clip: QueuedClip) -> None:
        """Stop one clip; the next in line begins."""
        with self._lock:
            clip.cancel()

    def remove(self, clip: QueuedClip) -> None:
        """Take a clip off the list and delete its files, at once or when its job has stopped."""
        with self._lock:
            if clip not in self._clips:
                return
            self._clips.remove(clip)
            clip.cancel()
        threading.Thread(target=clip.forget, name="fer-video-forget", daemon=True).start()

    def close(self) -> None:
        """The viewer is gone. Does not wait for the job, which may need a moment to stop."""
        with self._lock:
            self.closed = True
            clips, self._clips = self._clips, []
            for clip in clips:
                clip.cancel()
        threading.Thread(
            target=self._close, args=(clips,), name="fer-video-close", daemon=True
        ).start()

    def _close(self, clips: list[QueuedClip]) -> None:
        for clip in clips:
            clip.forget()
        self._remove()

    def _work(self) -> None:
        while True:
            with self._lock:
                clip = next((clip for clip in self._clips if clip.state == "queued"), None)
                if clip is None:
                    self._worker = None
                    return
                job = clip.begin()
            if job is not None:
                job.wait()
                clip.settle(job)
