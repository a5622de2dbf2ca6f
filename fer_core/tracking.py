"""Which face is which, from frame to frame."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from fer_core.assignment import best_pairs
from fer_core.errors import OptionError
from fer_core.motion import BoxMotion
from fer_core.results import Box

__all__ = ["Tracker", "TrackerOptions"]

_SOON = 0.2
"""Seconds within which a face can be looked for where it was."""


@dataclass(frozen=True)
class TrackerOptions:
    """How forgiving the tracker is.

    Attributes:
        max_gap: seconds for which an unseen face keeps its number; 0 or more.
        max_distance: how far a face may be from where it is expected and still be the same one, in
            sides of its box; above 0. It grows while a face is unseen.
        max_scale: how many times larger or smaller it may have become; above 1.
    """

    max_gap: float = 1.0
    max_distance: float = 0.9
    max_scale: float = 1.9

    def __post_init__(self) -> None:
        if not self.max_gap >= 0:
            raise OptionError(f"max_gap must be 0 seconds or more. Received: {self.max_gap}.")
        if not self.max_distance > 0:
            raise OptionError(f"max_distance must be above 0. Received: {self.max_distance}.")
        if not self.max_scale > 1:
            raise OptionError(f"max_scale must be above 1. Received: {self.max_scale}.")


class Tracker:
    """Gives each face a number that stays with it.

    Each track predicts where its face should be; boxes and tracks are then paired so that the sum
    of overlap and closeness over all pairs is greatest. A face that is hidden for up to `max_gap`
    keeps its number, and so do two people who pass each other, as far as their motion tells them
    apart (nothing else is looked at). Numbers start at 1 and are never used twice, also not after
    `reset`.

    One instance serves one stream and one thread.
    """

    def __init__(self, options: TrackerOptions | None = None) -> None:
        """Start with no track.

        Args:
            options: None for the defaults.
        """
        self.options = options or TrackerOptions()
        self._tracks: dict[int, BoxMotion] = {}
        self._next = 1
        self._pts = -math.inf

    def update(self, boxes: Sequence[Box], pts: float) -> list[int]:
        """Number the faces of one frame.

        Args:
            boxes: the faces, pixels, in any order.
            pts: the frame's time, seconds. A time before the last one means that another clip
                has begun: all tracks end.

        Returns:
            The track number of each box, all different, in the order of `boxes`.

        Raises:
            OptionError: `pts` is not a finite number.
        """
        if not math.isfinite(pts):
            raise OptionError(f"The time of a frame must be a finite number. Received: {pts}.")
        if pts < self._pts:
            self.reset()
        self._pts = pts
        self._tracks = {
            number: track
            for number, track in self._tracks.items()
            if pts - track.pts <= self.options.max_gap
        }
        numbers = list(self._tracks)
        gains = [
            [self._gain(self._tracks[number], box, pts) for box in boxes] for number in numbers
        ]
        given: dict[int, int] = {}
        for row, column in best_pairs(gains):
            given[column] = numbers[row]
            self._tracks[numbers[row]].see(boxes[column], pts)
        for column, box in enumerate(boxes):
            if column not in given:
                given[column] = self._next
                self._tracks[self._next] = BoxMotion(box, pts)
                self._next += 1
        return [given[column] for column in range(len(boxes))]

    def expected(self, pts: float) -> list[Box]:
        """Where the faces of the last frame should be at `pts`, seconds.

        Empty when that frame is too long ago, or later, for this to mean anything.
        """
        if not 0 <= pts - self._pts <= _SOON:
            return []
        return [track.predicted(pts) for track in self._tracks.values() if track.pts == self._pts]

    def live_tracks(self) -> frozenset[int]:
        """Numbers that may still come back: seen no longer than `max_gap` ago."""
        return frozenset(self._tracks)

    def reset(self) -> None:
        """End all tracks; numbers go on from where they were."""
        self._tracks.clear()
        self._pts = -math.inf

    def _gain(self, track: BoxMotion, box: Box, pts: float) -> float:
        """How well `box` fits `track`: up to 2, and 0 when it cannot be the same face."""
        side = max(1.0, math.sqrt(box.area))
        ratio = side / track.size
        scale = max(ratio, 1.0 / ratio)
        if scale > self.options.max_scale:
            return 0.0
        expected = track.predicted(pts)
        (x, y), (expected_x, expected_y) = box.centre, expected.centre
        distance = math.hypot(x - expected_x, y - expected_y) / max(side, track.size)
        # A face that was out of sight for a second may have moved by another side of its box.
        reach = self.options.max_distance + max(0.0, pts - track.pts)
        if distance >= reach:
            return 0.0
        closeness = 1.0 - distance / reach
        return closeness / scale + expected.iou(box)
