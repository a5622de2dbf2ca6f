"""What goes into and comes out of the work on clips: frozen dataclasses, times in seconds."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import av.packet

from fer_core.detectors.base import Picture
from fer_core.errors import OptionError
from fer_core.results import FrameResult
from fer_core.sampling import check_every

if TYPE_CHECKING:
    from fer_core.overlay import OverlayOptions

TICKS = 90_000
"""Ticks a second of every written clip: fine enough for all usual frame rates and for variable
ones (the clock of MPEG systems, ISO/IEC 13818-1)."""

SoundPacket: TypeAlias = "av.packet.Packet[Any]"
"""A packet of a clip's sound, still with the file's own times."""

PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium")


class FrameAnalyzer(Protocol):
    """The part of `fer_core.analyzer.Analyzer` that a clip needs."""

    def track(self, picture: Picture, pts: float) -> FrameResult:
        """The faces in the next frame of the clip, shown at `pts` seconds."""
        ...

    def reset(self) -> None:
        """Forget every track: another clip begins."""
        ...


@dataclass(frozen=True)
class VideoInfo:
    """What a clip says of itself, before it is decoded.

    Attributes:
        width, height: as shown, after the rotation flag and with square pixels.
        seconds: length; None where the file does not say (recordings of a browser).
        frames: number of frames by the file's index; None where it does not say.
        frame_rate: average frames a second; None where it does not say.
        video_codec, audio_codec: FFmpeg's names, such as `h264` and `aac`; `audio_codec` is None
            for a clip without sound.
        pixel_format: FFmpeg's name, such as `yuv420p`.
        rotation: degrees that the frames are turned clockwise to be shown: 0, 90, 180 or 270.
        container: FFmpeg's name of the format, such as `mov,mp4,m4a,3gp,3g2,mj2`.
    """

    width: int
    height: int
    seconds: float | None
    frames: int | None
    frame_rate: float | None
    video_codec: str
    audio_codec: str | None
    pixel_format: str
    rotation: int
    container: str


@dataclass(frozen=True)
class VideoOptions:
    """How a clip is read and written.

    Attributes:
        overlay: what is drawn; None for the overlay's own defaults.
        audio: whether the sound goes into the written clip.
        preset: x264's trade of speed against size, one of `PRESETS`.
        crf: x264's constant quality, 0 (lossless) to 51 (worst).
        max_pixels: clips with more pixels a frame are refused; bounds the memory.
        max_seconds: longer clips are refused; None for no limit.
        name: what messages call the clip; None for its file name.
        start_seconds, end_seconds: the part of the clip that is wanted, by its own times; the end
            is not in it, None for the end of the clip. The written clip begins at 0, results and
            tables keep the source's times.
        every: analyse every n-th frame, from the first wanted one on; on the frames between, faces
            are drawn where their motion takes them, and tables have no rows.
    """

    overlay: OverlayOptions | None = None
    audio: bool = True
    preset: str = "superfast"
    crf: int = 23
    max_pixels: int = 4096 * 2304
    max_seconds: float | None = None
    name: str | None = None
    start_seconds: float = 0.0
    end_seconds: float | None = None
    every: int = 1

    def __post_init__(self) -> None:
        if self.preset not in PRESETS:
            known = ", ".join(PRESETS)
            raise OptionError(f"Unknown preset. Received: {self.preset!r}. Known: {known}.")
        if not 0 <= self.crf <= 51:
            raise OptionError(f"crf must be from 0 to 51. Received: {self.crf}.")
        if self.max_pixels < 1:
            raise OptionError(f"max_pixels must be at least 1. Received: {self.max_pixels}.")
        if self.max_seconds is not None and not self.max_seconds > 0:
            raise OptionError(f"max_seconds must be above 0. Received: {self.max_seconds}.")
        if not (math.isfinite(self.start_seconds) and self.start_seconds >= 0):
            raise OptionError(
                f"start_seconds must be 0 seconds or more. Received: {self.start_seconds}."
            )
        if self.end_seconds is not None and not (
            math.isfinite(self.end_seconds) and self.end_seconds > self.start_seconds
        ):
            raise OptionError(
                f"end_seconds must be later than start_seconds ({self.start_seconds}), or None for "
                f"the end of the clip. Received: {self.end_seconds}."
            )
        check_every(self.every)


@dataclass(frozen=True)
class VideoProgress:
    """How far a job is.

    Attributes:
        fraction: share that is done, 0 to 1, by time in the clip (by bytes where the clip does not
            say how long it is).
        frames: number of frames done.
        position: time in the clip, seconds.
        elapsed: seconds since the job began.
        seconds_left: estimate; None while there is nothing to go by.
    """

    fraction: float
    frames: int
    position: float
    elapsed: float
    seconds_left: float | None


@dataclass(frozen=True)
class Lane:
    """One track over the whole clip.

    Attributes:
        track: its number.
        first, last: when its face was seen first and last, seconds in the source clip.
        faces: number of its faces.
        thumbnail: its surest frontal face, a square JPEG; None where none could be cut out.
        label_shares: share of each label that it had, 0 to 1; labels that it never had are left
            out.
        points: pairs of a time, seconds from the beginning of the written clip, and the mean of
            the seven probabilities (order of `fer_core.emotions.CLASSES`) around it; at most
            `fer_core.video.lanes.MOST_POINTS` over the clip, none where the face was not seen.
    """

    track: int
    first: float
    last: float
    faces: int
    thumbnail: bytes | None = field(repr=False)
    label_shares: dict[str, float]
    points: tuple[tuple[float, tuple[float, ...]], ...] = field(repr=False)


@dataclass(frozen=True)
class Moment:
    """A strong change of one face.

    Attributes:
        seconds: when, seconds in the source clip.
        track: whose.
        before, after: the commonest label shortly before and after.
        size: how far the probabilities moved, 0 to 1 (total variation).
    """

    seconds: float
    track: int
    before: str
    after: str
    size: float


@dataclass(frozen=True)
class VideoReport:
    """What came of a job.

    Attributes:
        info: the clip as it was announced.
        frames: number of frames read, and written where a clip is written.
        seconds: length of that.
        faces: number of faces in all analysed frames together.
        tracks: number of different track numbers among them.
        label_counts: faces by shown label, the seven classes and `uncertain`.
        elapsed: seconds the job took.
        warnings: sentences for people: cut off, damaged frames, sound left out.
        frames_analysed: number of frames analysed; fewer than `frames` with `VideoOptions.every`.
        origin: where the written clip begins, seconds in the source clip.
        lanes: the tracks, by number; of very many those that were seen most.
        moments: at most ten, the strongest changes, by time.
    """

    info: VideoInfo
    frames: int
    seconds: float
    faces: int
    tracks: int
    label_counts: dict[str, int]
    elapsed: float
    warnings: tuple[str, ...] = ()
    frames_analysed: int = 0
    origin: float = 0.0
    lanes: tuple[Lane, ...] = field(default=(), repr=False)
    moments: tuple[Moment, ...] = field(default=(), repr=False)

    @property
    def label_shares(self) -> dict[str, float]:
        """Share of each label among all faces, 0 to 1; all 0 when there was no face."""
        total = max(1, sum(self.label_counts.values()))
        return {label: count / total for label, count in self.label_counts.items()}

    @property
    def speed(self) -> float:
        """Seconds of clip a second of work."""
        return self.seconds / self.elapsed if self.elapsed > 0 else 0.0


@dataclass(frozen=True)
class ClipFrame:
    """One decoded frame, upright.

    Attributes:
        index: from 0.
        ticks: presentation time from the start of the source clip, 1 / `TICKS` seconds; strictly
            growing.
        duration: how long it is shown, ticks, at least 1; the file's word or the usual frame's.
        picture: RGB uint8 (height, width, 3).
        progress: share of the clip that was read when this frame came out, 0 to 1.
    """

    index: int
    ticks: int
    duration: int
    picture: Picture
    progress: float

    @property
    def pts(self) -> float:
        """Presentation time from the start of the clip, seconds."""
        return self.ticks / TICKS


@dataclass
class ReadState:
    """What a reader learns on the way; complete when its iteration has ended."""

    frames: int = 0
    end: Fraction = field(default_factory=Fraction)
    damaged: int = 0
    cut_off: bool = False
