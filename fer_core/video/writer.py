"""Write a clip that every browser plays: H.264 in yuv420p, index in front, sound beside it."""

from __future__ import annotations

import contextlib
import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.audio.stream
import av.container
import av.error
import av.video.frame
import cv2
import numpy as np

from fer_core.cores import half_of_the_cores
from fer_core.detectors.base import Picture
from fer_core.errors import VideoError
from fer_core.video.contracts import TICKS, SoundPacket, VideoOptions

COPIED_CODECS = frozenset({"aac", "mp3", "mp3float", "opus", "libopus", "flac"})
"""Sound that mp4 holds and browsers play; anything else becomes AAC."""
AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)
BT601_625 = 5
"""Matrix of OpenCV's conversion to YUV (ITU-R BT.601, limited range); the file says so."""
LIMITED_RANGE = 1
SRGB_PRIMARIES = 1
SRGB_LIKE_TRANSFER = 1
SOUND_FAILURES_MAX = 20
"""Packets of sound refused in a row after which the rest of the sound is left out."""


class ClipWriter:
    """An mp4 file that grows frame by frame beside its final place.

    All calls come from one thread. Frames of odd width or height get one more row or column, a
    copy of the last, because yuv420p has none.

    An index in front is written last, so FFmpeg holds an entry of 72 bytes for every packet until
    then, and the whole index when it is written: some 30 MB an hour with sound, 12 MB without. Only
    a clip of fragments would need none of it, in which not every player finds its way.

    Attributes:
        sound_lost: the sound, or a part of it, could not be written.
    """

    def __init__(
        self,
        target: Path,
        size: tuple[int, int],
        *,
        options: VideoOptions,
        frame_rate: float | None = None,
        audio: av.audio.stream.AudioStream | None = None,
        origin: Fraction | None = None,
        begin: int = 0,
    ) -> None:
        """Begin the file.

        Args:
            target: where the clip will be.
            size: (width, height) of the pictures.
            options: preset, quality, and whether sound is written.
            frame_rate: usual frames a second, a hint for the encoder.
            audio: the stream that the packets of sound come from.
            origin: the time in the source's file, seconds, that it begins with.
            begin: the time after that, ticks, that is 0 in the written clip; sound before it is
                left out.

        Raises:
            VideoError: the file cannot be created there.
        """
        self.target = target
        self.sound_lost = False
        self._beside = target.with_name(f".{target.name}.{os.getpid()}.part")
        self._begins_later = begin > 0
        self._origin = (origin or Fraction(0)) + Fraction(begin, TICKS)
        self._pad = (size[0] % 2, size[1] % 2)
        self._refused = 0
        self._lasting: dict[int, int] = {}
        self._last_sound: int | None = None
        try:
            self._container = av.open(
                str(self._beside.absolute()),
                mode="w",
                format="mp4",
                options={"movflags": "+faststart"},
            )
        except (av.error.FFmpegError, OSError) as error:
            raise self._failed(error) from None
        try:
            self._video = self._add_video(size, options, frame_rate)
            self._source_audio = audio if options.audio else None
            self._audio, self._copied = self._add_audio()
        except BaseException:
            self.discard()
            raise

    def write(self, picture: Picture, ticks: int, duration: int) -> None:
        """Append a frame.

        Args:
            picture: RGB uint8 (height, width, 3).
            ticks: presentation time, 1 / `TICKS` seconds; later than that of the frame before.
            duration: how long it is shown, ticks.

        Raises:
            VideoError: the disk is full or the place is gone.
        """
        across, down = self._pad
        if across or down:
            picture = np.pad(picture, ((0, down), (0, across), (0, 0)), mode="edge")
        # OpenCV converts about ten times as fast as swscale, with no more error.
        planes = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2YUV_I420), dtype=np.uint8)
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts = ticks
        self._lasting[ticks] = duration
        frame.time_base = Fraction(1, TICKS)
        try:
            self._mux_pictures(self._video.encode(frame))
        except MemoryError:
            raise
        except (av.error.FFmpegError, OSError) as error:
            raise self._failed(error) from None

    def write_sound(self, packet: SoundPacket) -> None:
        """Append a packet of the source's sound; what cannot be used is left out."""
        if self._audio is None or self._too_early(packet):
            return
        try:
            if self._copied:
                self._copy_sound(packet)
            else:
                self._encode_sound(packet)
            self._refused = 0
        except MemoryError:  # PyAV's is one of FFmpeg's errors too
            raise
        except (av.error.FFmpegError, ValueError) as error:
            if isinstance(error, OSError) and error.errno in _DISK_ERRORS:
                raise self._failed(error) from None
            self.sound_lost = True
            self._refused += 1
            if self._refused >= SOUND_FAILURES_MAX:
                self._source_audio = self._audio = None

    def close(self) -> Path:
        """Finish the file and move it into place.

        Raises:
            VideoError: the disk is full or the place is gone; nothing is left behind.
        """
        try:
            self._mux_pictures(self._video.encode(None))
            if self._audio is not None and not self._copied:
                with contextlib.suppress(av.error.FFmpegError, ValueError):
                    self._container.mux(self._audio.encode(None))
            self._container.close()
            self._beside.replace(self.target)
        except (av.error.FFmpegError, OSError) as error:
            self.discard()
            raise self._failed(error) from None
        return self.target

    def discard(self) -> None:
        """Remove what was written so far."""
        with contextlib.suppress(av.error.FFmpegError, OSError, ValueError):
            self._container.close()
        self._beside.unlink(missing_ok=True)

    def _add_video(
        self,
        size: tuple[int, int],
        options: VideoOptions,
        frame_rate: float | None,
    ) -> Any:
        rate = Fraction(frame_rate or 25).limit_denominator(1001)
        stream = self._container.add_stream("libx264", rate=rate)
        context = stream.codec_context
        stream.width, stream.height = size[0] + self._pad[0], size[1] + self._pad[1]
        stream.pix_fmt = "yuv420p"
        context.time_base = Fraction(1, TICKS)
        context.colorspace = BT601_625
        context.color_range = LIMITED_RANGE
        context.color_primaries = SRGB_PRIMARIES
        context.color_trc = SRGB_LIKE_TRANSFER
        # Decoding and analysis run meanwhile. Two threads take a third more of two cores' time for
        # a frame than one.
        context.thread_count = min(4, half_of_the_cores())
        # Frames that lean on later ones cost 40 % of the encoder's time at this preset and save 3 %
        # of the size.
        context.options = {"preset": options.preset, "crf": str(options.crf), "bf": "0"}
        return stream

    def _add_audio(self) -> tuple[Any, bool]:
        source = self._source_audio
        if source is None:
            return None, False
        context = source.codec_context
        if context.name in COPIED_CODECS and (context.name[:3] == "mp3" or context.extradata):
            return self._container.add_stream_from_template(source), True
        channels = context.layout.nb_channels or 1
        stream = self._container.add_stream("aac", rate=_aac_rate(context.sample_rate))
        stream.codec_context.layout = "mono" if channels == 1 else "stereo"
        stream.codec_context.bit_rate = 64_000 * min(2, channels)
        return stream, False

    def _mux_pictures(self, packets: list[Any]) -> None:
        for packet in packets:
            # The encoder gives every packet the usual duration; the last one's ends the clip.
            packet.duration = self._lasting.pop(packet.pts, packet.duration)
            self._container.mux_one(packet)

    def _too_early(self, packet: SoundPacket) -> bool:
        """Whether it lies before the part of the clip that is written."""
        time = packet.pts if packet.pts is not None else packet.dts
        return self._begins_later and time is not None and time * packet.time_base < self._origin

    def _copy_sound(self, packet: SoundPacket) -> None:
        base = packet.time_base
        assert packet.dts is not None
        shift = round(self._origin / base)
        dts = packet.dts - shift
        if self._last_sound is not None and dts <= self._last_sound:
            raise ValueError("sound out of order")
        packet.pts = dts if packet.pts is None else packet.pts - shift
        packet.dts = dts
        packet.stream = self._audio
        self._container.mux_one(packet)
        self._last_sound = dts

    def _encode_sound(self, packet: SoundPacket) -> None:
        assert self._source_audio is not None
        for frame in self._source_audio.decode(packet):
            if frame.pts is not None and frame.time_base:
                frame.pts -= round(self._origin / frame.time_base)
            self._container.mux(self._audio.encode(frame))

    def _failed(self, error: Exception) -> VideoError:
        reason = getattr(error, "strerror", None) or str(error)
        return VideoError(
            f"The annotated clip {self.target} cannot be written ({reason}). "
            "Make room or choose another place."
        )


_DISK_ERRORS = (5, 27, 28, 30, 122)
"""EIO, EFBIG, ENOSPC, EROFS, EDQUOT: the disk's faults, not the sound's."""


def _aac_rate(rate: int) -> int:
    return min(AAC_RATES, key=lambda known: (abs(known - rate), known))
