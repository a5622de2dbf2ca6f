"""Steady numbers and steady boxes: filters in seconds, one set per track."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from fer_core.emotions import CLASSES
from fer_core.errors import OptionError
from fer_core.results import Box

__all__ = ["Smoother", "SmoothingOptions"]


@dataclass(frozen=True)
class SmoothingOptions:
    """How strongly to smooth.

    Attributes:
        seconds: time constant of the probabilities: after so long a change has come through to
            63 %, after three times as long to 95 %. 0 shows each frame's own.
        box_cutoff: frequency in Hz above which the jitter of a resting box is damped; 0 shows each
            frame's own box.
        box_speed: how much of its own motion lifts that frequency, in Hz per (side of the box a
            second); a moving box must not lag behind its face.
    """

    seconds: float = 0.3
    box_cutoff: float = 1.5
    box_speed: float = 6.0

    def __post_init__(self) -> None:
        for name in ("seconds", "box_cutoff", "box_speed"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise OptionError(f"{name} of the smoothing must be 0 or more. Received: {value}.")


class Smoother:
    """Smooths what belongs to one track, by the time that has really passed.

    Probabilities: exponential smoothing with a time constant. Boxes: a one-euro filter (Casiez,
    Roussel and Vogel, 2012), which damps jitter at rest and lets go in motion, in units of the
    box's own side so that it does the same at every resolution.

    One instance serves one stream and one thread.
    """

    def __init__(self, options: SmoothingOptions | None = None) -> None:
        """Start with no memory.

        Args:
            options: None for the defaults.
        """
        self.options = options or SmoothingOptions()
        self._faces: dict[int, _State] = {}

    def update(
        self, track: int, box: Box, probabilities: Sequence[float], pts: float
    ) -> tuple[Box, tuple[float, ...]]:
        """The smoothed box and probabilities of one face.

        Args:
            track: its number.
            box: as detected, pixels.
            probabilities: of this frame, seven, summing to 1.
            pts: time of the frame, seconds. A time before the last one starts the track afresh.

        Returns:
            The box, and seven probabilities that sum to 1.
        """
        values = tuple(float(p) for p in probabilities)
        if len(values) != len(CLASSES):
            raise OptionError(f"A face has {len(CLASSES)} probabilities. Received: {len(values)}.")
        state = self._faces.get(track)
        if state is None or pts < state.pts:
            self._faces[track] = _State(pts, values, _geometry(box), (0.0,) * 4)
            return box, values
        gone = pts - state.pts
        state.pts = pts
        state.probabilities = self._mixed(state.probabilities, values, gone)
        return self._steadied(state, box, gone), state.probabilities

    def keep(self, tracks: Collection[int]) -> None:
        """Forget every track that is not in `tracks`."""
        self._faces = {number: s for number, s in self._faces.items() if number in tracks}

    def reset(self) -> None:
        """Forget all tracks."""
        self._faces.clear()

    def _mixed(
        self, old: tuple[float, ...], new: tuple[float, ...], gone: float
    ) -> tuple[float, ...]:
        if self.options.seconds == 0:
            return new
        rate = 1.0 - math.exp(-gone / self.options.seconds)
        return tuple(a + rate * (b - a) for a, b in zip(old, new, strict=True))

    def _steadied(self, state: _State, box: Box, gone: float) -> Box:
        geometry = _geometry(box)
        if self.options.box_cutoff == 0:
            state.geometry = geometry
            return box
        if gone > 0:
            side = max(1.0, math.sqrt(box.area))
            speed_rate = _rate(_SPEED_CUTOFF, gone)
            speeds, steadied = [], []
            for now, before, speed in zip(geometry, state.geometry, state.speeds, strict=True):
                speed += speed_rate * ((now - before) / side / gone - speed)
                cutoff = self.options.box_cutoff + self.options.box_speed * abs(speed)
                speeds.append(speed)
                steadied.append(before + _rate(cutoff, gone) * (now - before))
            state.speeds = tuple(speeds)
            state.geometry = tuple(steadied)
        return _box(state.geometry)


_SPEED_CUTOFF = 3.0
"""Hz; jitter must not look like speed."""


@dataclass
class _State:
    pts: float
    probabilities: tuple[float, ...]
    geometry: tuple[float, ...]
    speeds: tuple[float, ...]


def _rate(cutoff: float, gone: float) -> float:
    """Share of the way to go in `gone` seconds by a first-order low-pass at `cutoff` Hz."""
    return 1.0 - math.exp(-2.0 * math.pi * cutoff * gone)


def _geometry(box: Box) -> tuple[float, ...]:
    """Centre and sides: a face moves far more often than it grows."""
    (x, y) = box.centre
    return x, y, box.width, box.height


def _box(geometry: tuple[float, ...]) -> Box:
    x, y, width, height = geometry
    return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)
