"""The written clip: plays in browsers, keeps times and sound, and is never there by half."""

from __future__ import annotations

import csv
import threading
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from fer_core.cores import Cores
from fer_core.detectors.base import Picture
from fer_core.errors import FerError, OptionError, VideoCancelled, VideoError
from fer_core.exports import CSV_COLUMNS
from fer_core.results import FrameResult
from fer_core.video import (
    VideoOptions,
    VideoProgress,
    VideoReport,
    annotate_video,
    probe,
)
from tests.clips import Clip, FakeAnalyzer, make_clip, no_threads_left, read_pictures, read_times
from tests.unit.live_bench import Clock

SOUND_TOLERANCE = 0.06
"""Seconds; an AAC frame is 0.023 to 0.064 long."""


def annotate(clip: Clip, folder: Path, ending: str = "mp4") -> tuple[Path, VideoReport]:
    source = make_clip(folder / f"source.{ending}", clip)
    target = folder / "target.mp4"
    return target, annotate_video(source, target, FakeAnalyzer())


def test_decoding_and_encoding_have_a_core_to_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cores = Cores(4, Clock())
    monkeypatch.setattr("fer_core.video.annotate.process_cores", lambda: cores)
    given = set()

    class Asking(FakeAnalyzer):
        def track(self, picture: Picture, pts: float) -> FrameResult:
            with cores.taken(99) as count:
                given.add(count)
            return super().track(picture, pts)

    source = make_clip(tmp_path / "source.mp4", Clip(size=(64, 48)))
    annotate_video(source, tmp_path / "target.mp4", Asking())
    assert given == {3}
    with cores.taken(99) as count:
        assert count == 4


@pytest.mark.parametrize(
    ("size", "written"), [((160, 120), (160, 120)), ((161, 121), (162, 122)), ((2, 2), (2, 2))]
)
def test_browsers_play_what_is_written(
    size: tuple[int, int], written: tuple[int, int], tmp_path: Path
) -> None:
    target, report = annotate(Clip(size=size, pixel_format="yuv444p"), tmp_path, "mkv")
    with av.open(str(target)) as container:
        video = container.streams.video[0]
        assert video.codec_context.name == "h264"
        assert video.codec_context.pix_fmt == "yuv420p"
        assert (video.width, video.height) == written
    assert (report.info.width, report.info.height) == size
    head = target.read_bytes()
    assert head.index(b"moov") < head.index(b"mdat"), "the index must stand in front"


def test_faces_are_drawn_and_the_rest_is_left_alone(tmp_path: Path) -> None:
    grey = Clip(size=(320, 240), colour=(120, 120, 120))
    target, report = annotate(grey, tmp_path)
    picture = read_pictures(target)[7].astype(int)
    changed = np.abs(picture - 120).max(axis=2) > 40
    assert changed[:140, :200].sum() > 400, "an outline and a plate round the upper left quarter"
    assert changed[190:].sum() == 0
    assert report.faces == report.frames == 15


@pytest.mark.parametrize("colour", [(200, 40, 30), (30, 160, 60), (20, 40, 200), (250, 250, 250)])
def test_colours_stay(colour: tuple[int, int, int], tmp_path: Path) -> None:
    clip = Clip(size=(320, 240), colour=colour, pixel_format="yuv444p")
    target, _ = annotate(clip, tmp_path)
    picture = read_pictures(target)[5][200:, 250:]
    assert np.abs(picture.astype(int) - colour).max() <= 6


@pytest.mark.parametrize("ending", ["mp4", "mkv", "mov"])
def test_variable_times_are_written_as_they_were(ending: str, tmp_path: Path) -> None:
    times = (0.0, 0.04, 0.1, 0.5, 0.52, 1.9, 2.0)
    target, _ = annotate(Clip(times=times), tmp_path, ending)
    assert read_times(target) == pytest.approx(times, abs=0.001)


def test_the_last_frame_is_shown_as_long_as_it_was(tmp_path: Path) -> None:
    target, report = annotate(Clip(times=(0.0, 1.0, 2.0)), tmp_path)
    assert report.seconds == pytest.approx(probe(tmp_path / "source.mp4").seconds or 0, abs=0.01)
    assert probe(target).seconds == pytest.approx(report.seconds, abs=0.01)


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_a_turned_clip_is_written_upright(rotation: int, tmp_path: Path) -> None:
    target, report = annotate(Clip(size=(160, 120), rotation=rotation), tmp_path)
    expected = (160, 120) if rotation == 180 else (120, 160)
    info = probe(target)
    assert (info.width, info.height) == (report.info.width, report.info.height) == expected
    assert info.rotation == 0


