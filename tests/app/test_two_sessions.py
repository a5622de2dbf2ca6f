"""Two viewers of one process: what one of them does is nothing to the other."""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import streamlit_webrtc.component
from streamlit.testing.v1 import AppTest

import fer_core.live
from fer_core.governor import Governor, GovernorOptions
from fer_core.live import LiveSession
from fer_core.live_settings import LiveSettings
from tests.unit.live_bench import Bench, Clock, FakeAnalyzer, face, frame
from ui.live_beside import Beside
from ui.live_recordings import Shelf

ROOT = Path(__file__).resolve().parents[2]
BUSY = "The server is busy with viewers who came first: up to 5 frames a second"


@pytest.fixture
def two() -> Iterator[tuple[Bench, Bench]]:
    pair = Bench(), Bench()
    yield pair
    for bench in pair:
        bench.session.close()


def test_each_has_its_own_mirror_and_threshold(two: tuple[Bench, Bench]) -> None:
    one, other = two
    one.apply(mirror=True, min_confidence=0.1)
    other.apply(mirror=False, min_confidence=0.9)
    for number in range(3):
        turned, straight = (
            bench.session.callback(frame(number)).to_ndarray(format="rgb24") for bench in two
        )
        assert (straight == frame(number).to_ndarray(format="rgb24")).all()
        assert (turned == np.ascontiguousarray(straight[:, ::-1])).all()
        labels = [bench.drawn[-1][0].faces[0].label for bench in two]
        assert labels == ["happy", "uncertain"]
    other.session.apply(LiveSettings(mirror=True, privacy=True))
    assert (one.session.settings.mirror, one.session.settings.privacy) == (True, False)


def test_a_switch_on_one_page_is_none_on_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streamlit_webrtc.component, "get_this_session_info", lambda: None)
    pages = [AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run() for _ in range(2)]
    one, other = pages
    one.toggle(key="live_mirror").set_value(False)
    one.slider(key="live_smoothing").set_value(1.2)
    for page in pages:
        page.run()
        assert not page.exception
    settings = [page.session_state["live_session"].settings for page in pages]
    assert [each.mirror for each in settings] == [False, True]
    assert [each.smoothing for each in settings] == [1.2, LiveSettings.smoothing]
    assert other.toggle(key="live_mirror").value is True


def test_each_has_its_own_markers_figures_and_pause(two: tuple[Bench, Bench]) -> None:
    one, other = two
    for bench in two:
        bench.apply()
    one.session.callback(frame(0))
    one.session.mark("mine")
    one.session.pause()
    other.session.mark("theirs")
    notes = [[marker.note for marker in bench.session.timeline().markers] for bench in two]
    assert notes == [["mine"], ["theirs"]]
    assert [bench.session.snapshot().frames for bench in two] == [1, 0]
    assert [bench.session.paused for bench in two] == [True, False]


def test_the_neutral_face_of_one_says_nothing_of_the_other(
    two: tuple[Bench, Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Faces that are filmed badly, as in these frames, are not learnt from.
    monkeypatch.setattr(fer_core.live, "with_quality", lambda picture, result: result)
    one, other = two
    for bench in two:
        bench.apply(smoothing=0.0, min_confidence=0.0).faces = (face("sad", 0.6, 1),)
    one.session.calibration.start()
    for number in range(90):
        for bench in two:
            bench.session.callback(frame(number))
    assert one.session.calibration.state().tracks == (1,)
    assert other.session.calibration.state().tracks == ()
    labels = [bench.drawn[-1][0].faces[0].label for bench in two]
    assert labels == ["neutral", "sad"]
    other.session.calibration.reset()
    assert one.session.calibration.state().tracks == (1,)


def test_only_who_came_late_is_told_that_the_machine_is_busy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A made machine: each frame takes 40 ms, and there is room for 15 of them a second."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    clock = Clock()
    begin = clock.now
    ticks = itertools.count(0, 0.01)  # read five times a frame
    monkeypatch.setattr(fer_core.live, "time", SimpleNamespace(perf_counter=lambda: next(ticks)))
    governor = Governor(
        GovernorOptions(start=0.6), 1, clock=clock, used=lambda: 0.8 * (clock.now - begin)
    )
    sessions = [
        LiveSession(LiveSettings(), FakeAnalyzer, clock=clock, governor=governor) for _ in range(2)
    ]
    for session in sessions:
        session.apply(LiveSettings())
    for number in range(100):
        clock.now += 0.1
        for session in sessions:
            session.callback(frame(number, fps=10))
    first, late = sessions
    assert first.allowed_rate is None
    assert late.allowed_rate == pytest.approx(5.0, abs=0.2)
    assert first.snapshot().frames == 100
    assert 40 < late.snapshot().frames < 70
    place = Shelf()
    panels = [
        Beside(session, place, True, False, time.monotonic() - 20.0, 60, None).now().panel
        for session in sessions
    ]
    place.close()
    assert [BUSY in panel for panel in panels] == [False, True]
    first.close()
    clock.now += 1.0
    for number in range(100, 110):
        clock.now += 0.1
        late.callback(frame(number, fps=10))
    assert late.allowed_rate is None, "there is room again"
    late.close()
