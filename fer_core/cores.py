"""How many cores there are to share, and how many threads one call takes of them."""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from fer_core.errors import OptionError

__all__ = [
    "Cores",
    "available_cores",
    "half_of_the_cores",
    "process_cores",
    "threads_in_words",
]

QUOTA_FILE = Path("/sys/fs/cgroup/cpu.max")
"""What a container may use, as `microseconds period` or `max period` (Linux, cgroup version 2)."""

CROWDED_SECONDS = 0.5
"""So long after calls have met, each still has one core."""
PAUSE_SECONDS = 0.010
"""After a longer time without a call the other cores sleep."""
WAKING_SECONDS = 0.010
"""So much work later it pays to wake them. A frame of a camera with one face in it is done before:
with two threads for detector and network it took 9.7 ms, with one 8.4 (medians, two cores with
AVX2), where frames that follow each other at once took 5.3 and 7.4."""


def available_cores(quota_file: Path = QUOTA_FILE) -> int:
    """Cores that this process may use: those it is bound to, up to its container's share.

    Args:
        quota_file: the container's share; ignored where there is none.
    """
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    try:
        quota, period = map(int, quota_file.read_text(encoding="ascii").split())
    except (OSError, ValueError):
        return cores
    return max(1, min(cores, round(quota / period))) if period > 0 else cores


def half_of_the_cores() -> int:
    """What a stage may take that runs beside others: half of the cores, at least one."""
    return max(1, available_cores() // 2)


class Cores:
    """Cores that calls share, so that a call alone is quick and calls together do not fight.

    Several threads finish a call sooner, but take more of the cores' time for it than one would,
    and to wake a core takes time too. So a call has as many as it can use in the midst of work, and
    while it is alone; once calls have met, each has one core until they have kept out of each
    other's way for `CROWDED_SECONDS`.

    Any thread may ask.
    """

    def __init__(self, count: int, clock: Callable[[], float] = time.monotonic) -> None:
        """
        Args:
            count: how many there are.
            clock: seconds that never go back.

        Raises:
            OptionError: there is none.
        """
        if count < 1:
            raise OptionError(f"There must be at least 1 core. Received: {count}.")
        self._count = self._free = count
        self._clock = clock
        self._crowded_until = self._awake_from = -math.inf
        self._ended = clock()
        self._changed = threading.Condition()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Say that other work goes on meanwhile, so that it is not taken for a pause."""
        with self._changed:
            self._begin()
        try:
            yield
        finally:
            with self._changed:
                self._ended = self._clock()

    @contextmanager
    def set_aside(self, count: int) -> Iterator[None]:
        """Leave `count` cores, or all but one, to work that keeps them busy and does not ask."""
        with self._changed:
            count = max(0, min(count, self._count - 1))
            self._count -= count
            self._free -= count
        try:
            yield
        finally:
            with self._changed:
                self._count += count
                self._free += count
                self._changed.notify_all()

    @contextmanager
    def taken(self, most: int) -> Iterator[int]:
        """Have `most` cores while no other call wants them, one otherwise; wait while none is free.

        Args:
            most: at least 1; more than there are is as good as all of them.
        """
        with self._changed:
            most = min(most, self._count)
            if self._free < most:
                self._crowded_until = self._clock() + CROWDED_SECONDS
            self._changed.wait_for(lambda: self._free > 0)
            now = self._begin()
            several = now >= max(self._crowded_until, self._awake_from) and self._free >= most
            count = most if several else 1
            self._free -= count
        try:
            yield count
        finally:
            with self._changed:
                self._free += count
                self._ended = self._clock()
                self._changed.notify_all()

    def _begin(self) -> float:
        now = self._clock()
        if now - self._ended > PAUSE_SECONDS:
            self._awake_from = now + WAKING_SECONDS
        return now


@cache
def process_cores() -> Cores:
    """Those of this process."""
    return Cores(available_cores())


def threads_in_words(threads: int) -> str:
    """`1 thread`, `2 threads`."""
    return f"{threads} thread{'s' if threads > 1 else ''}"
