"""Clips and pictures read in another process: the same answers, nothing left of the bad ones."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from fer_core.analyzer import Analyzer, AnalyzerOptions
from fer_core.confined import Limits, WorkerPool, clips
from fer_core.confined.clips import CLIP_LIMITS, annotate_confined, probe_confined
from fer_core.confined.pictures import PICTURE_LIMITS, decode_confined
from fer_core.errors import FerError, PictureError, VideoCancelled, VideoError, WorkerError
from fer_core.pictures import load_picture
from fer_core.video import VideoOptions, VideoProgress, annotate_video, probe
from tests.clips import Clip, make_clip

LITERT = AnalyzerOptions(runtime="litert")
SIZE = (320, 240)
FOUR_SECONDS = tuple(i / 15 for i in range(60))
TABLES = {"csv": "faces.csv", "jsonl": "faces.jsonl", "parquet": "faces.parquet"}


@pytest.fixture
def made(tmp_path: Path) -> Path:
    folder = tmp_path / "made"
    folder.mkdir()
    return folder


def annotate(source: Path, made: Path, **changes: Any) -> Any:
    tables = {kind: made / name for kind, name in TABLES.items()}
    return annotate_confined(source, made / "out.mp4", LITERT, tables=tables, **changes)


def children() -> set[int]:
    """Process numbers of the workers that this process has now."""
    tasks = Path(f"/proc/{os.getpid()}/task")
    numbers = {
        int(number)
        for task in tasks.iterdir()
        for number in (task / "children").read_text().split()
    }
    return {n for n in numbers if b"confined.child" in Path(f"/proc/{n}/cmdline").read_bytes()}


def test_a_clip_comes_out_as_it_would_here(tmp_path: Path, made: Path) -> None:
    source = make_clip(tmp_path / "clip.mp4", Clip(size=SIZE))
    seen: list[VideoProgress] = []
    report = annotate(source, made, options=VideoOptions(every=2), progress=seen.append)
    here = tmp_path / "here"
    here.mkdir()
    with Analyzer(LITERT) as analyzer:
        expected = annotate_video(
            source,
            here / "out.mp4",
            analyzer,
            options=VideoOptions(every=2),
            **{kind: here / name for kind, name in TABLES.items()},
        )
    assert replace(report, elapsed=0.0) == replace(expected, elapsed=0.0)
    assert report.faces > 0
    assert report.lanes[0].thumbnail
    assert seen[-1].fraction == pytest.approx(1.0)
    assert {file.name for file in made.iterdir()} == {file.name for file in here.iterdir()}
    assert (made / "faces.csv").read_text().count("\n") == report.faces + 1


def test_what_is_no_clip_is_said_as_ever_and_leaves_nothing(tmp_path: Path, made: Path) -> None:
    source = tmp_path / "clip.mp4"
    source.write_text("This is not a video.\n" * 50)
    with pytest.raises(VideoError, match="holiday"):
        annotate(source, made, options=VideoOptions(name="holiday.mp4"))
    assert not list(made.iterdir())


def test_a_clip_is_looked_at_elsewhere_and_says_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_clip(tmp_path / "clip.mp4", Clip(size=SIZE))
    here = probe(source)
    monkeypatch.setattr(av, "open", None)  # nothing can be opened in this process
    assert probe_confined(source, VideoOptions(name="holiday.mp4")) == here
    with pytest.raises(VideoError, match=r"holiday\.mp4 is .* long"):
        probe_confined(source, VideoOptions(name="holiday.mp4", max_seconds=0.5))


def test_a_clip_that_ends_its_process_leaves_nothing_either(tmp_path: Path, made: Path) -> None:
    source = make_clip(
        tmp_path / "clip.mp4", Clip(size=SIZE, times=tuple(i / 15 for i in range(400)))
    )

    # Workers that other tests left idle are children of this process too.
    before = children()

    def shot(progress: VideoProgress) -> None:
        assert list(made.glob(".making-*"))
        (child,) = children() - before
        os.kill(child, signal.SIGKILL)

    with pytest.raises(WorkerError, match=r"clip\.mp4 could not be finished"):
        annotate(source, made, progress=shot)
    assert not list(made.iterdir())


def test_a_clip_whose_result_is_too_large_ends_alone(tmp_path: Path, made: Path) -> None:
    source = make_clip(tmp_path / "clip.mp4", Clip(size=(1280, 720), times=FOUR_SECONDS))
    limits = replace(CLIP_LIMITS, file_mb=1)
    with pytest.raises((WorkerError, VideoError), match=r"larger than the 1 MB|cannot be written"):
        annotate(source, made, options=VideoOptions(crf=1), limits=limits)
    assert not list(made.iterdir())


@pytest.mark.parametrize("memory_mb", [900, 1300])
def test_a_clip_that_needs_too_much_memory_ends_alone(
    tmp_path: Path, made: Path, memory_mb: int
) -> None:
    """Wherever in the libraries it is that the memory ends."""
    source = make_clip(tmp_path / "clip.mp4", Clip(size=(3840, 2160)))
    with pytest.raises(FerError) as caught:
        annotate(source, made, limits=replace(CLIP_LIMITS, memory_mb=memory_mb))
    assert "\n" not in str(caught.value)
    assert not list(made.iterdir())


def test_cancelling_leaves_nothing(tmp_path: Path, made: Path) -> None:
    source = make_clip(
        tmp_path / "clip.mp4", Clip(size=SIZE, times=tuple(i / 15 for i in range(400)))
    )
    seen: list[VideoProgress] = []
    with pytest.raises(VideoCancelled):
        annotate(source, made, progress=seen.append, cancelled=lambda: bool(seen))
    assert not list(made.iterdir())


def test_a_long_way_to_the_wanted_part_is_no_silence(tmp_path: Path, made: Path) -> None:
    """In an avi file nothing can be sought: everything before the part is read."""
    times = tuple(i / 15 for i in range(600))
    source = make_clip(tmp_path / "clip.avi", Clip(size=SIZE, times=times, codec="mpeg4"))
    tells = clips.annotate_here
    calls: list[str] = []

    class Tell:
        progress = staticmethod(lambda value: None)
        alive = staticmethod(lambda: calls.append("alive"))

    places = {"clip": made / "out.mp4"}
    report = tells(Tell(), source, places, LITERT, VideoOptions(start_seconds=39.0))  # type: ignore[arg-type]
    assert report.frames == 15
    assert len(calls) > 585


def test_a_picture_comes_out_as_it_would_here(astronaut_file: bytes) -> None:
    np.testing.assert_array_equal(
        decode_confined(astronaut_file, "portrait.png"), load_picture(astronaut_file)
    )
    with pytest.raises(PictureError, match="not in a picture format"):
        decode_confined(b"no picture", "portrait.png")
    with pytest.raises(PictureError, match="empty"):
        decode_confined(b"", "portrait.png")


def test_a_picture_that_needs_too_much_memory_ends_alone() -> None:
    import io

    from PIL import Image

    stream = io.BytesIO()
    Image.new("RGB", (7000, 7000)).save(stream, "PNG")
    with WorkerPool(Limits(**{**vars(PICTURE_LIMITS), "memory_mb": 400})) as pool:
        with pytest.raises((WorkerError, PictureError), match="memory"):
            decode_confined(stream.getvalue(), "night.png", pool)
        small = io.BytesIO()
        Image.new("L", (20, 10), 7).save(small, "PNG")
        assert decode_confined(small.getvalue(), "small.png", pool).shape == (10, 20, 3)


@pytest.fixture
def astronaut_file(astronaut: np.ndarray) -> bytes:  # type: ignore[type-arg]
    import io

    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(astronaut).save(stream, "PNG")
    return stream.getvalue()
