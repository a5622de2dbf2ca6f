"""Recordings of a live stream: what is in the files, and that nothing holds the stream up."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import threading
import time
from collections import namedtuple
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pandas as pd
import pytest

from fer_core.emotions import CLASSES
from fer_core.errors import OptionError
from fer_core.quality import FaceQuality
from fer_core.recording import RECORD_COLUMNS, LiveRecorder, RecordingOptions
from fer_core.recording.clip import FragmentedClip
from fer_core.recording.parts import ParquetParts
from tests.unit.live_bench import Bench, Clock, face, frame
from tests.unit.recording_bench import picture, result

ROOT = Path(__file__).resolve().parents[2]
DARK = FaceQuality(9.0, 40.0, 0.1, problems=("too dark", "blurred"))


def recorded(folder: Path, frames: int = 30, **options) -> LiveRecorder:
    """Two faces a frame, one filmed badly; a marker at frame 10, and one at 20 without faces."""
    clock = Clock()
    recorder = LiveRecorder(folder, RecordingOptions(min_free_bytes=0, **options), clock)
    for n in range(frames):
        faces = [face("happy", 0.7, 1), replace(face("sad", 0.6, 2), quality=DARK)]
        notes = {10: ["joke, told"], 20: [""]}.get(n, [])
        recorder.put(picture(n), result(*([] if n == 20 else faces)), notes)
        clock.now += 1 / 15
        while recorder._pictures > 8:
            time.sleep(0.001)
    return recorder


def decoded(file: Path) -> list[float]:
    with av.open(str(file)) as clip:
        return [float(shown.time) for shown in clip.decode(video=0)]


def rows_of(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_every_face_of_every_frame_stands_in_all_three_tables(tmp_path):
    recorder = recorded(tmp_path / "one")
    status = recorder.stop()
    assert (status.active, status.frames, status.sentence) == (False, 30, None)
    assert (status.dropped, status.lost) == (0, 0)
    rows = rows_of(tmp_path / "one" / "faces.csv")
    assert tuple(rows[0]) == RECORD_COLUMNS
    assert len(rows) == 29 * 2 + 1
    assert [row["track"] for row in rows[:2]] == ["1", "2"]
    assert [row["quality"] for row in rows[:2]] == ["", "too dark;blurred"]
    assert float(rows[2]["seconds"]) == pytest.approx(1 / 15, abs=1e-5)
    assert sum(float(rows[0][name]) for name in CLASSES) == pytest.approx(1, abs=1e-5)
    marked = [(row["frame"], row["marker"], row["label"]) for row in rows if row["marker"]]
    assert marked == [("10", "joke, told", "happy"), ("20", "-", "")]

    lines = (tmp_path / "one" / "frames.jsonl").read_text(encoding="utf-8").splitlines()
    frames = [json.loads(line) for line in lines]
    assert [entry["frame"] for entry in frames] == list(range(30))
    assert frames[10]["markers"] == ["joke, told"]
    assert frames[0]["faces"][1]["quality"]["problems"] == ["too dark", "blurred"]
    assert frames[0]["time"].endswith("+00:00")

    table = pd.read_parquet(tmp_path / "one" / "faces.parquet")
    assert list(table.columns) == list(RECORD_COLUMNS)
    assert len(table) == len(rows)
    assert table["happy"].iloc[0] == pytest.approx(float(rows[0]["happy"]), abs=1e-6)
    assert table["track"].isna().sum() == 1
    assert not (tmp_path / "one" / "faces.parquet.parts").exists()


def test_the_clip_has_every_frame_at_its_time(tmp_path):
    recorder = recorded(tmp_path / "one")
    recorder.stop()
    times = decoded(tmp_path / "one" / "clip.mp4")
    assert len(times) == 30
    assert times[-1] - times[0] == pytest.approx(29 / 15, abs=0.02)
    head = (tmp_path / "one" / "clip.mp4").read_bytes()[:4096]
    assert head.index(b"moov") < head.index(b"mdat"), "it plays before it is loaded"


@pytest.mark.parametrize(
    "sizes", [[(160, 120), (320, 240), (80, 120)], [(161, 121), (161, 121)], [(2, 2), (640, 480)]]
)
def test_frames_of_any_size_go_into_one_clip(tmp_path, sizes):
    clip = FragmentedClip(tmp_path / "clip.mp4", sizes[0])
    for n in range(12):
        clip.write(np.full((*sizes[n % len(sizes)][::-1], 3), 128, np.uint8), n / 15)
    clip.close()
    assert len(decoded(tmp_path / "clip.mp4")) == 12
    with av.open(str(tmp_path / "clip.mp4")) as whole:
        video = whole.streams.video[0]
        assert video.codec_context.name == "h264"
        assert (video.width, video.height) == tuple(side + side % 2 for side in sizes[0])


def test_times_that_stand_still_or_go_back_are_put_in_order(tmp_path):
    clip = FragmentedClip(tmp_path / "clip.mp4", (64, 48))
    for seconds in (0.0, 0.0, 0.5, 0.4, 1.0):
        clip.write(np.zeros((48, 64, 3), np.uint8), seconds)
    clip.close()
    times = decoded(tmp_path / "clip.mp4")
    assert all(a < b for a, b in pairwise(times))


KILLED = """
import os, sys, time
from pathlib import Path
from tests.unit.recording_bench import picture, result
from tests.unit.live_bench import face
from fer_core.recording import LiveRecorder, RecordingOptions
recorder = LiveRecorder(Path(sys.argv[1]), RecordingOptions(min_free_bytes=0))
for n in range(40):
    recorder.put(picture(n % 60), result(face("happy", 0.7, 1)))
    time.sleep(1 / 20)
