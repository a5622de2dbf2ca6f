"""Rates, medians and shares of a live stream, in bounded memory."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fer_core.emotions import UNCERTAIN
from fer_core.live_metrics import LABELS, LiveMetrics
from fer_core.quality import FaceQuality
from fer_core.results import FrameResult
from tests.unit.live_bench import face


def seen(*labels: str) -> FrameResult:
    faces = [replace(face(), label=label, track_id=n + 1) for n, label in enumerate(labels)]
    return FrameResult(640, 480, tuple(faces))


def test_frames_per_second_and_stall():
    metrics = LiveMetrics()
    for n in range(31):
        metrics.finished(100 + n / 15, seen("sad"), {"detect": 4.0, "total": 6.0})
    shot = metrics.snapshot(102.0)
    assert shot.frames_per_second == pytest.approx(15)
    assert shot.total_ms == 6.0
    assert dict(shot.stages) == {"detect": 4.0}
    assert shot.faces == 1
    stalled = metrics.snapshot(104.0)
    assert (stalled.frames_per_second, stalled.faces) == (0.0, 0)
    assert stalled.idle_seconds == pytest.approx(2.0)


def test_medians_are_of_the_last_seconds_only():
    metrics = LiveMetrics()
    metrics.finished(100.0, seen(), {"detect": 900.0})
    for n, milliseconds in enumerate([1.0, 2.0, 50.0]):
        metrics.finished(110.0 + n / 10, seen(), {"detect": milliseconds})
    assert metrics.snapshot(110.5).stages["detect"] == 2.0


def test_shares_cover_the_last_minute():
    metrics = LiveMetrics()
    metrics.finished(100.0, seen(*["angry"] * 100), {})
    metrics.finished(130.0, seen("happy", "happy", UNCERTAIN, "sad"), {})
    early = metrics.snapshot(131.0).shares
    assert early["angry"] == pytest.approx(100 / 104)
    late = metrics.snapshot(165.0).shares
    assert list(late) == list(LABELS)
    assert (late["angry"], late["happy"], late[UNCERTAIN]) == (0.0, 0.5, 0.25)
    assert sum(late.values()) == pytest.approx(1)
    assert metrics.snapshot(200.0).shares == {}


def test_memory_is_bounded_however_long_and_fast_the_stream():
    metrics = LiveMetrics()
    one = seen("sad")
    for n in range(100_000):
        metrics.finished(n / 100, one, {"detect": 1.0})
    kept = (metrics._finished, metrics._stages, metrics._votes)
    assert all(len(samples) <= 400 for samples in kept)
    assert metrics.snapshot(1000.0).frames == 100_000


def test_faces_that_are_filmed_badly_are_named_with_their_problems():
    metrics = LiveMetrics()
    bad = FaceQuality(10.0, 30.0, 0.1, problems=("too dark", "too small"))
    good = FaceQuality(90.0, 90.0, 0.1)
    faces = (replace(face(), track_id=1, quality=good), replace(face(), track_id=2, quality=bad))
    metrics.finished(1.0, FrameResult(64, 48, faces), {})
    shot = metrics.snapshot(1.1)
    assert shot.problems == ((2, ("too dark", "too small")),)
    assert shot.tracks == (1, 2)
    stalled = metrics.snapshot(9.0)
    assert (stalled.problems, stalled.tracks) == ((), ())


def test_the_slowest_callbacks_are_told_too():
    metrics = LiveMetrics()
    for n in range(100):
        metrics.finished(100 + n / 50, seen(), {"total": 50.0 if n % 10 == 0 else 5.0})
    shot = metrics.snapshot(102.0)
    assert (shot.total_ms, shot.slow_ms) == (5.0, 50.0)
