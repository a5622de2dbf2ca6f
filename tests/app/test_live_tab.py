"""The Live tab without a browser: its choices, and what they do to the stream."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit
import streamlit_webrtc.component
from PIL import Image
from streamlit.testing.v1 import AppTest

import ui.live_tab
from fer_core.live_settings import CameraWish
from fer_core.results import FrameResult
from tests.app.session import end_session, until
from tests.unit.live_bench import frame
from ui.live_notice import DEPLOYER_NOTICE, LONGEST, deployer_notice
from ui.live_snapshot import in_words

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What was asked of the streaming component, run by run."""
    monkeypatch.setattr(streamlit_webrtc.component, "get_this_session_info", lambda: None)
    calls: list[dict[str, Any]] = []
    real = ui.live_tab.webrtc_streamer

    def noted(**options: Any) -> Any:
        calls.append(options)
        return real(**options)

    monkeypatch.setattr(ui.live_tab, "webrtc_streamer", noted)
    return calls


@pytest.fixture
def run(asked: list[dict[str, Any]]) -> Callable[[], AppTest]:
    """Run the page once."""
    return lambda: AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()


def test_at_rest_the_panel_stands_and_asks_for_nothing(run):
    page = run()
    (view,) = [one for one in page.get("bidi_component") if "live_view" in one.proto.id]
    shown = json.loads(view.proto.json)
    assert 'data-state="off"' in shown["panel"]
    assert shown["address"] is None
    assert page.session_state["live_feed"].now() is None


def test_every_switch_reaches_the_stream(run):
    page = run()
    switches = {"boxes": True, "labels": True, "hints": True, "mirror": True, "bars": False}
    switches |= {"numbers": False, "eyes": False, "privacy": False}
    for name, first in switches.items():
        toggle = page.toggle(key=f"live_{name}")
        assert toggle.value is first, name
        toggle.set_value(not first)
    page.slider(key="live_smoothing").set_value(1.2)
    page.run()
    settings = page.session_state["live_session"].settings
    for name, first in switches.items():
        assert getattr(settings, name) is not first, name
    assert settings.smoothing == 1.2


def test_camera_side_size_and_rate_are_asked_of_the_browser(run, asked):
    page = run()
    video = asked[-1]["media_stream_constraints"]["video"]
    assert "facingMode" not in video
    assert (video["width"], video["height"]) == ({"ideal": 640}, {"ideal": 480})
    assert video["frameRate"] == {"ideal": 15, "max": 15}
    page.select_slider(key="live_width").set_value(1280)
    page.button_group(key="live_facing").set_value("environment")
    page.button_group(key="live_rate").set_value(30)
    page.run()
    constraints = asked[-1]["media_stream_constraints"]
    assert constraints["audio"] is False
    assert constraints["video"]["width"] == {"ideal": 1280}
    assert constraints["video"]["height"] == {"ideal": 720}
    assert constraints["video"]["facingMode"] == {"ideal": "environment"}
    assert constraints["video"]["frameRate"] == {"ideal": 30, "max": 30}


@pytest.mark.parametrize(
    "wrong", [{"width": 123}, {"facing": "up"}, {"frame_rate": 0}, {"frame_rate": 600}]
)
def test_a_wish_that_no_camera_understands_is_refused(wrong):
    with pytest.raises(ValueError, match="Received"):
        CameraWish(**wrong)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, None),
        ("", None),
        (" off ", None),
        ("on", DEPLOYER_NOTICE),
        ("Filmed for a study.", "Filmed for a study."),
        ("x" * 5000, "x" * LONGEST),
    ],
)
def test_the_notice_of_whoever_runs_the_page(value, shown):
    assert deployer_notice({} if value is None else {"FER_LIVE_NOTICE": value}) == shown


def test_the_notice_stands_on_the_page_when_it_is_switched_on(run, monkeypatch):
    assert not [box for box in run().info if "Article 50" in box.value]
    monkeypatch.setenv("FER_LIVE_NOTICE", "on")
    assert [box.value for box in run().info if "Article 50" in box.value] == [DEPLOYER_NOTICE]


def png(picture: np.ndarray) -> bytes:
    held = io.BytesIO()
    Image.fromarray(picture).save(held, "PNG")
    return held.getvalue()


def test_a_snapshot_needs_no_stream(run, astronaut, monkeypatch):
    page = run()
    assert not page.get("camera_input")
    page.toggle(key="live_snapshots").set_value(True).run()
    assert len(page.get("camera_input")) == 1

    class Taken:
        def getvalue(self) -> bytes:
            return png(astronaut)

    shown: list[np.ndarray] = []
    monkeypatch.setattr(streamlit, "camera_input", lambda *_, **__: Taken())
    monkeypatch.setattr(streamlit, "image", lambda picture, **_: shown.append(picture))
    page.run()
    assert not page.exception
    assert any("The face: **happy**, happy at 9" in text.value for text in page.markdown)
    assert shown[0].shape == (512, 512, 3)
    mirrored = astronaut[:, ::-1]
    assert (shown[0] != mirrored).any(axis=2).mean() < 0.2, "the picture, with an overlay"


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n"])
def test_a_snapshot_that_is_no_picture_is_one_sentence(run, monkeypatch, content):
    class Taken:
        def getvalue(self) -> bytes:
            return content

    monkeypatch.setattr(streamlit, "camera_input", lambda *_, **__: Taken())
    page = run()
    page.toggle(key="live_snapshots").set_value(True).run()
    assert not page.exception
    assert len(page.error) == 1


def test_a_snapshot_without_a_face_says_so():
    assert "No face was found" in in_words(FrameResult(64, 48, ()))


def test_no_detector_waits_for_a_page_that_is_gone(run):
    """Streamlit keeps its session for two minutes, in which many pages can be opened."""
    page = run()
    session = page.session_state["live_session"]
    assert session.ready
    end_session()
    until(lambda: not session.ready, 20)
    page.run()
    assert session.ready, "it came back"


def test_a_stream_goes_on_while_its_page_is_away(run):
    page = run()
    session = page.session_state["live_session"]
    session.callback(frame())
    end_session()
    time.sleep(0.3)
    assert session.ready


def test_no_detector_waits_for_a_page_that_is_gone_just_after_its_stream(run):
    page = run()
    session = page.session_state["live_session"]
    session.callback(frame())
    session.release()  # STOP; the run of the page that follows makes ready for the next START
    until(lambda: not session.ready, 20)
    page.run()
    assert session.ready
    end_session()
    until(lambda: not session.ready, 4)