print(recorder.status().seconds, flush=True)
os.kill(os.getpid(), 9)
"""


def test_a_process_that_is_killed_leaves_whole_files_up_to_the_last_second(tmp_path):
    folder = tmp_path / "killed"
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(folder)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == -9, done.stderr
    until = float(done.stdout) - 1.0
    assert decoded(folder / "clip.mp4")[-1] >= until
    assert float(rows_of(folder / "faces.csv")[-1]["seconds"]) >= until
    lines = (folder / "frames.jsonl").read_text().splitlines()
    assert json.loads(lines[-1] if lines[-1].endswith("}") else lines[-2])["seconds"] >= until
    table = pd.read_parquet(folder / "faces.parquet.parts")
    assert table["seconds"].max() >= until


def test_it_ends_by_itself_when_it_is_long_enough(tmp_path):
    recorder = recorded(tmp_path / "one", max_seconds=1.0)
    status = recorder.stop()
    assert status.frames in (15, 16)
    assert "after 1 seconds, the most it may last" in status.sentence
    assert len(decoded(tmp_path / "one" / "clip.mp4")) == status.frames


def wait_until(true, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("cause", ["size", "disk"])
def test_it_ends_by_itself_when_there_is_no_more_room(tmp_path, monkeypatch, cause):
    if cause == "disk":
        usage = namedtuple("usage", "total used free")
        monkeypatch.setattr("shutil.disk_usage", lambda path: usage(10**9, 10**9, 50_000_000))
    options = RecordingOptions(max_bytes=1000 if cause == "size" else 10**9)
    recorder = LiveRecorder(
        tmp_path / "one", replace(options, min_free_bytes=10**8 if cause == "disk" else 0)
    )
    numbers = iter(range(10**6))

    def ended() -> bool:
        recorder.put(picture(next(numbers) % 60), result(face("happy", 0.7, 1)))
        return not recorder.status().active

    wait_until(ended)
    status = recorder.stop()
    assert {"size": "the most it may have", "disk": "50 MB are left"}[cause] in status.sentence
    assert status.frames == len(rows_of(tmp_path / "one" / "faces.csv"))


FULL = """
import resource, sys, time
from pathlib import Path
from tests.unit.recording_bench import picture, result
from tests.unit.live_bench import Bench, face, frame
from fer_core.recording import LiveRecorder, RecordingOptions
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
bench = Bench()
bench.apply()
recorder = LiveRecorder(Path(sys.argv[1]), RecordingOptions(min_free_bytes=0))
bench.session.record(recorder)
n = 0
while recorder.status().active and n < 100_000:
    assert bench.session.callback(frame(n)).pts == n
    n += 1
    time.sleep(0.001)
