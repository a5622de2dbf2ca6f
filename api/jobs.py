"""The queue of clips: a few may wait, one is worked on, all are gone after a while."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import tempfile
import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from api.choices import Choice
from api.errors import Refusal, no_room
from api.job import Job
from api.settings import ApiSettings
from fer_core.video import VideoOptions
from fer_core.video.slots import SLOTS

__all__ = ["JobQueue"]

FOLDERS = "fer-live-clip-"
"""Start of the names of folders of clips, with the process that owns them behind it. The page's
are called alike: whoever starts next removes those of processes that are gone."""

LOOK_SECONDS = 0.5


class JobQueue:
    """Jobs by number. Methods may be called from any thread."""

    def __init__(self, settings: ApiSettings, clock: Callable[[], float] = time.monotonic) -> None:
        """Open for work; no folder and no thread is made before the first clip."""
        self._settings = settings
        self._clock = clock
        self._options = VideoOptions(name="The clip", max_seconds=60.0 * settings.video_minutes)
        self._jobs: dict[str, Job] = {}
        self._reserved = 0
        self._root: Path | None = None
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._news = threading.Event()
        self._closed = threading.Event()

    @property
    def options(self) -> VideoOptions:
        """How clips are read."""
        return self._options

    @contextlib.contextmanager
    def place(self) -> Iterator[Path]:
        """A new folder for a clip that is about to come, and a place in the queue.

        Raises:
            Refusal: 503, the queue is full; 507, the disk is.
        """
        with self._lock:
            self._refuse_when_full()
            try:
                folder = Path(tempfile.mkdtemp(dir=self._folder()))
            except OSError as error:
                raise no_room("clip", error) from None
            self._reserved += 1
        try:
            yield folder
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        finally:
            with self._lock:
                self._reserved -= 1

    def add(self, folder: Path, choice: Choice) -> Job:
        """Put the clip in `folder`, which `place` gave, into the queue."""
        job = Job(secrets.token_hex(16), folder, choice, self._options)
        with self._lock:
            self._jobs[job.number] = job
            if not self._threads:
                for name, work in (("clips", self._work), ("keeper", self._keep)):
                    thread = threading.Thread(target=work, name=f"fer-api-{name}", daemon=True)
                    self._threads.append(thread)
                    thread.start()
        self._news.set()
        return job

    def get(self, number: str) -> Job:
        """The job called `number`.

        Raises:
            Refusal: 404.
        """
        job = self._jobs.get(number)
        if job is None or self._is_over(job):
            raise Refusal(
                404,
                f"There is no job {number[:80]!r}. Jobs and their files are deleted "
                f"{self._settings.keep_minutes} minutes after their end.",
            )
        return job

    def remove(self, number: str) -> None:
        """Stop the job and delete everything of it.

        Raises:
            Refusal: 404.
        """
        job = self.get(number)
        with self._lock:
            self._jobs.pop(number, None)
        job.cancelled.set()
        if job.state != "running":  # else by its own thread, when it has stopped
            job.remove()

    def counts(self) -> Counter[str]:
        """Jobs by state."""
        return Counter(job.state for job in list(self._jobs.values()))

    def close(self) -> None:
        """Stop, and delete everything."""
        self._closed.set()
        for job in list(self._jobs.values()):
            job.cancelled.set()
        self._news.set()
        for thread in self._threads:
            thread.join(10)
        if self._root is not None:
            shutil.rmtree(self._root, ignore_errors=True)

    def _refuse_when_full(self) -> None:
        waiting = sum(job.state == "waiting" for job in self._jobs.values())
        if waiting + self._reserved >= self._settings.waiting_videos:
            raise Refusal(
                503,
                f"{waiting + self._reserved} clips are waiting already. Try again later.",
                {"Retry-After": "60"},
            )

    def _folder(self) -> Path:
        if self._root is None:
            self._root = Path(tempfile.mkdtemp(prefix=f"{FOLDERS}{os.getpid()}-"))
            # Also when the process ends without telling us.
            weakref.finalize(self, shutil.rmtree, self._root, True)
        return self._root

    def _work(self) -> None:
        while not self._closed.is_set():
            self._news.wait(LOOK_SECONDS)
            self._news.clear()
            while (job := self._next()) is not None:
                if self._slot_for(job):
                    try:
                        job.run()
                    finally:
                        SLOTS.release()
                if job.number not in self._jobs:
                    job.remove()

    def _slot_for(self, job: Job) -> bool:
        """Wait for a turn: the page's clips are worked on in the same slots."""
        while not SLOTS.acquire(timeout=LOOK_SECONDS):
            if job.cancelled.is_set():
                return False
        return True

    def _next(self) -> Job | None:
        for job in list(self._jobs.values()):
            if job.state == "waiting" and not self._closed.is_set():
                return job
        return None

    def _keep(self) -> None:
        while not self._closed.wait(LOOK_SECONDS):
            self.forget_old()

    def forget_old(self) -> None:
        """Delete what has been kept for long enough, and the oldest of what is too much."""
        with self._lock:
            ended = [job for job in self._jobs.values() if job.ended is not None]
            ended.sort(key=lambda job: job.ended or 0.0)
            too_many = ended[: max(0, len(ended) - self._settings.kept_videos)]
            old = [job for job in ended if job in too_many or self._is_over(job)]
            for job in old:
                del self._jobs[job.number]
        for job in old:
            job.remove()

    def _is_over(self, job: Job) -> bool:
        ended = job.ended
        return ended is not None and self._clock() - ended > 60.0 * self._settings.keep_minutes
