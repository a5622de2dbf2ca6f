"""Several viewers on one machine: how many frames of each are worked on.

The machine holds so many seconds of work a second. While all viewers together ask for less, each
gets every frame of its camera. When they ask for more, those who came first keep their rate, and
those who came last share what is left, evenly, and never less than `floor` frames a second each.
How much the machine holds is not guessed: the limit goes down while the process keeps the cores
busier than `busy`, or while frames take `slow` times as long as they do at best (as when threads
wait for the interpreter's lock) and so long that little time is left until the next one comes, and
up again while there is room. Who is alone gets every frame.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from fer_core.cores import available_cores
from fer_core.errors import OptionError

__all__ = ["Governor", "GovernorOptions", "Seat", "process_governor"]

_SMOOTHING = 0.1
"""Share of the newest frame in the running means of cost and rate."""
_AWAY = 2.0
"""Seconds without a frame after which a viewer counts as gone, until the next one comes."""


@dataclass(frozen=True)
class GovernorOptions:
    """How the machine is shared.

    Attributes:
        busy: share of the cores, 0 to 1, above which viewers get fewer frames.
        free: share of the cores under which they get more again; below `busy`.
        slow: how many times as long as at best a frame may take before there is no more room;
            above 1.
        full: share of the time from one frame to the next that a frame may take, however slow,
            while there is room. On a quick machine on which another program starts frames take
            three times as long, and are ready long before the next one all the same.
        floor: frames a second that nobody falls below.
        start: share of the cores that work on frames may take before anything was measured.
    """

    busy: float = 0.9
    free: float = 0.75
    slow: float = 2.5
    full: float = 0.5
    floor: float = 2.0
    start: float = 0.5

    def __post_init__(self) -> None:
        shares = 0 < self.free < self.busy <= 1 and 0 < self.start <= 1
        if not (shares and self.floor > 0 and self.slow > 1 and self.full > 0):
            raise OptionError(
                "A governor needs 0 < free < busy <= 1, 0 < start <= 1, floor > 0, slow > 1 and "
                f"full > 0. Received: {self}."
            )


class Seat:
    """One viewer's place. Made by `Governor.join`; used by the thread of that viewer's stream."""

    def __init__(self, governor: Governor, number: int) -> None:
        self._governor = governor
        self.number = number
        self.cost = 0.0
        self.best = 0.0
        self.rate = 0.0
        self.allowed = float("inf")
        self._frames = 0
        self._last_asked: float | None = None
        self._credit = 1.0

    @property
    def limited(self) -> bool:
        """Whether this viewer gets fewer frames than the camera sends."""
        return self.allowed < 0.95 * self.rate

    def here(self, now: float) -> bool:
        """Whether frames come: those of a page that is gone stop long before its stream ends."""
        return self.cost > 0 and self._last_asked is not None and now - self._last_asked < _AWAY

    def due(self) -> bool:
        """Whether the frame that has just come is to be worked on."""
        now = self._governor.now()
        gone = 0.0 if self._last_asked is None else max(0.0, now - self._last_asked)
        if self._last_asked is not None and 0 < gone < _AWAY:
            rate = 1.0 / gone
            self.rate = rate if not self.rate else self.rate + _SMOOTHING * (rate - self.rate)
        self._last_asked = now
        self._governor.settle()
        if not self.limited:
            self._credit = 1.0
            return True
        # At most one frame is saved up, or a stutter would be followed by a burst.
        self._credit = min(1.0, self._credit + gone * self.allowed)
        # Rates are means, and a frame that comes a moment early is not to be missed for that.
        if self._credit < 0.999:
            return False
        self._credit -= 1.0
        return True

    def worked(self, seconds: float) -> None:
        """A frame took so long."""
        self._frames += 1
        # At first the mean of all frames: the first one alone says little.
        self.cost += max(_SMOOTHING, 1 / self._frames) * (seconds - self.cost)
        if self._frames * _SMOOTHING < 1:
            return
        # Of means: single frames differ by more than a crowd makes them. It rises slowly, so that a
        # larger picture or another detector is not taken for a crowd.
        self.best = min(self.cost, 1.002 * self.best) if self.best else self.cost

    def leave(self) -> None:
        """The stream has ended; calling it twice is allowed."""
        self._governor.leave(self)


class Governor:
    """Shares the machine between the viewers of this process. Any thread.

    Args:
        options: None for the defaults.
        cores: that the process may use; None counts them.
        clock: seconds that never go back.
        used: seconds of processor time that the process has used so far, all cores together.
    """

    def __init__(
        self,
        options: GovernorOptions | None = None,
        cores: int | None = None,
        clock: Callable[[], float] = time.monotonic,
        used: Callable[[], float] = time.process_time,
    ) -> None:
        self.options = options or GovernorOptions()
        self._cores = cores or available_cores()
        self.now = clock
        self._used = used
        self._lock = threading.Lock()
        self._seats: list[Seat] = []
        self._numbers = itertools.count(1)
        self._limit = self.options.start * self._cores
        self._settled = clock()
        self._used_then = used()
        self.load = 0.0

    def join(self) -> Seat:
        """A place for another viewer, behind all others."""
        with self._lock:
            seat = Seat(self, next(self._numbers))
            self._seats.append(seat)
            return seat

    def leave(self, seat: Seat) -> None:
        """Give a place back."""
        with self._lock:
            if seat in self._seats:
                self._seats.remove(seat)
                self._share()

    @property
    def viewers(self) -> int:
        """How many streams there are."""
        return len(self._seats)

    def settle(self) -> None:
        """Measure and share anew, twice a second; costs nothing in between."""
        if self.now() - self._settled < 0.5:
            return
        with self._lock:
            now = self.now()
            gone = now - self._settled
            if gone < 0.5:
                return
            used = self._used()
            self.load = (used - self._used_then) / gone / self._cores
            self._settled, self._used_then = now, used
            # A limit that nobody reaches says nothing about the machine, and is left alone.
            here = [seat for seat in self._seats if seat.here(now)]
            asked = sum(seat.cost * seat.rate for seat in here)
            pressure = self._pressure(here)
            if self.load > self.options.busy or pressure > 1:
                self._limit = max(0.02 * self._cores, 0.85 * min(self._limit, asked or self._limit))
            elif self.load < self.options.free and pressure < 0.8:
                self._limit = min(float(self._cores), 1.15 * self._limit)
            self._share()

    def _pressure(self, here: list[Seat]) -> float:
        """Above 1 where frames are both slow and late, for half of the viewers at least."""
        pressed = sorted(
            min(
                seat.cost / seat.best / self.options.slow,
                seat.cost * seat.rate / self.options.full,
            )
            for seat in here
            if seat.best > 0
        )
        return pressed[len(pressed) // 2] if pressed else 0.0

    def _share(self) -> None:
        """The oldest first; who does not fit and all who came later share what is left."""
        left = self._limit
        now = self.now()
        waiting = [seat for seat in self._seats if seat.here(now)]
        if len(waiting) == 1:
            waiting[0].allowed = float("inf")
            return
        for at, seat in enumerate(waiting):
            later = waiting[at + 1 :]
            spared = sum(min(self.options.floor, other.rate) * other.cost for other in later)
            if seat.rate * seat.cost <= left - spared:
                seat.allowed = float("inf")
                left -= seat.rate * seat.cost
                continue
            rest = [seat, *later]
            even = left / sum(other.cost for other in rest)
            for other in rest:
                other.allowed = max(self.options.floor, even)
            return


_process: Governor | None = None
_process_lock = threading.Lock()


def process_governor() -> Governor:
    """The one that all live streams of this process share."""
    global _process
    with _process_lock:
        if _process is None:
            _process = Governor()
        return _process
