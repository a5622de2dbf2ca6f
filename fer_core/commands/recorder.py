"""A clip of pictures that come when they come: each lasts until the next."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fer_core.detectors.base import Picture
    from fer_core.video.writer import ClipWriter

__all__ = ["Recorder"]


class Recorder:
    """An mp4 file that grows with the pictures of a camera.

    Attributes:
        file: where the clip will be.
        frames: pictures taken so far.
        seconds: time of the last one.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.frames = 0
        self.seconds = 0.0
        self._first = 0.0
        self._writer: ClipWriter | None = None
        self._waiting: tuple[Picture, int] | None = None
        self._lasted = 3600

    def add(self, picture: Picture, seconds: float) -> None:
        """Append a picture, taken at `seconds`; it is kept until the next one comes.

        Raises:
            VideoError: the file cannot be written.
        """
        from fer_core.video import VideoOptions
        from fer_core.video.contracts import TICKS
        from fer_core.video.writer import ClipWriter

        if self._writer is None:
            height, width = picture.shape[:2]
            self._size = width, height
            self._first = seconds
            self._writer = ClipWriter(self.file, (width, height), options=VideoOptions())
        if picture.shape[1::-1] != self._size:
            import cv2
            import numpy as np

            picture = np.asarray(cv2.resize(picture, self._size), dtype=np.uint8)
        ticks = round((seconds - self._first) * TICKS)
        if self._waiting is not None:
            earlier, began = self._waiting
            ticks = max(ticks, began + 1)
            self._lasted = ticks - began
            self._writer.write(earlier, began, self._lasted)
        self._waiting = picture, ticks
        self.frames += 1
        self.seconds = (ticks + self._lasted) / TICKS

    def close(self) -> bool:
        """Finish the clip; False when there is nothing in it, and then there is no file.

        Raises:
            VideoError: the file cannot be written.
        """
        if self._writer is None:
            return False
        if self._waiting is not None:
            self._writer.write(*self._waiting, self._lasted)
            self._waiting = None
        self._writer.close()
        return True

    def discard(self) -> None:
        """Remove what was written."""
        if self._writer is not None:
            self._writer.discard()