shown = [bench.session.callback(frame(n + k)).pts == n + k for k in range(30)]
print(all(shown), bench.session.snapshot().errors, recorder.stop().sentence)
"""


def test_a_full_disk_is_one_sentence_and_the_live_picture_goes_on(tmp_path):
    """Files of this process may not grow over 20 kB, which fails as a full disk does."""
    folder = tmp_path / "full"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FULL, str(folder)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    goes_on, errors, sentence = done.stdout.strip().split(" ", 2)
    assert (goes_on, errors) == ("True", "0")
    assert "could not be written (" in sentence
    assert "The live picture goes on" in sentence
    assert len(rows_of(folder / "faces.csv")) > 10


def test_a_disk_that_hangs_does_not_hold_the_stream_up(tmp_path, monkeypatch):
    hangs = threading.Event()
    write = FragmentedClip.write
    monkeypatch.setattr(
        FragmentedClip, "write", lambda self, *what: (hangs.wait(20), write(self, *what))
    )
    recorder = LiveRecorder(tmp_path / "one", RecordingOptions(min_free_bytes=0))
    longest = 0.0
    for n in range(200):
        begin = time.perf_counter()
        recorder.put(picture(n % 60), result(face("happy", 0.7, 1)))
        longest = max(longest, time.perf_counter() - begin)
    status = recorder.status()
    assert longest < 0.1
    assert status.frames == 200
    assert 180 <= status.dropped <= 184
    assert recorder._pictures <= 16
    hangs.set()
    recorder.stop()
    assert len(rows_of(tmp_path / "one" / "faces.csv")) == 200, "rows are not dropped"


def test_after_its_end_it_takes_nothing_and_can_be_stopped_again(tmp_path):
    recorder = recorded(tmp_path / "one", frames=3)
    recorder.stop()
    recorder.put(picture(1), result())
    assert recorder.stop().frames == 3
    assert [file.name for file in recorder.files()] == [
        "clip.mp4",
        "faces.csv",
        "faces.parquet",
        "frames.jsonl",
    ]


def test_a_recording_without_a_frame_is_no_fault(tmp_path):
    recorder = LiveRecorder(tmp_path / "one")
    assert recorder.stop().sentence is None
    assert (tmp_path / "one" / "faces.csv").read_text().startswith("time,frame,")


def test_a_place_that_cannot_be_written_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OptionError, match="Nothing can be recorded in"):
        LiveRecorder(tmp_path / "file" / "below")


@pytest.mark.parametrize("wrong", [{"max_seconds": 0}, {"max_bytes": -1}, {"min_free_bytes": -1}])
def test_bounds_that_are_none_are_refused(wrong):
    with pytest.raises(OptionError, match="above 0"):
        RecordingOptions(**wrong)


def test_parts_are_sealed_and_become_one_file_in_order(tmp_path, monkeypatch):
    monkeypatch.setattr("fer_core.recording.parts.ROWS_A_PART", 10)
    parts = ParquetParts(tmp_path / "faces.parquet")
    blank = (None,) * (len(RECORD_COLUMNS) - 2)
    for n in range(35):
        parts.write([("2026", n, *blank)])
        parts.sync()
    assert len(list(parts.folder.glob("part-*.parquet"))) == 4
    assert list(pd.read_parquet(parts.folder)["frame"]) == list(range(35))
    parts.close()
    assert list(pd.read_parquet(tmp_path / "faces.parquet")["frame"]) == list(range(35))


def test_without_pyarrow_there_are_the_other_files(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    recorder = recorded(tmp_path / "one", frames=3)
    assert recorder.stop().sentence is None
    assert "faces.parquet" not in [file.name for file in recorder.files()]


def test_a_session_hands_over_what_is_shown_with_its_markers(tmp_path):
    bench = Bench(mirror=False)
    bench.apply(mirror=False)
    recorder = LiveRecorder(tmp_path / "one", RecordingOptions(min_free_bytes=0), bench.clock)
    bench.session.mark("before")
    bench.session.record(recorder)
    bench.session.callback(frame(0))
    bench.session.mark("during")
    bench.session.callback(frame(1))
    bench.session.record(None)
    bench.session.callback(frame(2))
    assert recorder.stop().frames == 2
    rows = rows_of(tmp_path / "one" / "faces.csv")
    assert [row["marker"] for row in rows] == ["", "during"]
