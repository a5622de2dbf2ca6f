"""An mp4 that is whole at every moment: H.264 in fragments of half a second."""

from __future__ import annotations

import contextlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
import cv2
import numpy as np

from fer_core.detectors.base import Picture

__all__ = ["FragmentedClip"]

TICKS = 1000
FRAGMENT_MICROSECONDS = 500_000
KEY_SECONDS = 2
BT601_625 = 5
LIMITED_RANGE = 1
SRGB = 1
"""Matrix, range, primaries and transfer as OpenCV converts; the same as in `fer_core.video`."""

CRF = "24"
PRESET = "superfast"
"""The encoder runs beside the stream on the same cores."""


class FragmentedClip:
    """A clip that grows frame by frame and can be played whenever its process ends.

    One thread. Frames of another size than the first are fitted into it, with black borders.
    """

    def __init__(self, file: Path, size: tuple[int, int]) -> None:
        """Begin the file.

        Args:
            file: where it will be; it grows there.
            size: (width, height) of the first picture, pixels; odd ones get one more.

        Raises:
            OSError: the file cannot be created.
        """
        self.file = file
        self._size = size[0] + size[0] % 2, size[1] + size[1] % 2
        self._last = -1
        self._stream = file.open("wb", buffering=0)
        try:
            self._container: Any = av.open(
                self._stream,
                mode="w",
                format="mp4",
                options={
                    "movflags": "empty_moov+default_base_moof",
                    "frag_duration": str(FRAGMENT_MICROSECONDS),
                    "flush_packets": "1",
                },
            )
            self._video = self._add_video()
        except BaseException:
            self._stream.close()
            raise

    @property
    def bytes(self) -> int:
        """On disk so far."""
        return self._stream.tell() if not self._stream.closed else self.file.stat().st_size

    def write(self, picture: Picture, seconds: float) -> None:
        """Append a frame.

        Args:
            picture: RGB uint8 (height, width, 3), any size.
            seconds: from the start of the clip; not later than the one before is moved behind it.

        Raises:
            OSError: the disk is full or the place is gone.
        """
        fitted = _fitted(picture, self._size)
        planes = np.asarray(cv2.cvtColor(fitted, cv2.COLOR_RGB2YUV_I420), np.uint8)
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        self._last = frame.pts = max(round(seconds * TICKS), self._last + 1)
        frame.time_base = Fraction(1, TICKS)
        for packet in self._video.encode(frame):
            self._container.mux_one(packet)

    def close(self) -> Path:
        """Finish the file; then, where there is room, put its index in front, as players like it.

        Raises:
            OSError: the disk is full; what was written stays playable.
        """
        try:
            for packet in self._video.encode(None):
                self._container.mux_one(packet)
            self._container.close()
        finally:
            self.abandon()
        with contextlib.suppress(OSError, av.error.FFmpegError):
            _index_in_front(self.file)
        return self.file

    def abandon(self) -> None:
        """Let go of the file as it is; calling it twice is allowed."""
        if not self._stream.closed:
            with contextlib.suppress(Exception):
                self._container.close()
            with contextlib.suppress(OSError):
                self._stream.close()

    def _add_video(self) -> Any:
        stream = self._container.add_stream("libx264", rate=Fraction(30))
        stream.width, stream.height = self._size
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.time_base = Fraction(1, TICKS)
        context.gop_size = KEY_SECONDS * 30
        context.colorspace = BT601_625
        context.color_range = LIMITED_RANGE
        context.color_primaries = context.color_trc = SRGB
        context.thread_count = 1
        # Without delay: frames that wait in the encoder would be lost with the process.
        context.options = {"preset": PRESET, "crf": CRF, "tune": "zerolatency"}
        return stream


def _fitted(picture: Picture, size: tuple[int, int]) -> Picture:
    width, height = size
    if picture.shape[:2] == (height, width):
        return picture
    high, wide = picture.shape[:2]
    if 0 <= width - wide <= 1 and 0 <= height - high <= 1:
        return np.pad(picture, ((0, height - high), (0, width - wide), (0, 0)), mode="edge")
    factor = min(width / wide, height / high)
    inner = max(1, round(wide * factor)), max(1, round(high * factor))
    canvas = np.zeros((height, width, 3), np.uint8)
    x, y = (width - inner[0]) // 2, (height - inner[1]) // 2
    canvas[y : y + inner[1], x : x + inner[0]] = cv2.resize(
        picture, inner, interpolation=cv2.INTER_AREA
    )
    return canvas


def _index_in_front(file: Path) -> None:
    """Copy the packets into an ordinary mp4 with `faststart`, and put it in the place of `file`."""
    beside = file.with_name(file.name + ".index")
    try:
        with (
            av.open(str(file)) as source,
            av.open(
                str(beside), mode="w", format="mp4", options={"movflags": "+faststart"}
            ) as target,
        ):
            video = source.streams.video[0]
            copy = target.add_stream_from_template(video)
            for packet in source.demux(video):
                if packet.dts is not None:
                    packet.stream = copy
                    target.mux(packet)
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)
