"""Decoded frames to RGB, whatever their colours are coded as."""

from __future__ import annotations

import av.error
import av.video.frame
import numpy as np
from av.video.reformatter import Colorspace, VideoReformatter

from fer_core.detectors.base import Picture
from fer_core.errors import VideoError
from fer_core.video.hdr import HLG, PQ, to_sdr

__all__ = ["Colours"]

HD_HEIGHT = 720
"""From this height on, untagged colours are BT.709's, as in browsers; below, BT.601's."""
UNTAGGED, BT2020 = 2, 9
"""Numbers of matrices (ITU-T H.273)."""


class Colours:
    """Converts the frames of one clip. For one thread."""

    def __init__(self, name: str) -> None:
        """`name` is what messages call the clip."""
        self._name = name
        self._reformat = VideoReformatter()

    def rgb(self, frame: av.video.frame.VideoFrame, size: tuple[int, int]) -> Picture:
        """The frame for an ordinary screen, RGB uint8 (height, width, 3).

        Args:
            frame: as decoded. Some streams change their size on the way; the written clip cannot.
            size: (width, height) that is wanted.

        Raises:
            VideoError: the colours are not understood.
        """
        try:
            shown = self._converted(frame, size)
        except MemoryError:  # PyAV's is one of FFmpeg's errors too
            raise
        except av.error.FFmpegError:
            # There are tags that FFmpeg does not convert from, such as YCgCo or none that exists.
            frame.colorspace = UNTAGGED
            try:
                shown = self._converted(frame, size)
            except av.error.FFmpegError:
                raise VideoError(
                    f"{self._name} has colours that are not understood ({frame.format.name}). "
                    "Convert it to H.264 in an mp4 file and send that."
                ) from None
        if frame.color_trc in (PQ, HLG):
            coded = np.asarray(shown.to_ndarray(), dtype=np.uint16)
            return to_sdr(coded, frame.color_trc, frame.color_primaries)
        # Rows of odd widths are padded in FFmpeg's memory.
        return np.ascontiguousarray(shown.to_ndarray(), dtype=np.uint8)

    def _converted(
        self, frame: av.video.frame.VideoFrame, size: tuple[int, int]
    ) -> av.video.frame.VideoFrame:
        width, height = size
        source = None
        bright = frame.color_trc in (PQ, HLG)
        if frame.colorspace == UNTAGGED:
            if bright:
                # As a tag of the frame: PyAV 17 has no name for it, and takes a number wrongly.
                frame.colorspace = BT2020
            else:
                source = Colorspace.ITU709 if height >= HD_HEIGHT else Colorspace.ITU601
        return self._reformat.reformat(
            frame,
            width,
            height,
            format="rgb48le" if bright else "rgb24",
            src_colorspace=source,
            interpolation="BILINEAR",
        )