@pytest.mark.parametrize(
    ("aspect", "rotation", "expected"),
    [
        (Fraction(16, 15), 0, (171, 120)),
        (Fraction(16, 15), 90, (120, 171)),
        (Fraction(15, 16), 0, (160, 128)),
        (Fraction(5, 1), 0, (160, 120)),
    ],
    ids=["wide", "wide and turned", "narrow", "a damaged tag"],
)
def test_pixels_become_square(
    aspect: Fraction, rotation: int, expected: tuple[int, int], tmp_path: Path
) -> None:
    """Faces would be as wrong in their proportions as the pixels are."""
    target, report = annotate(Clip(size=(160, 120), aspect=aspect, rotation=rotation), tmp_path)
    assert (report.info.width, report.info.height) == expected
    with av.open(str(target)) as container:
        video = container.streams.video[0]
        # H.264 with colours at half the size has even sides.
        assert (video.width, video.height) == tuple(side + side % 2 for side in expected)
        assert video.sample_aspect_ratio in (None, 1)


@pytest.mark.parametrize(
    ("ending", "clip", "codec", "copied"),
    [
        ("mp4", Clip(sound="aac"), "aac", True),
        ("mov", Clip(sound="aac", sound_channels=2), "aac", True),
        ("mkv", Clip(sound="libmp3lame"), "mp3", True),
        ("webm", Clip(codec="libvpx", sound="libopus", sound_rate=48000), "opus", True),
        ("mkv", Clip(sound="flac"), "flac", True),
        ("mov", Clip(sound="pcm_s16le"), "aac", False),
        ("avi", Clip(codec="mpeg4", sound="pcm_s16le", sound_rate=22050), "aac", False),
        ("mkv", Clip(sound="pcm_s16le", sound_rate=8000, sound_channels=2), "aac", False),
        ("mkv", Clip(sound="ac3", sound_rate=48000, sound_channels=6), "aac", False),
        ("mkv", Clip(sound="mp2", sound_channels=2), "aac", False),
    ],
)
def test_sound_comes_along(
    ending: str, clip: Clip, codec: str, copied: bool, tmp_path: Path
) -> None:
    target, report = annotate(clip, tmp_path, ending)
    assert report.warnings == ()
    source = tmp_path / f"source.{ending}"
    with av.open(str(target)) as container:
        sound = container.streams.audio[0]
        assert sound.codec_context.name.removeprefix("lib").removesuffix("float") == codec
        frames = list(container.decode(sound))
    samples = sum(frame.samples for frame in frames)
    assert samples / frames[0].sample_rate == pytest.approx(1.0, abs=0.15)
    assert np.abs(frames[len(frames) // 2].to_ndarray().astype(float)).max() > 0
    if copied:
        with av.open(str(source)) as old, av.open(str(target)) as new:
            before = [bytes(packet) for packet in old.demux(audio=0) if packet.size]
            after = [bytes(packet) for packet in new.demux(audio=0) if packet.size]
        assert before == after


@pytest.mark.parametrize("sound", ["aac", "pcm_s16le"])
def test_sound_stays_in_time_with_the_picture(sound: str, tmp_path: Path) -> None:
    clip = Clip(times=tuple(2 + i / 15 for i in range(30)), sound=sound, sound_delay=2.5)
    target, _ = annotate(clip, tmp_path, "mkv")
    with av.open(str(target)) as container:
        first = next(frame for frame in container.decode(audio=0))
        assert first.time == pytest.approx(0.5, abs=SOUND_TOLERANCE)
    assert read_times(target)[0] == pytest.approx(0, abs=0.001)


def test_sound_can_be_left_out(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "source.mp4", Clip(sound="aac"))
    target = tmp_path / "target.mp4"
    annotate_video(source, target, FakeAnalyzer(), options=VideoOptions(audio=False))
    assert probe(target).audio_codec is None


def test_the_table_has_a_row_a_face(tmp_path: Path) -> None:
    times = (0.0, 0.04, 0.5)
    source = make_clip(tmp_path / "source.mp4", Clip(times=times))
    annotate_video(source, tmp_path / "t.mp4", FakeAnalyzer(), csv=tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == CSV_COLUMNS
    assert [int(row["frame"]) for row in rows] == [0, 1, 2]
    assert [float(row["seconds"]) for row in rows] == pytest.approx(times, abs=0.001)
    assert [row["label"] for row in rows] == ["happy"] * 3
    assert float(rows[0]["x1"]) == 80
    assert sum(float(rows[0][name]) for name in CSV_COLUMNS[-7:]) == pytest.approx(1)


def test_the_report_counts(tmp_path: Path) -> None:
    analyzer = FakeAnalyzer()
    source = make_clip(tmp_path / "source.mp4")
    report = annotate_video(source, tmp_path / "t.mp4", analyzer)
    assert analyzer.resets == 1
    assert analyzer.times == pytest.approx([i / 15 for i in range(15)], abs=0.0001)
    assert (report.frames, report.faces, report.tracks) == (15, 15, 1)
    assert report.label_counts["happy"] == 15
    assert report.label_shares["happy"] == 1
    assert sum(report.label_shares.values()) == 1
    assert report.warnings == ()
    assert report.elapsed > 0
    assert report.speed == pytest.approx(report.seconds / report.elapsed)


def test_progress_grows_to_one(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "s.mp4", Clip(times=tuple(i / 15 for i in range(45))))
    seen: list[VideoProgress] = []

    class Slow(FakeAnalyzer):
        def track(self, picture: Picture, pts: float) -> FrameResult:
            time.sleep(0.02)
            return super().track(picture, pts)

    annotate_video(source, tmp_path / "t.mp4", Slow(), progress=seen.append)
    shares = [step.fraction for step in seen]
    assert shares == sorted(shares)
    assert 3 <= len(seen) < 20, "often enough for a bar, not for every frame"
    assert 0 < shares[0] < 0.5
    last = seen[-1]
    assert (last.fraction, last.frames, last.seconds_left) == (1.0, 45, 0.0)
    middle = seen[len(seen) // 2]
    assert middle.seconds_left is not None
    # The clip is even, so that the guess has to be near.
    assert middle.seconds_left == pytest.approx(last.elapsed - middle.elapsed, abs=0.6)
    assert middle.position == pytest.approx(middle.frames / 15, abs=0.1)


@pytest.mark.parametrize("kind", ["event", "function"])
def test_cancel_leaves_nothing(kind: str, tmp_path: Path) -> None:
    source = make_clip(tmp_path / "source.mp4", Clip(times=tuple(i / 15 for i in range(60))))
    place = tmp_path / "out"
    place.mkdir()
    pressed = threading.Event()

    class PressesAtTwenty(FakeAnalyzer):
        def track(self, picture: Picture, pts: float) -> FrameResult:
            if len(self.times) == 20:
                pressed.set()
            return super().track(picture, pts)

    analyzer = PressesAtTwenty()
    with pytest.raises(VideoCancelled):
        annotate_video(
            source,
            place / "t.mp4",
            analyzer,
            csv=place / "t.csv",
            cancelled=pressed if kind == "event" else pressed.is_set,
        )
    assert len(analyzer.times) <= 22
    assert list(place.iterdir()) == []
    assert no_threads_left()


def test_a_failing_analyzer_leaves_nothing_and_the_old_result(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "source.mp4")
    place = tmp_path / "out"
    place.mkdir()
    (place / "t.mp4").write_text("older")

    class Fails(FakeAnalyzer):
        def track(self, picture: Picture, pts: float) -> FrameResult:
            if pts > 0.4:
                raise ZeroDivisionError
            return super().track(picture, pts)

    with pytest.raises(ZeroDivisionError):
        annotate_video(source, place / "t.mp4", Fails(), csv=place / "t.csv")
    assert [file.name for file in place.iterdir()] == ["t.mp4"]
    assert (place / "t.mp4").read_text() == "older"
    assert no_threads_left()


def test_a_writer_that_fails_ends_the_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from fer_core.video import writer

    source = make_clip(tmp_path / "source.mp4", Clip(times=tuple(i / 15 for i in range(40))))
    place = tmp_path / "out"
    place.mkdir()
    written = writer.ClipWriter.write
    count = 0

    def full_disk(self: writer.ClipWriter, picture: Picture, ticks: int, duration: int) -> None:
        nonlocal count
        count += 1
        if count > 5:
            raise self._failed(OSError(28, "No space left on device"))
        written(self, picture, ticks, duration)

    monkeypatch.setattr(writer.ClipWriter, "write", full_disk)
    with pytest.raises(VideoError, match=r"cannot be written \(No space left on device\)"):
        annotate_video(source, place / "t.mp4", FakeAnalyzer())
    assert list(place.iterdir()) == []
    assert no_threads_left()


def test_memory_does_not_grow_with_the_clip(tmp_path: Path) -> None:
    """At most a few frames are alive at once, however long the clip is and slow the analyser."""
    import gc
    import weakref

    source = make_clip(tmp_path / "s.mp4", Clip(times=tuple(i / 15 for i in range(90))))
    most = 0
    alive: list[weakref.ref[Picture]] = []

    class Counts(FakeAnalyzer):
        def track(self, picture: Picture, pts: float) -> FrameResult:
            nonlocal most
            alive.append(weakref.ref(picture))
            most = max(most, sum(ref() is not None for ref in alive))
            return super().track(picture, pts)

    gc.collect()
    annotate_video(source, tmp_path / "t.mp4", Counts())
    assert len(alive) == 90
    assert most <= 8


@pytest.mark.parametrize(
    ("target", "words"),
    [("source.mp4", "clip itself"), ("none/t.mp4", "does not exist"), ("folder", "is a folder")],
)
def test_impossible_places_are_refused(target: str, words: str, tmp_path: Path) -> None:
    source = make_clip(tmp_path / "source.mp4")
    before = source.read_bytes()
    (tmp_path / "folder").mkdir()
    with pytest.raises(VideoError, match=words):
        annotate_video(source, tmp_path / target, FakeAnalyzer())
    with pytest.raises(FerError, match=words):
        annotate_video(source, tmp_path / "t.mp4", FakeAnalyzer(), csv=tmp_path / target)
    assert source.read_bytes() == before


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("preset", "fastest"),
        ("crf", 52),
        ("crf", -1),
        ("max_pixels", 0),
        ("max_seconds", 0.0),
        ("max_seconds", float("nan")),
    ],
)
def test_options_are_checked(option: str, value: object) -> None:
    with pytest.raises(OptionError, match=option):
        VideoOptions(**{option: value})  # type: ignore[arg-type]
