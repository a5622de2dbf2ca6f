"""What goes wrong in a live session: one sentence, and the stream goes on."""

from __future__ import annotations

import pytest

from fer_core.errors import DetectorError
from fer_core.live import LiveSession
from fer_core.live_settings import LiveSettings
from tests.unit.live_bench import Bench, FakeAnalyzer, frame


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
