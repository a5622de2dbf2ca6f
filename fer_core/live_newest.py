"""Keeps a stream from lagging by frames that wait between the callback and the encoder.

The streaming library puts what a callback returns into a queue and takes one frame out of it for
each frame that comes in. One slow callback is enough for two to wait there, and from then on every
frame comes one later, for good: measured, 66 ms at 15 frames a second. The library writes the time
of the newest camera frame into a frame when it takes it out, which tells whether it has done so.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import av

__all__ = ["NewestOnly"]

PATIENCE_SECONDS = 0.003
"""The library takes a frame out right after it has put one in; a very quick callback would look
before that."""


class NewestOnly:
    """A callback for queued frames around one for single frames.

    Works on the newest frame, and leaves its answer out when the one before still waits: then the
    next frame overtakes nothing and nobody. One instance serves one stream.
    """

    def __init__(self, callback: Callable[[av.VideoFrame], av.VideoFrame]) -> None:
        """Wrap `callback`, which must not raise."""
        self._callback = callback
        self._handed: tuple[av.VideoFrame, int | None] | None = None
        self._left_out = False

    async def __call__(self, frames: list[av.VideoFrame]) -> list[av.VideoFrame]:
        """The labelled newest frame, or nothing."""
        shown = self._callback(frames[-1])
        # Never two in a row: a library that tells nothing must not stop the picture.
        self._left_out = not self._left_out and self._waits()
        if self._left_out:
            return []
        self._handed = shown, shown.pts
        return [shown]

    def _waits(self) -> bool:
        """Whether the frame handed over last has not been taken yet."""
        if self._handed is None:
            return False
        frame, pts = self._handed
        if frame.pts == pts:
            time.sleep(PATIENCE_SECONDS)
        return frame.pts == pts
