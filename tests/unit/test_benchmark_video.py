"""The video benchmark on a long clip: what it is made of, and what is said of its memory."""

from __future__ import annotations

import json
from pathlib import Path

import av
import pytest

from benchmarks import video

SMALL = ["--width", "320", "--height", "240", "--detector", "haar"]


def test_a_short_clip_is_repeated_without_a_break(tmp_path: Path) -> None:
    loop, long = tmp_path / "loop.mp4", tmp_path / "long.mp4"
    video.make_clip(loop, 160, 120, 1, 1.0)
    video.repeat_clip(loop, long, 4.0)
    with av.open(str(long)) as clip:
        times = [frame.time for frame in clip.decode(video=0)]
    assert times == pytest.approx([n / 30 for n in range(120)], abs=1e-3)
    with av.open(str(long)) as clip:
        heard = sum(frame.samples for frame in clip.decode(audio=0))
    assert heard == pytest.approx(4 * video.SOUND_RATE, rel=0.05)


def test_memory_of_worker_and_caller_is_weighed_against_the_most(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    results = tmp_path / "RESULTS.md"
    assert video.main(["--minutes", "0.05", *SMALL, "--json", "--results", str(results)]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["frames"] == 90
    assert 50 < report["worker_mb"] < 1000
    assert 0 <= report["caller_mb"] < report["worker_mb"]
    assert "## video: 0.05 minutes of 320x240, 1 face, haar" in results.read_text()


@pytest.mark.parametrize(("worker", "verdict"), [(390.0, "within 400"), (399.5, "ABOVE 400")])
def test_the_verdict_counts_both(worker: float, verdict: str) -> None:
    report = {
        "clip": {"width": 1280, "height": 720, "seconds": 3600.0},
        "minutes": 60.0,
        "frames": 108_000,
        "tracks": 1,
        "detector": "blazeface",
        "preset": "superfast",
        "elapsed": 720.0,
        "speed": 5.0,
        "bytes": {"source": 300e6, "target": 770e6},
        "report_bytes": 40_000,
        "worker_mb": worker,
        "caller_rest_mb": 90.0,
        "caller_mb": 1.0,
    }
    assert verdict in video.BENCHMARK.table(report)


@pytest.mark.parametrize("minutes", ["0", "-1"])
def test_no_length_is_one_sentence(minutes: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert video.main(["--minutes", minutes, "--no-results"]) == 2
    assert "--minutes must be above 0" in capsys.readouterr().err
