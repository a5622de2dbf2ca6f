"""The live session against stand-ins: settings, failures, threads, bounded memory."""

from __future__ import annotations

import gc
import threading
import time
from fractions import Fraction

import av
import numpy as np
import pytest

from fer_core.emotions import CLASSES, UNCERTAIN
from fer_core.errors import DetectorError, ModelError, OptionError
from fer_core.live import LiveSession, LiveSettings, with_threshold
from fer_core.live_metrics import LABELS, LiveMetrics
from fer_core.results import Box, Face, FrameResult

HAPPY = CLASSES.index("happy")


def face(label: str = "happy", confidence: float = 0.6) -> Face:
    rest = (1 - confidence) / 6
    probabilities = [rest] * 7
    probabilities[CLASSES.index(label)] = confidence
    return Face(Box(10, 10, 50, 50), 0.9, tuple(probabilities), label)


class FakeAnalyzer:
    """Notes what it is asked; finds one face; fails on request."""

    def __init__(self, settings: LiveSettings = LiveSettings()) -> None:  # noqa: B008
        self.settings = settings
        self.pictures: list[np.ndarray] = []
        self.times: list[float] = []
        self.resets = 0
        self.closed = 0
        self.fault: Exception | None = None
        self.faces: tuple[Face, ...] = (face(),)
        self.entered = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()

    def track(self, picture, pts):
        self.entered.set()
        assert self.go_on.wait(5)
        assert not self.closed, "used after close"
        if self.fault:
            raise self.fault
        self.pictures.append(picture)
        self.times.append(pts)
        height, width = picture.shape[:2]
        return FrameResult(width, height, self.faces, pts, {"detect": 2.0, "classify": 1.0})

    def reset(self):
        self.resets += 1

    def close(self):
        self.closed += 1


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Bench:
    """A session with everything round it in view."""

    def __init__(self, **settings) -> None:
        self.made: list[FakeAnalyzer] = []
        self.drawn: list[tuple[FrameResult, LiveSettings]] = []
        self.clock = Clock()
        self.refuse: Exception | None = None
        self.session = LiveSession(LiveSettings(**settings), self.make, self.draw, self.clock)

    def make(self, settings):
        if self.refuse:
            raise self.refuse
        self.made.append(FakeAnalyzer(settings))
        return self.made[-1]

    def draw(self, picture, result, settings):
        self.drawn.append((result, settings))
        return picture

    def apply(self, **settings):
        self.session.apply(LiveSettings(**settings))
        return self.made[-1]


def frame(number: int = 0, width: int = 64, height: int = 48, fps: int = 15) -> av.VideoFrame:
    picture = np.zeros((height, width, 3), np.uint8)
    picture[:, : width // 4] = (255, 0, 0)
    made = av.VideoFrame.from_ndarray(picture, format="rgb24")
    made.pts, made.time_base = number, Fraction(1, fps)
    return made


def test_a_frame_is_analysed_drawn_and_keeps_its_time():
    bench = Bench(mirror=False)
    analyzer = bench.apply(mirror=False)
    given = frame(30)
    out = bench.session.callback(given)
    assert out is not given
    assert (out.width, out.height, out.pts, out.time_base) == (64, 48, 30, Fraction(1, 15))
    assert analyzer.times[-1] == pytest.approx(2.0)
    assert [f.label for f in bench.drawn[-1][0].faces] == ["happy"]
    shot = bench.session.snapshot()
    assert (shot.faces, shot.frames, shot.errors, shot.error) == (1, 1, 0, None)
    assert shot.size == (64, 48)
    assert list(shot.stages) == ["read", "detect", "classify", "draw"]
    assert shot.stages["detect"] == 2.0
    assert shot.total_ms > 0


@pytest.mark.parametrize(("mirror", "red_side"), [(True, "right"), (False, "left")])
def test_mirror_turns_the_picture_before_it_is_analysed_and_drawn(mirror, red_side):
    bench = Bench()
    analyzer = bench.apply(mirror=mirror)
    out = bench.session.callback(frame()).to_ndarray(format="rgb24")
    column = {"left": 2, "right": -3}
    other = {"left": -3, "right": 2}[red_side]
    for picture in (analyzer.pictures[-1], out):
        assert picture[20, column[red_side], 0] > 200
        assert picture[20, other, 0] < 50
    assert analyzer.pictures[-1].flags.c_contiguous


def test_without_analyzer_the_frame_passes_through():
    bench = Bench()
    given = frame()
    assert bench.session.callback(given) is given
    assert not bench.session.ready


def test_frame_size_may_change_in_mid_stream():
    bench = Bench()
    bench.apply()
    sizes = [(640, 480), (320, 240), (480, 360), (2, 2), (1280, 720)]
    for number, (width, height) in enumerate(sizes):
        out = bench.session.callback(frame(number, width, height))
        assert (out.width, out.height) == (width, height)
    shot = bench.session.snapshot()
    assert shot.size == (1280, 720)
    assert shot.errors == 0


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (ValueError("boom"), "ValueError: boom"),
        (DetectorError("The detector is closed. Choose it again."), "The detector is closed."),
        (MemoryError(), "MemoryError"),
        (RuntimeError("line\nline " + "x" * 5000), "RuntimeError: line line"),
    ],
)
def test_a_callback_that_fails_returns_the_frame_and_keeps_the_sentence(fault, words, caplog):
    bench = Bench()
    analyzer = bench.apply()
    analyzer.fault = fault
    given = frame()
    assert bench.session.callback(given) is given
    shot = bench.session.snapshot()
    assert words in shot.error
    assert "\n" not in shot.error
    assert len(shot.error) < 500
    assert (shot.errors, shot.faces) == (1, 0)
    analyzer.fault = None
    assert bench.session.callback(frame(1)) is not given
    assert bench.session.snapshot().error  # stays long enough to be read
    bench.clock.now += 6
    assert bench.session.snapshot().error is None


