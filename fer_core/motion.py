"""How a face's box moves: constant velocity, estimated from what was seen."""

from __future__ import annotations

import math

from fer_core.results import Box

__all__ = ["BoxMotion"]

_VELOCITY_SECONDS = 0.15
"""Time constant of the velocity estimate: long enough to ride out a detector's jitter."""

_COAST_SECONDS = 0.6
"""An unseen face keeps its velocity for about this long; nobody walks out of the room for ever."""


class BoxMotion:
    """Where a box was last seen, and where it should be now.

    Position and velocity of the centre; the size is taken as it was last seen. For one thread.
    """

    def __init__(self, box: Box, pts: float) -> None:
        """Start at rest.

        Args:
            box: the first sight, pixels.
            pts: its time, seconds.
        """
        self.box = box
        self.pts = pts
        self._velocity = (0.0, 0.0)
        self._seen_for = 0.0

    @property
    def size(self) -> float:
        """Side of a square of the box's area, pixels; at least 1."""
        return max(1.0, math.sqrt(self.box.area))

    def predicted(self, pts: float) -> Box:
        """The box at `pts`, which is not before the last sight."""
        gone = max(0.0, pts - self.pts)
        run = _COAST_SECONDS * (1.0 - math.exp(-gone / _COAST_SECONDS))
        across, down = self._velocity[0] * run, self._velocity[1] * run
        box = self.box
        return Box(box.x0 + across, box.y0 + down, box.x1 + across, box.y1 + down)

    def see(self, box: Box, pts: float) -> None:
        """Take in a new sight.

        Args:
            box: where the face is, pixels.
            pts: its time, seconds, not before the last sight.
        """
        gone = pts - self.pts
        if gone > 0:
            (x, y), (old_x, old_y) = box.centre, self.box.centre
            self._seen_for += gone
            # The first estimates are plain means, or a walker would seem to start from rest.
            rate = max(1.0 - math.exp(-gone / _VELOCITY_SECONDS), gone / self._seen_for)
            rate = min(1.0, rate)
            self._velocity = (
                self._velocity[0] + rate * ((x - old_x) / gone - self._velocity[0]),
                self._velocity[1] + rate * ((y - old_y) / gone - self._velocity[1]),
            )
        self.box, self.pts = box, max(pts, self.pts)
