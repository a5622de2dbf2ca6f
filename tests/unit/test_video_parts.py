"""Parts of clips, some of their frames, bright pictures: what comes out is what was there."""

from __future__ import annotations

import csv
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fer_core.errors import OptionError, VideoCancelled, VideoError
from fer_core.results import Box, Face, FrameResult
from fer_core.sampling import EveryNth
from fer_core.video import ClipReader, VideoOptions, annotate_video, probe
from fer_core.video.colours import Colours
from fer_core.video.hdr import HLG, PQ, WHITE, to_sdr
from fer_core.video.shape import square_size
from tests.clips import EVEN, Clip, FakeAnalyzer, make_clip, read_times

TEN = tuple(i / 15 for i in range(150))
UNEVEN = tuple(float(t) for t in np.cumsum([0.0, *([0.02, 0.2, 0.05, 0.13] * 20)]))
KINDS = [
    ("mp4", "libx264"),
    ("mkv", "libx264"),
    ("webm", "libvpx"),
    ("avi", "mpeg4"),
]


def options(**changes: Any) -> VideoOptions:
    return VideoOptions(**changes)


@pytest.mark.parametrize(("ending", "codec"), KINDS)
@pytest.mark.parametrize(
    ("start", "end", "first", "count"),
    [
        (0.0, None, 0.0, 150),
        (4.0, None, 4.0, 90),
        (4.05, 6.0, 61 / 15, 29),
        (1.0, 1.05, 1.0, 1),
        (9.9, 99.0, 149 / 15, 1),
    ],
)
def test_a_part_holds_the_frames_of_its_time(
    ending: str,
    codec: str,
    start: float,
    end: float | None,
    first: float,
    count: int,
    tmp_path: Path,
) -> None:
    source = make_clip(tmp_path / f"clip.{ending}", Clip(times=TEN, codec=codec))
    analyzer = FakeAnalyzer()
    target = tmp_path / "out.mp4"
    wanted = options(start_seconds=start, end_seconds=end)
    report = annotate_video(source, target, analyzer, options=wanted, csv=tmp_path / "faces.csv")
    assert report.frames == report.frames_analysed == count
    assert analyzer.times[0] == pytest.approx(first, abs=0.011)
    assert report.origin == pytest.approx(first, abs=0.011)
    assert report.seconds == pytest.approx(count / 15, abs=0.06)
    written = read_times(target)
    assert written[0] == 0
    assert written == pytest.approx([t - analyzer.times[0] for t in analyzer.times], abs=0.011)
    with (tmp_path / "faces.csv").open(newline="") as table:
        times = [float(row["seconds"]) for row in csv.DictReader(table)]
    assert times == pytest.approx(analyzer.times, abs=1e-5), "tables keep the times of the source"


def test_a_part_of_an_uneven_clip_keeps_its_times(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "clip.mp4", Clip(times=UNEVEN))
    analyzer = FakeAnalyzer()
    wanted = options(start_seconds=3.5, end_seconds=6.0)
    annotate_video(source, tmp_path / "out.mp4", analyzer, options=wanted)
    expected = [t for t in UNEVEN if 3.499 < t < 5.999]
    assert analyzer.times == pytest.approx(expected, abs=0.011)


def test_sound_begins_with_the_part(tmp_path: Path) -> None:
    import av

    source = make_clip(tmp_path / "clip.mp4", Clip(times=TEN, sound="aac"))
    target = tmp_path / "out.mp4"
    wanted = options(start_seconds=4.0, end_seconds=6.0)
    annotate_video(source, target, FakeAnalyzer(), options=wanted)
    with av.open(str(target)) as container:
        times = [float(frame.time) for frame in container.decode(audio=0)]
    assert -0.05 <= times[0] <= 0.1
    assert times[-1] == pytest.approx(2.0, abs=0.15)


