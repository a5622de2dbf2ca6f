"""Decode a clip frame by frame: upright RGB pictures with the file's own times, and its sound.

Only the frame in hand is held. Whatever is damaged is skipped and counted, as players do.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import av.error
import av.video.frame
import numpy as np
from av.video.reformatter import Colorspace, VideoReformatter

from fer_core.detectors.base import Picture
from fer_core.errors import VideoError
from fer_core.video.contracts import (
    TICKS,
    ClipFrame,
    ReadState,
    SoundPacket,
    VideoInfo,
    VideoOptions,
)
from fer_core.video.orientation import Orientation, orientation_of
from fer_core.video.probe import (
    called,
    check_length,
    check_size,
    clip_seconds,
    describe,
    first_audio,
    nominal_rate,
    open_clip,
)
from fer_core.video.timeline import Timeline

READ_ERRORS_MAX = 50
"""Reading errors in a row after which the rest of a file is given up."""
AUDIO_LEAD_MAX = Fraction(1, 10)
"""Sound may begin this many seconds before the picture (encoders' priming) without moving it."""
DURATIONS_MAX = 256
"""Packets that may wait for their frames; more means that their frames never came."""
HD_HEIGHT = 720
"""From this height on, untagged colours are BT.709's, as in browsers; below, BT.601's."""
UNTAGGED = 2


def probe(source: str | Path, options: VideoOptions | None = None) -> VideoInfo:
    """What the clip `source` says of itself; its first frame is decoded to make sure.

    Raises:
        VideoError: the file is missing, empty, not a clip, has no video stream, uses an unknown
            codec, holds no readable frame, or exceeds the limits of `options`.
    """
    with ClipReader(source, options) as reader:
        return reader.info


class ClipReader:
    """A clip that is being read, once, from the beginning. Not to be shared between threads.

    Attributes:
        info: what the clip says of itself.
        state: what was found on the way; complete when the iteration has ended.
        audio: the stream of sound, or None.
        origin: the file's time that becomes 0, seconds.
        shown_aspect_ratio: width of a pixel over its height, in the upright picture.
    """

    info: VideoInfo
    shown_aspect_ratio: Fraction

    def __init__(self, source: str | Path, options: VideoOptions | None = None) -> None:
        """Open the clip and decode its first frame.

        Raises:
            VideoError: see `probe`.
        """
        self._options = options or VideoOptions()
        source = Path(source)
        self.name = called(source, self._options)
        self.state = ReadState()
        self._container, self._video = open_clip(source, self._options)
        try:
            # Frames come in turn through few threads: each of them holds one more frame.
            self._video.thread_type = "AUTO"
            self._video.codec_context.thread_count = 2
            self.audio = first_audio(self._container)
            rate = nominal_rate(self._video)
            self._length = clip_seconds(self._container, self._video)
            self._own_length = bool(self._video.duration and self._video.duration > 0)
            self.origin = self._find_origin()
            # An avi file holds no times: frame n is shown at n / rate. What FFmpeg makes of that
            # for reordered frames is a guess; counting in the order of decoding is not.
            self._counted = self._container.format.name == "avi"
            self._first_dts: int | None = None
            self._lasting: dict[int | None, Fraction] = {}
            self._timeline = Timeline(rate or Fraction(25), self._length)
            self._reformat = VideoReformatter()
            self._bytes = max(1, source.stat().st_size)
            self._bytes_read = 0
            self._orientation = Orientation()
            self._size = (0, 0)
            self._raw = self._decode()
            self._waiting: deque[ClipFrame | SoundPacket] = deque()
            self._read_first_frame()
            aspect = self._video.sample_aspect_ratio or Fraction(1)
            turned = self._orientation.transposed
            self.shown_aspect_ratio = 1 / aspect if turned and aspect else aspect
            self.info = describe(self._container, self._video, self._size, self._orientation)
        except BaseException:
            self._container.close()
            raise

    def __iter__(self) -> Iterator[ClipFrame | SoundPacket]:
        """Frames and packets of sound, as they lie in the file.

        Raises:
            VideoError: the clip turns out to be longer, or its pictures larger, than allowed.
        """
        while self._waiting:
            yield self._waiting.popleft()
        yield from self._raw

    def frames(self) -> Iterator[ClipFrame]:
        """The frames alone."""
        return (item for item in self if isinstance(item, ClipFrame))

    def close(self) -> None:
        """Let go of the file; calling it twice is allowed."""
        self._container.close()

    def __enter__(self) -> ClipReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _find_origin(self) -> Fraction | None:
        video = _start(self._video)
        audio = None if self.audio is None else _start(self.audio)
        if video is None:
            return audio
        if audio is not None and video - audio > AUDIO_LEAD_MAX:
            return audio
        return video

    def _read_first_frame(self) -> None:
        for item in self._raw:
            self._waiting.append(item)
            if isinstance(item, ClipFrame):
                return
        raise VideoError(
            f"{self.name} holds no picture that can be decoded; it is damaged, cut off or empty. "
            "Copy or record it again."
        )

    def _decode(self) -> Iterator[ClipFrame | SoundPacket]:
        for packet in self._packets():
            if packet.stream is not self._video:
                if packet.dts is not None and packet.size:
                    self._note_sound(packet)
                    yield packet
                continue
            yield from self._frames_of(packet)
        yield from self._frames_of(None)
        self._judge_end()

    def _packets(self) -> Iterator[SoundPacket]:
        streams = [self._video] if self.audio is None else [self._video, self.audio]
        errors = 0
        demux = self._container.demux(streams)
        while True:
            try:
                packet = next(demux)
            except StopIteration:
                return
            except (av.error.FFmpegError, OSError, ValueError):
                self.state.cut_off = True
                errors += 1
                if errors >= READ_ERRORS_MAX:
                    return
                demux = self._container.demux(streams)
                continue
            errors = 0
            if packet.size == 0:
                # The end of the file; decoders are emptied once, by us.
                continue
            if packet.stream is self._video:
                self._note_duration(packet)
            if packet.pos is not None and packet.pos > 0:
                self._bytes_read = max(self._bytes_read, packet.pos)
            yield packet

    def _frames_of(self, packet: SoundPacket | None) -> Iterator[ClipFrame]:
        try:
            frames = self._video.decode(packet)
        except (av.error.FFmpegError, ValueError):
            self.state.damaged += 1
            return
        for frame in frames:
            yield self._clip_frame(frame)

    def _clip_frame(self, frame: av.video.frame.VideoFrame) -> ClipFrame:
        check_size(frame.width, frame.height, self.name, self._options)
        if self._size == (0, 0):
            self._size = (frame.width, frame.height)
            self._orientation = orientation_of(frame)
        if frame.is_corrupt:
            self.state.damaged += 1
        stamp = self._stamp(frame)
        if self.origin is None:
            self.origin = stamp or Fraction(0)
        ticks, duration = self._timeline.place(
            None if stamp is None else stamp - self.origin,
            self._lasting.pop(frame.pts, None),
        )
        if self._own_length and self._length is not None:
            # With reordered frames a packet's duration is another frame's; the clip's end is sure.
            duration = max(1, min(duration, round(self._length * TICKS) - ticks))
        self.state.end = max(self.state.end, Fraction(ticks + duration, TICKS))
        check_length(ticks / TICKS, self.name, self._options)
        picture = self._orientation.upright(self._rgb(frame))
        index = self.state.frames
        self.state.frames += 1
        return ClipFrame(index, ticks, duration, picture, self._progress(ticks))

    def _stamp(self, frame: av.video.frame.VideoFrame) -> Fraction | None:
        base = frame.time_base or self._video.time_base
        if base is None:
            return None
        if self._counted:
            if frame.dts is None:
                return None
            if self._first_dts is None:
                self._first_dts = frame.dts
            return (self.origin or 0) + Fraction((frame.dts - self._first_dts) * base)
        value = frame.pts if frame.pts is not None else frame.dts
        return None if value is None else Fraction(value * base)

    def _rgb(self, frame: av.video.frame.VideoFrame) -> Picture:
        # Some streams change their size on the way; the written clip cannot.
        width, height = self._size
        source = None
        if frame.colorspace == UNTAGGED:
            source = Colorspace.ITU709 if height >= HD_HEIGHT else Colorspace.ITU601
        shown = self._reformat.reformat(
            frame, width, height, format="rgb24", src_colorspace=source, interpolation="BILINEAR"
        )
        # Rows of odd widths are padded in FFmpeg's memory.
        return np.ascontiguousarray(shown.to_ndarray(), dtype=np.uint8)

    def _progress(self, ticks: int) -> float:
        if self._length:
            return min(1.0, ticks / TICKS / float(self._length))
        return min(1.0, self._bytes_read / self._bytes)

    def _note_duration(self, packet: SoundPacket) -> None:
        # A decoder gives frames the average duration; the packets know their own.
        if packet.pts is not None and packet.duration and packet.time_base:
            if len(self._lasting) >= DURATIONS_MAX:
                self._lasting.clear()
            self._lasting[packet.pts] = Fraction(packet.duration * packet.time_base)

    def _note_sound(self, packet: SoundPacket) -> None:
        if packet.pts is None or packet.time_base is None:
            return
        begin = Fraction(packet.pts * packet.time_base)
        if self.origin is None:
            self.origin = begin
        self._sound_end = begin - self.origin + Fraction((packet.duration or 0) * packet.time_base)
        if not self._own_length:
            # Then the announced length is that of the longest stream.
            self.state.end = max(self.state.end, self._sound_end)

    def _judge_end(self) -> None:
        if self._length is None or self.state.frames == 0:
            return
        slack = max(Fraction(1, 4), self._length / 100, 3 * self._timeline.nominal)
        if self._length - self.state.end > slack:
            self.state.cut_off = True


def _start(stream: av.stream.Stream) -> Fraction | None:
    if stream.start_time is None or stream.time_base is None:
        return None
    return Fraction(stream.start_time * stream.time_base)
