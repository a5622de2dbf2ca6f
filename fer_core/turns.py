"""Whose turn it is to be read, in a stream that shows more faces than are read in one frame."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Turns"]

Row = npt.NDArray[np.float32]


@dataclass(frozen=True)
class _Reading:
    number: int
    row: Row


class Turns:
    """Remembers what each track looked like when it was last read.

    One instance serves one stream and one thread.
    """

    def __init__(self, most: int | None = None) -> None:
        """Start with no memory.

        Args:
            most: how many known faces are read in a frame; None for all.
        """
        self._most = most
        self._readings = 0
        self._read: dict[int, _Reading] = {}

    def choose(self, tracks: Sequence[int]) -> list[int]:
        """Which faces of a frame to read now.

        Args:
            tracks: their track numbers.

        Returns:
            Places in `tracks`: every face that was never read, and of the others those that have
            waited longest, up to `most` in all.
        """
        if self._most is None or len(tracks) <= self._most:
            return list(range(len(tracks)))
        order = sorted(range(len(tracks)), key=lambda place: self._last_read(tracks[place]))
        new = sum(track not in self._read for track in tracks)
        return order[: max(self._most, new)]

    def fill(self, tracks: Sequence[int], chosen: Sequence[int], rows: Iterable[Row]) -> list[Row]:
        """The probabilities of all faces of a frame, those that were not read as they last were.

        Args:
            tracks: as given to `choose`.
            chosen: its answer.
            rows: probabilities of the chosen ones, in that order.
        """
        for place, row in zip(chosen, rows, strict=True):
            self._readings += 1
            self._read[tracks[place]] = _Reading(self._readings, row)
        return [self._read[track].row for track in tracks]

    def keep(self, tracks: Collection[int]) -> None:
        """Forget every track that is not in `tracks`."""
        self._read = {track: r for track, r in self._read.items() if track in tracks}

    def reset(self) -> None:
        """Forget all tracks."""
        self._read.clear()

    def _last_read(self, track: int) -> int:
        reading = self._read.get(track)
        return 0 if reading is None else reading.number
