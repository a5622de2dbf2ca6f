"""Open a clip that somebody sent, refuse what cannot be worked on, and say what it is."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import av.container
import av.error
import av.logging
import av.stream
import av.video.stream

from fer_core.errors import VideoError
from fer_core.names import shown_name
from fer_core.video.contracts import VideoInfo, VideoOptions
from fer_core.video.orientation import Orientation
from fer_core.video.tables import promises_too_much

# Playlists and subtitle-like formats are left out on purpose: FFmpeg's readers for them open other
# files and addresses, which a file from a stranger must not decide.
FORMATS = "mov,matroska,avi,mpegts,mpeg,flv,asf,ogg"
CODEC_MAX_SIDE = 16_384

# What FFmpeg finds wrong with a file is said in our own sentences; its log is for its developers.
av.logging.set_level(None)


def called(source: Path, options: VideoOptions) -> str:
    """What messages call the clip: one line, whatever the file is called."""
    return shown_name(options.name or source.name, "The clip")


def open_clip(
    source: Path, options: VideoOptions
) -> tuple[av.container.InputContainer, av.video.stream.VideoStream]:
    """Open `source` and choose its video stream. The caller closes the container.

    Raises:
        VideoError: the file is missing, empty, not a clip, has no video stream, uses an unknown
            codec, or exceeds the limits of `options`.
    """
    name = called(source, options)
    try:
        size = source.stat().st_size
    except OSError as error:
        raise VideoError(
            f"{name} cannot be opened ({error.strerror}). Check the path of the clip."
        ) from None
    if not source.is_file():
        raise VideoError(f"{name} is not a file. Give the path of a clip.")
    if size == 0:
        raise VideoError(f"{name} is empty (0 bytes). Send the clip again.")
    if promises_too_much(source):
        raise VideoError(
            f"{name} announces more pictures than it can hold; it is damaged or made to do harm. "
            "Copy or record it again."
        )
    try:
        container = av.open(
            # FFmpeg reads a prefix such as `concat:` as a protocol; an absolute path has none.
            str(source.absolute()),
            mode="r",
            # Tags in other encodings are common and of no use here.
            metadata_errors="replace",
            options={"format_whitelist": FORMATS, "protocol_whitelist": "file"},
        )
    except (av.error.FFmpegError, OSError, ValueError):
        raise VideoError(_why_not_opened(source, name)) from None
    try:
        return container, _choose_video(container, name, options)
    except BaseException:
        container.close()
        raise


def describe(
    container: av.container.InputContainer,
    video: av.video.stream.VideoStream,
    size: tuple[int, int],
    orientation: Orientation,
) -> VideoInfo:
    """`VideoInfo` of an open clip whose first frame has `size` (width, height) before it is turned,
    with square pixels."""
    audio = first_audio(container)
    width, height = orientation.shown_size(*size)
    rate = nominal_rate(video)
    length = clip_seconds(container, video)
    return VideoInfo(
        width=width,
        height=height,
        seconds=None if length is None else float(length),
        frames=video.frames or None,
        frame_rate=None if rate is None else float(rate),
        video_codec=video.codec_context.name,
        audio_codec=None if audio is None else audio.codec_context.name,
        pixel_format=video.codec_context.pix_fmt or "unknown",
        rotation=orientation.clockwise,
        container=container.format.name,
    )


def first_audio(container: av.container.InputContainer) -> av.AudioStream | None:
    """The sound of the clip, or None when there is none that can be decoded."""
    for stream in container.streams.audio:
        context = stream.codec_context
        if context is not None and context.sample_rate > 0:
            return stream
    return None


def nominal_rate(video: av.video.stream.VideoStream) -> Fraction | None:
    """Usual frames a second, or None where the file does not say or says nonsense."""
    for rate in (video.average_rate, video.guessed_rate):
        if rate and Fraction(1, 100) <= rate <= 1000:
            return Fraction(rate)
    return None


def clip_seconds(
    container: av.container.InputContainer, video: av.video.stream.VideoStream
) -> Fraction | None:
    """Announced length of the video stream, or of the clip; None where the file does not say."""
    if video.duration and video.duration > 0 and video.time_base:
        return Fraction(video.duration * video.time_base)
    if container.duration and container.duration > 0:
        return Fraction(container.duration, av.time_base)
    return None


def _choose_video(
    container: av.container.InputContainer, name: str, options: VideoOptions
) -> av.video.stream.VideoStream:
    streams = [
        stream
        for stream in container.streams.video
        # The cover of a song is a video stream of one picture.
        if not stream.disposition & av.stream.Disposition.attached_pic
    ]
    if not streams:
        kinds = ", ".join(sorted({stream.type for stream in container.streams})) or "nothing"
        raise VideoError(
            f"{name} has no video stream (it holds: {kinds}). Send a clip with moving pictures."
        )
    video = streams[0]
    if video.codec_context is None:
        raise VideoError(
            f"{name} is coded in a way that is not supported here. "
            "Convert it to H.264 in an mp4 file and send that."
        )
    width, height = video.codec_context.width, video.codec_context.height
    if width < 1 or height < 1:
        raise VideoError(
            f"{name} does not say how large its pictures are, so nothing in it can be decoded. "
            "It may be damaged or cut off; send it again."
        )
    check_size(width, height, name, options)
    length = clip_seconds(container, video)
    if length is not None:
        end = float(length) if options.end_seconds is None else options.end_seconds
        check_length(min(end, float(length)) - options.start_seconds, name, options)
    return video


def check_size(width: int, height: int, name: str, options: VideoOptions) -> None:
    """Refuse frames over the limit.

    Raises:
        VideoError: there are more pixels than `options.max_pixels`, or a side is absurdly long.
    """
    if width * height > options.max_pixels or max(width, height) > CODEC_MAX_SIDE:
        raise VideoError(
            f"{name} has pictures of {width}x{height} pixels; the limit is "
            f"{options.max_pixels / 1e6:.1f} million pixels. Scale it down and send it again."
        )


def check_length(seconds: float | None, name: str, options: VideoOptions) -> None:
    """Refuse clips over the limit.

    Raises:
        VideoError: the clip is longer than `options.max_seconds`.
    """
    if options.max_seconds is not None and seconds is not None and seconds > options.max_seconds:
        raise VideoError(
            f"{name} is {clock(seconds)} long; the limit is {clock(options.max_seconds)}. "
            "Cut it into shorter clips and send those."
        )


def clock(seconds: float) -> str:
    """A length for people: `8.0 s`, `2:05`, `1:00:00`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _why_not_opened(source: Path, name: str) -> str:
    try:
        with source.open("rb") as stream:
            head = stream.read(4096)
    except OSError as error:
        return f"{name} cannot be read ({error.strerror}). Check the permissions of the file."
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free"):
        return (
            f"{name} is an mp4 or mov file that is cut off or damaged: its index is missing, "
            "so nothing in it can be read. Copy or record it again."
        )
    if head[:4] in (b"\x1a\x45\xdf\xa3", b"RIFF"):
        return (
            f"{name} is cut off or damaged so early that nothing in it can be read. "
            "Copy or record it again."
        )
    kind = "a text file" if _looks_like_text(head) else "not a clip that can be read"
    return f"{name} is {kind}, whatever its name says. Send an mp4, mov, avi, mkv or webm clip."


def _looks_like_text(head: bytes) -> bool:
    if b"\0" in head:
        return False
    try:
        head[:-4].decode("utf-8") if len(head) > 4 else head.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
