"""Clips made for the tests: a real face (scikit-image's astronaut) that moves, in every dress."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from fer_core.detectors.base import Picture
from fer_core.results import Box, Face, FrameResult

EVEN = (0.02, 0.03, 0.05, 0.7, 0.1, 0.04, 0.06)


@dataclass(frozen=True)
class Clip:
    """How a clip is made; times are seconds."""

    size: tuple[int, int] = (160, 120)
    times: Sequence[float] = tuple(i / 15 for i in range(15))
    codec: str = "libx264"
    pixel_format: str = "yuv420p"
    rotation: int | None = None
    mirrored: bool = False
    sound: str | None = None
    sound_rate: int = 44100
    sound_channels: int = 1
    sound_delay: float = 0.0
    container: str | None = None
    faststart: bool = False
    aspect: Fraction | None = None
    colour: tuple[int, int, int] | None = None
    options: tuple[tuple[str, str], ...] = ()

    def but(self, **changes: Any) -> Clip:
        return replace(self, **changes)


def face_scene(size: tuple[int, int], step: int = 0) -> Picture:
    """The astronaut's face on grey, `step` pixels further to the right."""
    import cv2
    from skimage.data import astronaut

    width, height = size
    side = min(width, height) * 3 // 4
    face = cv2.resize(astronaut()[0:256, 96:352], (side, side), interpolation=cv2.INTER_AREA)
    scene = np.full((height, width, 3), 90, np.uint8)
    left = min(width - side, (width - side) // 4 + step)
    top = (height - side) // 2
    scene[top : top + side, left : left + side] = face
    return scene


def make_clip(file: Path, clip: Clip | None = None) -> Path:
    """Write a clip."""
    clip = clip or Clip()
    options = {"movflags": "+faststart"} if clip.faststart else {}
    with av.open(str(file), "w", format=clip.container, options=options) as container:
        video = container.add_stream(clip.codec, rate=15)
        video.width, video.height = clip.size
        video.pix_fmt = clip.pixel_format
        ticks = Fraction(1, 15360)
        if file.suffix == ".avi":
            ticks = Fraction(1, 15)
        video.codec_context.time_base = ticks
        video.codec_context.options = dict(clip.options)
        if clip.aspect:
            video.codec_context.sample_aspect_ratio = clip.aspect
        if clip.rotation is not None or clip.mirrored:
            video.set_display_rotation(clip.rotation or 0, hflip=clip.mirrored)
        sound = _add_sound(container, clip) if clip.sound else None
        for step, time in enumerate(clip.times):
            picture = face_scene(clip.size, step)
            if clip.colour:
                picture[:] = clip.colour
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = round(time / ticks), ticks
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if sound is not None:
            length = max(clip.times) + 1 / 15 - clip.sound_delay
            _write_sound(container, sound, clip, length)
    return file


def make_sound_only(file: Path) -> Path:
    """A file with sound and nothing to see."""
    clip = Clip(sound="aac")
    with av.open(str(file), "w") as container:
        _write_sound(container, _add_sound(container, clip), clip, 1.0)
    return file


def strip_length(source: Path, target: Path) -> None:
    """The clip again as a stream that nobody could complete: without its length."""

    class Pipe:
        """A sink that cannot go back, as a network is."""

        def __init__(self) -> None:
            self.data = bytearray()

        def write(self, block: bytes) -> int:
            self.data += block
            return len(block)

    pipe = Pipe()
    with av.open(str(source)) as inside, av.open(pipe, "w", format="matroska") as outside:
        video = inside.streams.video[0]
        copy = outside.add_stream_from_template(video)
        for packet in inside.demux(video):
            if packet.dts is not None:
                packet.stream = copy
                outside.mux(packet)
    target.write_bytes(bytes(pipe.data))


def _add_sound(container: Any, clip: Clip) -> Any:
    sound = container.add_stream(clip.sound, rate=clip.sound_rate)
    sound.codec_context.layout = {1: "mono", 2: "stereo", 6: "5.1"}[clip.sound_channels]
    return sound


def _write_sound(container: Any, sound: Any, clip: Clip, length: float) -> None:
    count = int(length * clip.sound_rate)
    wave = np.sin(np.arange(count) * 2 * np.pi * 440 / clip.sound_rate) * 8000
    begin = round(clip.sound_delay * clip.sound_rate)
    for at in range(0, count, 1024):
        part = np.tile(wave[at : at + 1024].astype(np.int16), (clip.sound_channels, 1))
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(part), format="s16p", layout=sound.codec_context.layout.name
        )
        frame.sample_rate = clip.sound_rate
        frame.pts, frame.time_base = begin + at, Fraction(1, clip.sound_rate)
        container.mux(sound.encode(frame))
    container.mux(sound.encode(None))


def read_times(file: Path) -> list[float]:
    """Presentation time of every frame as PyAV reads it, seconds."""
    with av.open(str(file)) as container:
        return [float(frame.time) for frame in container.decode(video=0)]


def read_pictures(file: Path) -> list[Picture]:
    """Every frame as it is stored, RGB."""
    with av.open(str(file)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


class FakeAnalyzer:
    """Finds one happy face in the upper left quarter of each frame, and remembers the frames."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.sizes: list[tuple[int, int]] = []
        self.resets = 0

    def reset(self) -> None:
        self.resets += 1

    def track(self, picture: Picture, pts: float) -> FrameResult:
        height, width = picture.shape[:2]
        self.times.append(pts)
        self.sizes.append((width, height))
        face = Face(Box(2, 2, width / 2, height / 2), 0.9, EVEN, "happy", track_id=1)
        return FrameResult(width, height, (face,), pts)


def no_threads_left() -> bool:
    """Whether the threads that work on clips have ended."""
    return not [t for t in threading.enumerate() if t.name.startswith("fer-video")]


def file_names(folder: Path) -> list[str]:
    """Names of all files under `folder`, sorted, while others delete some of them.

    Up to Python 3.12 `rglob` fails when a folder goes while it looks; `walk` passes over it.
    """
    return sorted(name for _, _, names in os.walk(folder) for name in names)