def test_a_part_after_the_end_is_said(tmp_path: Path) -> None:
    for ending, codec in KINDS:
        source = make_clip(tmp_path / f"clip.{ending}", Clip(codec=codec))
        with pytest.raises(VideoError, match=r"is \S+ s long, .* begins at 50\.0 s"):
            ClipReader(source, options(start_seconds=50.0))


@pytest.mark.parametrize(
    "wrong",
    [
        {"start_seconds": -1.0},
        {"start_seconds": float("nan")},
        {"start_seconds": 5.0, "end_seconds": 5.0},
        {"end_seconds": float("inf")},
        {"every": 0},
    ],
)
def test_a_part_that_is_none(wrong: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match="Received"):
        VideoOptions(**wrong)


def test_a_limit_is_for_the_part_that_is_wanted(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "clip.mp4", Clip(times=TEN))
    with pytest.raises(VideoError):
        ClipReader(source, options(max_seconds=3.0))
    with ClipReader(source, options(max_seconds=3.0, start_seconds=8.0)) as reader:
        assert len(list(reader.frames())) == 30


def test_the_way_to_a_part_can_be_broken_off(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "clip.avi", Clip(times=TEN, codec="mpeg4"))
    asked: list[int] = []

    def stop() -> bool:
        asked.append(1)
        return len(asked) > 5

    wanted = options(start_seconds=9.0)
    with pytest.raises(VideoCancelled):
        annotate_video(source, tmp_path / "out.mp4", FakeAnalyzer(), options=wanted, cancelled=stop)
    assert len(asked) == 6
    assert not (tmp_path / "out.mp4").exists()


class Mover:
    """A face that goes to the right by a pixel each hundredth of a second."""

    def reset(self) -> None:
        pass

    def track(self, picture: Any, pts: float) -> FrameResult:
        x = 10 + 100 * pts
        face = Face(Box(x, 20, x + 40, 60), 0.9, EVEN, "happy", track_id=1)
        return FrameResult(320, 240, (face,), pts)


def test_between_two_analysed_frames_a_box_goes_on_with_its_face() -> None:
    sampled, frame = EveryNth(Mover(), 5), np.zeros((240, 320, 3), np.uint8)
    errors = []
    for k in range(60):
        result = sampled.track(frame, k / 25)
        errors.append(abs(result.faces[0].box.x0 - (10 + 100 * k / 25)))
        assert result.pts == k / 25
    assert max(errors[30:]) < 4.0, "held still it would lag by up to 16 pixels"


def test_tables_have_rows_of_analysed_frames_only(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "clip.mp4", Clip(times=TEN))
    table = tmp_path / "faces.csv"
    report = annotate_video(
        source, tmp_path / "out.mp4", FakeAnalyzer(), options=options(every=4), csv=table
    )
    assert (report.frames, report.frames_analysed, report.faces) == (150, 38, 38)
    assert len(read_times(tmp_path / "out.mp4")) == 150
    with table.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert [int(row["frame"]) for row in rows] == list(range(0, 150, 4))


@pytest.mark.parametrize(
    ("size", "aspect", "shown"),
    [
        ((720, 576), Fraction(16, 15), (768, 576)),
        ((720, 480), Fraction(8, 9), (720, 540)),
        ((720, 576), None, (720, 576)),
        ((720, 576), Fraction(1), (720, 576)),
        ((720, 576), Fraction(0), (720, 576)),
        ((720, 576), Fraction(100), (720, 576)),
        ((720, 576), Fraction(1, 100), (720, 576)),
        ((4000, 2000), Fraction(2), (4000, 2000)),
    ],
)
def test_the_shape_with_square_pixels(
    size: tuple[int, int], aspect: Fraction | None, shown: tuple[int, int]
) -> None:
    assert square_size(size, aspect, 4096 * 2304) == shown


