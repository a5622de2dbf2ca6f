"""Workers that are kept for the next file, so that nobody waits for one to start."""

from __future__ import annotations

import threading
import time
from typing import Any

from fer_core.closing import Closing
from fer_core.confined.limits import Limits
from fer_core.confined.worker import Worker

__all__ = ["WorkerPool"]


class WorkerPool(Closing):
    """Asks whichever worker is free; one that died is replaced. Any thread may call it."""

    def __init__(self, limits: Limits, most: int = 2, idle_seconds: float = 600.0) -> None:
        """Nothing is started before the first call.

        Args:
            limits: of each call.
            most: workers at once; who comes then waits.
            idle_seconds: one that was not asked for this long is ended.
        """
        self._limits = limits
        self._idle_seconds = idle_seconds
        self._turns = threading.BoundedSemaphore(most)
        self._idle: list[tuple[Worker, float]] = []
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._closed = False

    def call(self, function: str, *arguments: Any, **options: Any) -> Any:
        """As `Worker.call`, with its arguments and errors."""
        with self._turns:
            worker = self._take() or Worker(self._limits)
            try:
                return worker.call(function, *arguments, **options)
            finally:
                self._give_back(worker)

    def close(self) -> None:
        """End those that are idle; those at work end with their call."""
        with self._lock:
            self._closed = True
            workers, self._idle = [worker for worker, _ in self._idle], []
            if self._timer is not None:
                self._timer.cancel()
        for worker in workers:
            worker.close()

    def _take(self) -> Worker | None:
        with self._lock:
            while self._idle:
                worker = self._idle.pop()[0]
                if worker.alive:
                    return worker
                worker.close()
        return None

    def _give_back(self, worker: Worker) -> None:
        with self._lock:
            kept = worker.alive and not self._closed
            if kept:
                self._idle.append((worker, time.monotonic()))
                if self._timer is None:
                    self._look_later(self._idle_seconds)
        if not kept:
            worker.close()

    def _look_later(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._end_idle)
        self._timer.daemon = True
        self._timer.start()

    def _end_idle(self) -> None:
        now = time.monotonic()
        with self._lock:
            old = [each for each in self._idle if now - each[1] >= self._idle_seconds]
            self._idle = [each for each in self._idle if each not in old]
            self._timer = None
            if self._idle and not self._closed:
                oldest = min(since for _, since in self._idle)
                self._look_later(max(0.1, oldest + self._idle_seconds - now))
        for worker, _ in old:
            worker.close()
