"""The results of a clip, frame by frame, with nothing drawn or written."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from fer_core.errors import VideoCancelled
from fer_core.video import VideoProgress, iter_results
from tests.clips import Clip, FakeAnalyzer, make_clip, no_threads_left


def test_iter_results_gives_a_result_a_frame(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "source.mp4", Clip(times=(0.0, 0.1, 0.4), sound="aac"))
    seen: list[VideoProgress] = []
    results = list(iter_results(source, FakeAnalyzer(), progress=seen.append))
    assert [result.pts for result in results] == pytest.approx([0, 0.1, 0.4], abs=0.001)
    assert seen[-1].fraction == 1
    assert no_threads_left()


def test_iter_results_ends_with_the_report(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "source.mp4")
    results = iter_results(source, FakeAnalyzer())
    for _ in range(15):
        next(results)
    with pytest.raises(StopIteration) as ended:
        next(results)
    report = ended.value.value
    assert (report.frames, report.faces, report.warnings) == (15, 15, ())


def test_iter_results_can_be_left_early_or_cancelled(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "source.mp4", Clip(times=tuple(i / 15 for i in range(60))))
    results = iter_results(source, FakeAnalyzer())
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert no_threads_left()
    pressed = threading.Event()
    results = iter_results(source, FakeAnalyzer(), cancelled=pressed)
    next(results)
    pressed.set()
    with pytest.raises(VideoCancelled):
        list(results)
    assert no_threads_left()
