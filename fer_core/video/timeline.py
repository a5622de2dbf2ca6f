"""Presentation times: the file's own where they make sense, the next likely ones elsewhere."""

from __future__ import annotations

from fractions import Fraction

from fer_core.video.contracts import TICKS

JUMP_MAX = 600
"""A gap over this many seconds in a clip of unknown length is a damaged time, not a pause."""
OVERRUN_MAX = 10
"""Seconds by which frames may lie beyond the announced length before their time is doubted."""
STEP_BACK_MAX = 1
"""Frames this many seconds back or less are out of order; more means that the clock restarted."""


class Timeline:
    """Gives each frame a time, in 1 / `TICKS` seconds, later than that of the frame before.

    Args:
        rate: usual frames a second.
        length: announced length in seconds, or None.
        start: where reading began, seconds; the first frame lies near it.
    """

    def __init__(self, rate: Fraction, length: Fraction | None, start: float = 0.0) -> None:
        self._start = start
        self.nominal = 1 / rate
        self._step = max(1, round(self.nominal * TICKS))
        self._limit = None if length is None else round((length + OVERRUN_MAX) * TICKS)
        self._last: int | None = None
        self._shift = 0

    def place(self, time: Fraction | None, duration: Fraction | None) -> tuple[int, int]:
        """Time and duration of the next frame.

        Args:
            time: what the file says, seconds from the start of the clip; None for nothing.
            duration: what the file says, seconds; None for nothing.

        Returns:
            (ticks, duration in ticks); times grow from call to call and durations are at least 1.
        """
        ticks = self._ticks(time)
        self._last = ticks
        lasting = self._step
        if duration is not None and 0 < duration <= JUMP_MAX:
            lasting = max(1, round(duration * TICKS))
        return ticks, lasting

    def _ticks(self, time: Fraction | None) -> int:
        if self._last is None:
            if time is None or not 0 <= time <= self._start + JUMP_MAX:
                return 0
            return round(time * TICKS)
        following = self._last + self._step
        if time is None:
            return following
        ticks = round(time * TICKS) + self._shift
        if self._last < ticks <= self._latest():
            return ticks
        if ticks <= self._last and self._last - ticks <= STEP_BACK_MAX * TICKS:
            return self._last + 1
        # The clock of the file jumped; from here on it is read relative to this frame.
        self._shift += following - ticks
        return following

    def _latest(self) -> int:
        assert self._last is not None
        by_jump = self._last + JUMP_MAX * TICKS
        return by_jump if self._limit is None else max(self._limit, self._last + self._step)
