"""Decode a clip frame by frame: upright RGB pictures with the file's own times, and its sound.

Only the frame in hand is held. Whatever is damaged is skipped and counted, as players do.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import av.error
import av.video.frame

from fer_core.closing import Closing
from fer_core.cores import half_of_the_cores
from fer_core.errors import VideoError
from fer_core.video.colours import Colours
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
    clock,
    describe,
    first_audio,
    nominal_rate,
    open_clip,
)
from fer_core.video.shape import square_size
from fer_core.video.timeline import Timeline

READ_ERRORS_MAX = 50
"""Reading errors in a row after which the rest of a file is given up."""
AUDIO_LEAD_MAX = Fraction(1, 10)
"""Sound may begin this many seconds before the picture (encoders' priming) without moving it."""
DURATIONS_MAX = 256
"""Packets that may wait for their frames; more means that their frames never came."""
SEEK_FROM = 3.0
"""A wanted part that begins earlier than this many seconds is reached by reading."""


class _Overshot(Exception):  # noqa: N818 - caught here
    """Seeking led past the wanted part, or to frames without times."""


def probe(source: str | Path, options: VideoOptions | None = None) -> VideoInfo:
    """What the clip `source` says of itself; its first frame is decoded to make sure.

    Raises:
        VideoError: the file is missing, empty, not a clip, has no video stream, uses an unknown
            codec, holds no readable frame, or exceeds the limits of `options`.
    """
    with ClipReader(source, options) as reader:
        return reader.info


class ClipReader(Closing):
    """A clip that is being read, once, from the beginning. Not to be shared between threads.

    Attributes:
        info: what the clip says of itself.
        state: what was found on the way; complete when the iteration has ended.
        audio: the stream of sound, or None.
        origin: the file's time that becomes 0, seconds.
        begin: ticks at which the wanted part begins: those of its first frame, 0 for all of it.
    """

    info: VideoInfo

    def __init__(
        self,
        source: str | Path,
        options: VideoOptions | None = None,
        passing: Callable[[], None] | None = None,
    ) -> None:
        """Open the clip and decode its first frame.

        Args:
            source: the clip.
            options: how to read it.
            passing: called for each frame that is read before the wanted part, which may take long;
                what it raises is passed on.

        Raises:
            VideoError: see `probe`.
        """
        self._passing = passing
        self._options = options or VideoOptions()
        source = Path(source)
        self.name = called(source, self._options)
        self.state = ReadState()
        self._container, self._video = open_clip(source, self._options)
        try:
            # Frames come in turn through few threads: each of them holds one more frame.
            self._video.thread_type = "AUTO"
            self._video.codec_context.thread_count = min(2, half_of_the_cores())
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
            self._rate = rate or Fraction(25)
            self.begin = 0
            self._wanted = round(self._options.start_seconds * TICKS)
            end = self._options.end_seconds
            self._stop = None if end is None else round(end * TICKS)
            self._stopped = False
            self._passed = 0.0
            self._timeline = Timeline(self._rate, self._length)
            self._colours = Colours(self.name)
            self._bytes = max(1, source.stat().st_size)
            self._bytes_read = 0
            self._orientation = Orientation()
            self._size = (0, 0)
            self._waiting: deque[ClipFrame | SoundPacket] = deque()
            self._sought = self._seek()
            self._raw = self._decode()
            self._read_first_frame()
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

    @property
    def seconds_read(self) -> float:
        """Length of what was read of the wanted part."""
        end = self.state.end
        if self._stop is not None:
            end = min(end, Fraction(self._stop, TICKS))
        return max(0.0, float(end - Fraction(self.begin, TICKS)))

    def close(self) -> None:
        """Let go of the file; calling it twice is allowed."""
        self._container.close()

    def _find_origin(self) -> Fraction | None:
        video = _start(self._video)
        audio = None if self.audio is None else _start(self.audio)
        if video is None:
            return audio
        if audio is not None and video - audio > AUDIO_LEAD_MAX:
            return audio
        return video

    def _seek(self) -> bool:
        """Go to the last key frame before the wanted part, where that can be done."""
        start = self._options.start_seconds
        if start < SEEK_FROM or self._counted or self.origin is None or not self._video.time_base:
            return False
        if self._length is not None and start >= self._length:
            raise self._ends_before(float(self._length))
        try:
            place = int((self.origin + Fraction(start)) / self._video.time_base)
            self._container.seek(place, stream=self._video, backward=True)
        except (av.error.FFmpegError, OSError, ValueError, OverflowError):
            return False
        self._timeline = Timeline(self._rate, self._length, start)
        return True

    def _read_first_frame(self) -> None:
        try:
            found = self._find_first_frame()
        except _Overshot:
            self._start_over()
            found = self._find_first_frame()
        if found:
            return
        if self._sought:
            # Nothing came after the place that was sought; perhaps the index is wrong.
            self._start_over()
            if self._find_first_frame():
                return
        if self._passed:
            raise self._ends_before(self._passed)
        raise VideoError(
            f"{self.name} holds no picture that can be decoded; it is damaged, cut off or empty. "
            "Copy or record it again."
        )

    def _find_first_frame(self) -> bool:
        for item in self._raw:
            self._waiting.append(item)
            if isinstance(item, ClipFrame):
                return True
            if self._wanted and len(self._waiting) > DURATIONS_MAX:
                self._waiting.popleft()  # sound long before the first picture
        return False

    def _start_over(self) -> None:
        """Read from the beginning after all."""
        self._sought = False
        self._waiting.clear()
        self._lasting.clear()
        self.state = ReadState()
        self._timeline = Timeline(self._rate, self._length)
        self._container.seek(0)
        self._raw = self._decode()

    def _ends_before(self, seconds: float) -> VideoError:
        return VideoError(
            f"{self.name} is {clock(seconds)} long, but the part that was asked for begins at "
            f"{clock(self._options.start_seconds)}. Choose an earlier beginning."
        )

    def _decode(self) -> Iterator[ClipFrame | SoundPacket]:
        for packet in self._packets():
            if packet.stream is not self._video:
                if packet.dts is not None and packet.size and not self._too_late(packet):
                    self._note_sound(packet)
                    yield packet
                continue
            yield from self._frames_of(packet)
            if self._stopped:
                return
        yield from self._frames_of(None)
        if not self._stopped:
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
            except MemoryError:  # PyAV's is one of FFmpeg's errors too
                raise
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
        except MemoryError:
            raise
        except (av.error.FFmpegError, ValueError):
            self.state.damaged += 1
            return
        for frame in frames:
            shown = self._clip_frame(frame)
            if self._stopped:
                return
            if shown is not None:
                yield shown

    def _clip_frame(self, frame: av.video.frame.VideoFrame) -> ClipFrame | None:
        """The frame as it is shown; None before, and `_stopped` after, the wanted part."""
        check_size(frame.width, frame.height, self.name, self._options)
        if self._size == (0, 0):
            stored = (frame.width, frame.height)
            aspect = self._video.sample_aspect_ratio
            self._size = square_size(stored, aspect, self._options.max_pixels)
            self._orientation = orientation_of(frame)
        stamp = self._stamp(frame)
        if self.origin is None:
            self.origin = stamp or Fraction(0)
        if self._sought and not self._passed and self.state.frames == 0:
            late = None if stamp is None else stamp - self.origin - self._options.start_seconds
            if late is None or late > 2 * self._timeline.nominal:
                raise _Overshot
        ticks, duration = self._timeline.place(
            None if stamp is None else stamp - self.origin,
            self._lasting.pop(frame.pts, None),
        )
        if self._own_length and self._length is not None:
            # With reordered frames a packet's duration is another frame's; the clip's end is sure.
            duration = max(1, min(duration, round(self._length * TICKS) - ticks))
        if ticks < self._wanted:
            self._passed = (ticks + duration) / TICKS
            if self._passing is not None:
                self._passing()
            return None
        if self._stop is not None:
            if ticks >= self._stop:
                self._stopped = True
                return None
            duration = min(duration, self._stop - ticks)
        if frame.is_corrupt:
            self.state.damaged += 1
        if self.state.frames == 0 and self._wanted:
            self.begin = ticks
        self.state.end = max(self.state.end, Fraction(ticks + duration, TICKS))
        check_length((ticks - self.begin) / TICKS, self.name, self._options)
        picture = self._orientation.upright(self._colours.rgb(frame, self._size))
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

    def _progress(self, ticks: int) -> float:
        end = self._length
        if self._stop is not None:
            stop = Fraction(self._stop, TICKS)
            end = stop if end is None else min(end, stop)
        if end and end * TICKS > self.begin:
            return min(1.0, (ticks - self.begin) / float(end * TICKS - self.begin))
        return min(1.0, self._bytes_read / self._bytes)

    def _note_duration(self, packet: SoundPacket) -> None:
        # A decoder gives frames the average duration; the packets know their own.
        if packet.pts is not None and packet.duration and packet.time_base:
            if len(self._lasting) >= DURATIONS_MAX:
                self._lasting.clear()
            self._lasting[packet.pts] = Fraction(packet.duration * packet.time_base)

    def _too_late(self, packet: SoundPacket) -> bool:
        """Whether this sound lies behind the wanted part."""
        if self._stop is None or self.origin is None:
            return False
        time = packet.pts if packet.pts is not None else packet.dts
        if time is None or packet.time_base is None:
            return False
        return (time * packet.time_base - self.origin) * TICKS >= self._stop

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