def coded(candelas: float, transfer: int) -> int:
    """ITU-R BT.2100: light to the 16-bit code, the other way round than the module goes."""
    if transfer == PQ:
        power = (candelas / 10_000) ** (2610 / 16384)
        top = 3424 / 4096 + 2413 / 128 * power
        return round(65535 * (top / (1 + 2392 / 128 * power)) ** (2523 / 32))
    scene = (candelas / 1000) ** (1 / 1.2)
    if scene <= 1 / 12:
        return round(65535 * np.sqrt(3 * scene))
    return round(65535 * (0.17883277 * np.log(12 * scene - 0.28466892) + 0.55991073))


@pytest.mark.parametrize("transfer", [PQ, HLG], ids=["PQ", "HLG"])
def test_bright_pictures_look_as_bright_as_they_were_meant(transfer: int) -> None:
    def shown(candelas: float) -> int:
        picture = np.full((2, 3, 3), coded(candelas, transfer), np.uint16)
        out = to_sdr(picture, transfer, 9)
        assert out.shape == (2, 3, 3)
        assert np.ptp(out) <= 2, "grey stays grey"
        return int(out[0, 0, 1])

    assert shown(0.0) == 0
    # Half of white's light is 188 in sRGB's curve; faces are kept as they are.
    assert shown(WHITE / 2) == pytest.approx(188, abs=2)
    steps = [shown(c) for c in (1, 10, 50, 100, 150, 203, 250, 300, 400)]
    assert steps == sorted(set(steps)), "highlights are pressed together, not cut"
    assert steps[-1] <= 255


def test_wide_colours_become_those_of_ordinary_screens() -> None:
    red = np.zeros((1, 1, 3), np.uint16)
    red[..., 0] = coded(100.0, PQ)
    wide, narrow = to_sdr(red, PQ, 9)[0, 0], to_sdr(red, PQ, 1)[0, 0]
    assert wide[0] > narrow[0], "BT.2020's red is more than BT.709's can show"
    assert tuple(narrow[1:]) == (0, 0)


@pytest.mark.parametrize(("transfer", "name"), [(PQ, "smpte2084"), (HLG, "arib-std-b67")])
def test_an_hdr_clip_of_ten_bits_is_read(transfer: int, name: str, tmp_path: Path) -> None:
    import av

    file = tmp_path / "clip.mkv"
    value = coded(WHITE / 2, transfer) // 64
    with av.open(str(file), "w") as out:
        stream = out.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p10le"
        context = stream.codec_context
        context.color_trc, context.color_primaries, context.colorspace = transfer, 9, 9
        context.color_range = 1
        level = 64 + round(value / 1023 * 876)
        for k in range(3):
            frame = av.VideoFrame(64, 48, "yuv420p10le")
            for plane, number in zip(frame.planes, (level, 512, 512), strict=True):
                side = plane.line_size // 2 * plane.height
                plane.update(np.full(side, number, np.uint16).tobytes())
            frame.pts, frame.time_base = k, Fraction(1, 10)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    assert (probe(file).width, probe(file).height) == (64, 48)
    with ClipReader(file) as reader:
        pictures = [frame.picture for frame in reader.frames()]
    assert len(pictures) == 3
    assert pictures[0].dtype == np.uint8
    assert pictures[0].mean() == pytest.approx(188, abs=5)


@pytest.mark.parametrize("transfer", [PQ, HLG], ids=["PQ", "HLG"])
def test_bright_colours_without_a_matrix_are_those_of_bt2020(transfer: int) -> None:
    import av

    shown = []
    for matrix in (2, 9):
        frame = av.VideoFrame(64, 48, "yuv420p10le")
        for plane, number in zip(frame.planes, (500, 400, 700), strict=True):
            plane.update(np.full(plane.buffer_size // 2, number, np.uint16).tobytes())
        frame.color_trc, frame.color_primaries, frame.colorspace = transfer, 9, matrix
        shown.append(Colours("clip.mkv").rgb(frame, (64, 48)))
    np.testing.assert_array_equal(*shown)
