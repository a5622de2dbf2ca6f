"""Clips are read with their own times, the right way up, whatever they are coded in."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from fer_core.video import ClipReader, probe
from fer_core.video.contracts import TICKS
from fer_core.video.timeline import Timeline
from tests.clips import Clip, face_scene, make_clip, strip_length

TICK = 1.5 / TICKS
COLOUR_TOLERANCE = 6
"""Grey values by which a colour may move through YUV and a lossy encoder."""

CODED = {
    "h264 mp4": ("mp4", Clip()),
    "h264 mov": ("mov", Clip()),
    "10-bit h264": ("mp4", Clip(pixel_format="yuv420p10le")),
    "4:4:4 h264": ("mp4", Clip(pixel_format="yuv444p")),
    "10-bit hevc": ("mp4", Clip(codec="libx265", pixel_format="yuv420p10le")),
    "vp8 webm": ("webm", Clip(codec="libvpx")),
    "vp9 webm": ("webm", Clip(codec="libvpx-vp9", options=(("cpu-used", "8"),))),
    "h264 mkv": ("mkv", Clip()),
    "mpeg4 avi": ("avi", Clip(codec="mpeg4")),
    "motion jpeg avi": ("avi", Clip(codec="mjpeg", pixel_format="yuvj420p")),
    "h264 with b-frames in avi": ("avi", Clip(options=(("bf", "2"),))),
    "prores mov": ("mov", Clip(codec="prores_ks", pixel_format="yuv422p10le")),
    "odd size": ("mkv", Clip(size=(161, 121), pixel_format="yuv444p")),
}


@pytest.mark.parametrize("case", CODED)
def test_every_coding_gives_the_same_pictures(case: str, tmp_path: Path) -> None:
    ending, clip = CODED[case]
    file = make_clip(tmp_path / f"clip.{ending}", clip)
    with ClipReader(file) as reader:
        frames = list(reader.frames())
        info, state = reader.info, reader.state
    assert (info.width, info.height) == clip.size
    assert len(frames) == state.frames == len(clip.times)
    assert [frame.index for frame in frames] == list(range(len(clip.times)))
    # webm and mkv count in milliseconds.
    assert [frame.pts for frame in frames] == pytest.approx(list(clip.times), abs=0.001)
    assert not state.cut_off
    assert state.damaged == 0
    for step in (0, 14):
        picture = frames[step].picture
        assert picture.dtype == np.uint8
        assert picture.flags.c_contiguous
        assert picture.flags.writeable
        wrong = np.abs(picture.astype(int) - face_scene(clip.size, step))
        assert wrong.mean() < 8


def test_times_of_a_variable_frame_rate_are_kept(tmp_path: Path) -> None:
    times = (0.0, 0.04, 0.1, 0.5, 0.52, 1.9, 2.0)
    with ClipReader(make_clip(tmp_path / "clip.mp4", Clip(times=times))) as reader:
        assert [frame.pts for frame in reader.frames()] == pytest.approx(times, abs=0.0001)


def test_the_first_time_becomes_zero(tmp_path: Path) -> None:
    file = make_clip(tmp_path / "clip.mkv", Clip(times=(5.0, 5.1, 5.3)))
    with ClipReader(file) as reader:
        assert [frame.pts for frame in reader.frames()] == pytest.approx([0, 0.1, 0.3], abs=0.001)


def test_a_picture_that_begins_after_the_sound_keeps_its_place(tmp_path: Path) -> None:
    file = make_clip(tmp_path / "clip.mkv", Clip(times=(1.0, 1.1, 1.2), sound="aac"))
    with ClipReader(file) as reader:
        first = next(reader.frames())
    assert first.pts == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize(
    ("counterclockwise", "mirrored", "clockwise", "corner"),
    [
        (0, False, 0, "upper left"),
        (90, False, 270, "lower left"),
        (180, False, 180, "lower right"),
        (270, False, 90, "upper right"),
        (0, True, 0, "upper right"),
    ],
)
def test_the_rotation_flag_is_honoured(
    counterclockwise: int, mirrored: bool, clockwise: int, corner: str, tmp_path: Path
) -> None:
    import av

    file = tmp_path / "clip.mp4"
    stored = np.zeros((64, 96, 3), np.uint8)
    stored[:24, :24] = 255
    with av.open(str(file), "w") as container:
        video = container.add_stream("libx264", rate=10)
        video.width, video.height, video.pix_fmt = 96, 64, "yuv420p"
        video.set_display_rotation(counterclockwise, hflip=mirrored)
        container.mux(video.encode(av.VideoFrame.from_ndarray(stored, format="rgb24")))
        container.mux(video.encode(None))
    with ClipReader(file) as reader:
        info, frame = reader.info, next(reader.frames())
    assert info.rotation == clockwise
    height, width = frame.picture.shape[:2]
    assert (width, height) == (info.width, info.height)
    assert (width, height) == ((64, 96) if counterclockwise in (90, 270) else (96, 64))
    rows = slice(0, 16) if "upper" in corner else slice(height - 16, height)
    columns = slice(0, 16) if "left" in corner else slice(width - 16, width)
    assert frame.picture[rows, columns].mean() > 240
    assert frame.picture.mean() < 40


def test_colours_are_read_by_the_matrix_that_the_file_names(tmp_path: Path) -> None:
    import av

    red = np.zeros((64, 64, 3), np.uint8)
    red[:] = (200, 40, 30)
    for matrix, name in ((1, "ITU709"), (5, "ITU601")):
        file = tmp_path / f"{name}.mp4"
        with av.open(str(file), "w") as container:
            video = container.add_stream("libx264", rate=10)
            video.width, video.height, video.pix_fmt = 64, 64, "yuv420p"
            video.codec_context.colorspace = matrix
            frame = av.VideoFrame.from_ndarray(red, format="rgb24")
            frame = frame.reformat(format="yuv420p", dst_colorspace=name)
            container.mux(video.encode(frame))
            container.mux(video.encode(None))
        with ClipReader(file) as reader:
            picture = next(reader.frames()).picture
        assert np.abs(picture.astype(int) - red).max() <= COLOUR_TOLERANCE, name


def test_what_a_clip_says_of_itself(tmp_path: Path) -> None:
    info = probe(make_clip(tmp_path / "clip.mp4", Clip(sound="aac", rotation=90)))
    assert (info.width, info.height) == (120, 160)
    assert info.seconds == pytest.approx(1.0, abs=0.01)
    assert (info.video_codec, info.audio_codec, info.pixel_format) == ("h264", "aac", "yuv420p")
    assert info.frames == 15
    assert info.frame_rate == pytest.approx(15)
    assert "mp4" in info.container


def test_progress_without_an_announced_length_goes_by_bytes(tmp_path: Path) -> None:
    # As a browser records: a matroska stream that cannot be completed afterwards.
    whole = make_clip(
        tmp_path / "clip.mkv",
        Clip(times=tuple(i / 15 for i in range(60)), options=(("bf", "0"), ("g", "5"))),
    )
    live = tmp_path / "live.mkv"
    strip_length(whole, live)
    with ClipReader(live) as reader:
        assert reader.info.seconds is None
        shares = [frame.progress for frame in reader.frames()]
    assert len(shares) == 60
    assert shares == sorted(shares)
    assert shares[0] < 0.5 < shares[-1] <= 1


@pytest.mark.parametrize(
    ("given", "length", "expected"),
    [
        ([0, 0.1, 0.2], 1, [0, 0.1, 0.2]),
        ([None, None, None], 1, [0, 0.04, 0.08]),
        ([0.5, None, 0.6], 1, [0.5, 0.54, 0.6]),
        ([0, 0.1, 0.1, 0.2], 1, [0, 0.1, 0.1, 0.2]),
        ([0, 0.1, 0.05, 0.2], 1, [0, 0.1, 0.1, 0.2]),
        ([-0.2, 0.1], 1, [0, 0.1]),
        # A clock that restarts goes on from where it was.
        ([5, 5.04, 0, 0.04], 10, [5, 5.04, 5.08, 5.12]),
        # One damaged time does not move those after it.
        ([0, 0.1, 1e12, 0.3], 1, [0, 0.1, 0.14, 0.18]),
        ([0, 300, 300.1], None, [0, 300, 300.1]),
        ([0, 1e7, 1e7 + 0.1], None, [0, 0.04, 0.14]),
        ([1e9, 1e9 + 0.1], 1, [0, 0.04]),
    ],
)
def test_timeline(given: list[float | None], length: int | None, expected: list[float]) -> None:
    timeline = Timeline(Fraction(25), None if length is None else Fraction(length))
    ticks = [
        timeline.place(None if time is None else Fraction(time).limit_denominator(10**6), None)[0]
        for time in given
    ]
    assert all(after > before for before, after in pairwise(ticks))
    assert [tick / TICKS for tick in ticks] == pytest.approx(expected, abs=TICK)