def test_a_drawing_that_fails_is_no_different(caplog):
    session = LiveSession(LiveSettings(), FakeAnalyzer, lambda *_: 1 / 0)
    session.apply(LiveSettings())
    given = frame()
    assert session.callback(given) is given
    assert "ZeroDivisionError" in session.snapshot().error


def test_a_run_of_failures_is_logged_once(caplog):
    bench = Bench()
    bench.apply().fault = ValueError("boom")
    for number in range(50):
        bench.session.callback(frame(number))
    assert len(caplog.records) == 1
    assert bench.session.snapshot().errors == 50


def test_an_analyzer_that_keeps_failing_is_renewed_but_not_too_often(caplog):
    bench = Bench()
    bench.apply().fault = ValueError("boom")
    for number in range(5):
        bench.session.callback(frame(number))
    bench.apply()
    assert len(bench.made) == 1  # five seconds have not passed
    bench.clock.now += 5
    bench.apply()
    assert len(bench.made) == 2
    assert bench.made[0].closed == 1
    assert bench.session.callback(frame(9)).pts == 9
    assert bench.session.snapshot().faces == 1


def test_light_settings_act_at_once_without_another_analyzer():
    bench = Bench()
    bench.apply(mirror=False, bars=False)
    bench.apply(mirror=False, bars=True, min_confidence=0.7)
    assert len(bench.made) == 1
    bench.session.callback(frame())
    result, settings = bench.drawn[-1]
    assert settings.bars
    assert result.faces[0].label == UNCERTAIN
    assert result.faces[0].top == "happy"


@pytest.mark.parametrize(
    "change", [{"detector": "haar"}, {"model": "other"}, {"runtime": "litert"}]
)
def test_heavy_settings_bring_another_analyzer_and_close_the_old(change):
    bench = Bench()
    first = bench.apply()
    second = bench.apply(**change)
    assert second is not first
    assert (first.closed, second.closed) == (1, 0)
    bench.session.callback(frame())
    # The warm-up frame, then the real one.
    assert [picture.shape for picture in second.pictures] == [(480, 640, 3), (48, 64, 3)]


def test_settings_that_cannot_be_had_leave_the_stream_as_it_was():
    bench = Bench()
    first = bench.apply()
    bench.refuse = ModelError("The folder lacks model.tflite.")
    with pytest.raises(ModelError, match=r"lacks model\.tflite"):
        bench.apply(model="broken")
    assert first.closed == 0
    assert bench.session.settings.model is None
    bench.session.callback(frame())
    assert bench.session.snapshot().faces == 1


def test_an_analyzer_that_fails_its_warm_up_is_closed_and_not_used():
    made = []

    def make(settings):
        made.append(FakeAnalyzer(settings))
        made[-1].fault = DetectorError("No such file.")
        return made[-1]

    session = LiveSession(make_analyzer=make)
    with pytest.raises(DetectorError, match="No such file"):
        session.apply(LiveSettings())
    assert made[0].closed == 1
    assert not session.ready


def test_a_warm_up_that_fails_unexpectedly_is_a_sentence_too(caplog):
    session = LiveSession(make_analyzer=lambda settings: 1 / 0)
    with pytest.raises(DetectorError, match=r"haar .*ZeroDivisionError.*Choose another"):
        session.apply(LiveSettings(detector="haar"))
    assert not session.ready


@pytest.mark.parametrize("bad", [-0.1, 1.1, float("nan")])
def test_a_threshold_out_of_range_is_refused(bad):
    with pytest.raises(OptionError, match="from 0 to 1"):
        LiveSettings(min_confidence=bad)


@pytest.mark.parametrize(
    ("confidence", "threshold", "label"),
    [(0.6, 0.5, "sad"), (0.6, 0.6, "sad"), (0.6, 0.61, UNCERTAIN), (0.6, 0.0, "sad")],
)
def test_with_threshold(confidence, threshold, label):
    given = FrameResult(64, 48, (face("sad", confidence),))
    assert with_threshold(given, threshold).faces[0].label == label
    # also back again, from a result that was uncertain before
    assert with_threshold(with_threshold(given, 1.0), threshold).faces[0].label == label


