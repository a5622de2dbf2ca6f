"""Frames of a stream as pictures and back, and the time that passes in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    import av

    from fer_core.detectors.base import Picture

__all__ = ["StreamTime", "as_frame", "dimmed", "picture_of", "unrecognisable"]

JUMP_SECONDS = 1.0
"""A stream that jumps further than this has begun anew, or was away."""


def picture_of(frame: av.VideoFrame, mirror: bool) -> Picture:
    """The frame's pixels, RGB uint8 (height, width, 3), an array of its own; turned left to right
    where `mirror` is set, so that whatever is drawn on it later stays readable."""
    picture: Picture = frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False)
    if mirror:
        turned = np.empty_like(picture)
        cv2.flip(picture, 1, turned)
        return turned
    return picture


def as_frame(picture: Picture, like: av.VideoFrame) -> av.VideoFrame:
    """`picture` as a frame with the time of `like`; it may have another size."""
    import av

    made = av.VideoFrame.from_ndarray(picture, format="rgb24")
    made.pts, made.time_base = like.pts, like.time_base
    return made


def dimmed(picture: Picture) -> Picture:
    """A darker copy with two bars in the middle: this picture stands still on purpose."""
    dark: Picture = np.asarray(cv2.convertScaleAbs(picture, alpha=0.45), np.uint8)
    height, width = dark.shape[:2]
    unit = max(2, min(height, width) // 24)
    for left in (width // 2 - 2 * unit, width // 2 + unit):
        top, bottom = height // 2 - 3 * unit, height // 2 + 3 * unit
        cv2.rectangle(dark, (left, top), (left + unit, bottom), (245, 245, 245), -1)
    return dark


def unrecognisable(frame: av.VideoFrame, mirror: bool) -> av.VideoFrame:
    """The frame blurred from edge to edge; black where even that fails. Never raises."""
    import av

    from fer_core.overlay.privacy import blur_all

    try:
        return as_frame(blur_all(picture_of(frame, mirror)), frame)
    except Exception:
        black = np.zeros((max(2, frame.height), max(2, frame.width), 3), np.uint8)
        made = av.VideoFrame.from_ndarray(black, format="rgb24")
        made.pts, made.time_base = frame.pts, frame.time_base
        return made


class StreamTime:
    """Seconds of a stream that always rise, whatever its clock does. Pauses do not count, so that
    faces which are still there afterwards keep their tracks."""

    def __init__(self) -> None:
        self.now = 0.0
        self._last: float | None = None

    def step(self, raw: float) -> bool:
        """Go on to the next frame, whose own time is `raw` seconds; False after a jump."""
        gone = None if self._last is None else raw - self._last
        self._last = raw
        if gone is None:
            self.now = max(self.now + 1e-3, raw)
            return False
        smooth = -JUMP_SECONDS < gone < JUMP_SECONDS
        # A camera that was away for long has left a gap; one that began anew has not.
        self.now += max(1e-3, min(gone, 3600.0)) if smooth or gone > 0 else 2 * JUMP_SECONDS
        return smooth

    def skip(self, raw: float) -> None:
        """Leave out a frame, as in a pause."""
        if self._last is not None:
            self._last = raw