@pytest.mark.parametrize(
    ("numbers", "resets"),
    [
        ([15, 16, 17], 0),
        ([15, 16, 900], 1),  # the stream went on after a pause
        ([900, 901, 3], 1),  # the stream began anew
        ([15, 15, 14], 0),  # repeated and late frames
    ],
)
def test_times_rise_and_jumps_end_the_tracks(numbers, resets):
    bench = Bench()
    analyzer = bench.apply()
    bench.session.callback(frame(numbers[0]))
    before, analyzer.times = analyzer.resets, analyzer.times[-1:]
    for number in numbers[1:]:
        bench.session.callback(frame(number))
    assert analyzer.resets - before == resets
    if not resets:
        assert all(a < b for a, b in zip(analyzer.times, analyzer.times[1:], strict=False))


def test_turning_the_mirror_ends_the_tracks():
    bench = Bench()
    analyzer = bench.apply(mirror=True)
    bench.session.callback(frame(0))
    before = analyzer.resets
    bench.apply(mirror=False)
    bench.session.callback(frame(1))
    bench.session.callback(frame(2))
    assert analyzer.resets == before + 1


def test_release_closes_the_detector_and_the_next_apply_makes_another():
    bench = Bench()
    first = bench.apply()
    bench.session.release()
    deadline = time.monotonic() + 5
    while not first.closed and time.monotonic() < deadline:
        time.sleep(0.01)
    assert first.closed == 1
    assert not bench.session.ready
    given = frame()
    assert bench.session.callback(given) is given  # a late frame
    assert bench.apply() is not first
    assert bench.session.ready


def test_release_does_not_wait_for_a_frame_in_work():
    bench = Bench()
    analyzer = bench.apply()
    analyzer.entered.clear()
    analyzer.go_on.clear()
    out = []
    worker = threading.Thread(target=lambda: out.append(bench.session.callback(frame())))
    worker.start()
    assert analyzer.entered.wait(5)
    begin = time.monotonic()
    bench.session.release()
    assert time.monotonic() - begin < 0.5
    assert not analyzer.closed
    analyzer.go_on.set()
    worker.join(5)
    assert out
    assert bench.session.snapshot().errors == 0


def test_a_forgotten_session_closes_its_detector():
    bench = Bench()
    analyzer = bench.apply()
    bench.session = None
    gc.collect()
    assert analyzer.closed == 1


def test_settings_change_while_frames_run():
    """Frames from one thread, wild changes from two others: no error, nothing used after close."""
    bench = Bench()
    bench.apply()
    stop = threading.Event()
    crashes = []

    def change(names):
        number = 0
        while not stop.is_set():
            number += 1
            try:
                bench.apply(
                    detector=names[number % 2],
                    mirror=bool(number % 3),
                    min_confidence=(number % 10) / 10,
                )
                bench.session.snapshot()
            except Exception as error:
                crashes.append(error)

    changers = [
        threading.Thread(target=change, args=(names,))
        for names in (("blazeface", "haar"), ("haar", "mediapipe"))
    ]
    for changer in changers:
        changer.start()
    for number in range(300):
        assert bench.session.callback(frame(number)).pts == number
    stop.set()
    for changer in changers:
        changer.join(10)
    assert not crashes
    shot = bench.session.snapshot()
    assert (shot.errors, shot.frames) == (0, 300)
    bench.session.close()
    assert all(analyzer.closed == 1 for analyzer in bench.made)


def test_frames_per_second_and_stall():
    metrics = LiveMetrics()
    for n in range(31):
        metrics.finished(100 + n / 15, ["sad"], {"detect": 4.0, "total": 6.0}, (640, 480))
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
    metrics.finished(100.0, [], {"detect": 900.0}, (8, 8))
    for n, milliseconds in enumerate([1.0, 2.0, 50.0]):
        metrics.finished(110.0 + n / 10, [], {"detect": milliseconds}, (8, 8))
    assert metrics.snapshot(110.5).stages["detect"] == 2.0


def test_shares_cover_the_last_minute():
    metrics = LiveMetrics()
    metrics.finished(100.0, ["angry"] * 100, {}, (8, 8))
    metrics.finished(130.0, ["happy", "happy", UNCERTAIN, "sad"], {}, (8, 8))
    early = metrics.snapshot(131.0).shares
    assert early["angry"] == pytest.approx(100 / 104)
    late = metrics.snapshot(165.0).shares
    assert list(late) == list(LABELS)
    assert (late["angry"], late["happy"], late[UNCERTAIN]) == (0.0, 0.5, 0.25)
    assert sum(late.values()) == pytest.approx(1)
    assert metrics.snapshot(200.0).shares == {}


def test_memory_is_bounded_however_long_and_fast_the_stream():
    metrics = LiveMetrics()
    for n in range(100_000):
        metrics.finished(n / 100, ["sad"], {"detect": 1.0}, (8, 8))
    kept = (metrics._finished, metrics._stages, metrics._votes)
    assert all(len(samples) <= 400 for samples in kept)
    assert metrics.snapshot(1000.0).frames == 100_000


def test_before_the_first_frame_there_is_nothing_to_say():
    shot = LiveSession(make_analyzer=FakeAnalyzer).snapshot()
    assert shot.idle_seconds is None
    assert (shot.frames, shot.faces, shot.error, dict(shot.shares)) == (0, 0, None, {})
