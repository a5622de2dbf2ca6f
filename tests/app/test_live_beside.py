"""The column beside the picture: whose timeline is shown, and what is advised when none comes."""

from __future__ import annotations

import json
import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit_webrtc.component
from streamlit.testing.v1 import AppTest

from fer_core.errors import ModelError
from fer_core.live import LiveSession
from tests.unit.live_bench import Bench, face, frame
from ui import connection
from ui.live_tab import CONNECTION_HELP

ROOT = Path(__file__).resolve().parents[2]

PERMISSION_HTTPS_TURN_OR_SNAPSHOTS = (
    "*The picture does not come up?*, under the picture, says what to check (permission, HTTPS, "
    "TURN), and offers snapshots, which need no video connection."
)
CAMERA_SENDS_NOTHING = (
    "Browser and server are connected, but the camera sends nothing. Press STOP, see that it is "
    "switched on and that no other program uses it, and press START again."
)
CAMERA_OR_NETWORK_WENT = (
    "If the camera was unplugged or the network was cut, press STOP, put it right, and press "
    "START again."
)


def column() -> None:
    import streamlit as st

    from ui.live_actions import actions
    from ui.live_beside import beside

    state = st.session_state
    actions(state["session"], state["playing"])
    beside(state["session"], state["playing"], not state["playing"], state["since"])


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Bench]:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    made = Bench(mirror=False)
    made.apply(mirror=False, smoothing=0.0)
    yield made
    made.session.close()


def opened(session: LiveSession, playing: bool = True, waited: float = 2.0) -> AppTest:
    page = AppTest.from_function(column, default_timeout=60)
    page.session_state["session"] = session
    page.session_state["playing"] = playing
    page.session_state["since"] = time.monotonic() - waited
    return ran(page)


def ran(page: AppTest) -> AppTest:
    page.run()
    assert not page.exception
    return page


def timelines(page: AppTest) -> list[str]:
    """What the page draws, and what its panel then asks for twice a second."""
    (view,) = [one for one in page.get("bidi_component") if "live_view" in one.proto.id]
    return [json.loads(view.proto.json)["timeline"], page.session_state["live_feed"].now().timeline]


def mostly(page: AppTest) -> set[str]:
    return {re.search(r"mostly (\w+, \d+)", drawn)[1] for drawn in timelines(page)}


def filmed(bench: Bench, *labels: str) -> None:
    """Five frames of as many faces as there are labels, the first one being track 1."""
    analyzer = bench.made[-1]
    analyzer.faces = tuple(face(label, 0.9, at) for at, label in enumerate(labels, 1))
    first = bench.session.snapshot().frames
    for number in range(first, first + 5):
        bench.clock.now += 0.2
        bench.session.callback(frame(number))


def test_the_timeline_is_that_of_the_chosen_face(bench: Bench) -> None:
    filmed(bench, "happy", "sad")
    page = opened(bench.session)
    chooser = page.selectbox(key="live_face")
    assert chooser.options == ["all faces", "face #1", "face #2"]
    assert mostly(page) in ({"happy, 46"}, {"sad, 46"}), "the mean of both"
    for track, words in ((2, "sad, 90"), (1, "happy, 90"), (2, "sad, 90")):
        page.selectbox(key="live_face").set_value(track)
        assert mostly(ran(page)) == {words}
    page.selectbox(key="live_face").set_value(0)
    assert mostly(ran(page)) in ({"happy, 46"}, {"sad, 46"})


def test_a_chosen_face_that_has_gone_stays_chosen_and_says_that_nothing_is_known(
    bench: Bench,
) -> None:
    filmed(bench, "happy", "sad")
    page = opened(bench.session)
    page.selectbox(key="live_face").set_value(2)
    ran(page)
    bench.clock.now += 70.0  # longer than the timeline shows
    filmed(bench, "happy")
    ran(page)
    assert page.selectbox(key="live_face").value == 2
    assert all("no face" in drawn for drawn in timelines(page))


def test_a_single_face_leaves_nothing_to_choose(bench: Bench) -> None:
    filmed(bench, "happy")
    page = opened(bench.session)
    assert not page.selectbox
    assert mostly(page) == {"happy, 90"}


@pytest.mark.parametrize(
    ("playing", "waited", "idle", "advice"),
    [
        (False, 9.0, None, []),
        (False, 11.0, None, [PERMISSION_HTTPS_TURN_OR_SNAPSHOTS]),
        (True, 11.0, None, [CAMERA_SENDS_NOTHING]),
        (True, 11.0, 0.1, []),
        (True, 60.0, 5.0, [CAMERA_OR_NETWORK_WENT]),
    ],
    ids=["soon", "no way", "no picture", "all is well", "it stopped"],
)
def test_what_to_check_is_said_after_ten_seconds_without_a_picture(
    playing: bool, waited: float, idle: float | None, advice: list[str], bench: Bench
) -> None:
    if idle is not None:
        bench.session.callback(frame(0))
        bench.clock.now += idle
    page = opened(bench.session, playing, waited)
    assert [box.value for box in page.warning] == advice


def test_a_picture_without_labels_is_not_said_to_be_missing(bench: Bench) -> None:
    bench.session.close()
    bench.refuse = ModelError("The folder lacks model.tflite.")
    page = opened(bench.session, playing=True, waited=60.0)
    given = frame(0)
    assert bench.session.callback(given) is given, "the picture goes on"
    ran(page)
    assert [box.value for box in page.warning] == []
    assert [box.value for box in page.error] == ["The folder lacks model.tflite."]
    panel = page.session_state["live_feed"].now().panel
    assert "Connected, without labels so far." in panel
    assert "No picture has come" not in panel


def test_what_the_advice_names_is_on_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streamlit_webrtc.component, "get_this_session_info", lambda: None)
    page = ran(AppTest.from_file(str(ROOT / "app.py"), default_timeout=60))
    (box,) = [one for one in page.expander if one.label == "The picture does not come up?"]
    assert [text.value for text in box.markdown] == [CONNECTION_HELP.strip()]
    assert [switch.label for switch in box.toggle] == ["Snapshots instead"]


@pytest.mark.parametrize(
    "words",
    [
        "**The browser asks for the camera**: allow it. If it was refused before, use the camera "
        "sign in the address bar.",
        "**Another program uses the camera**: close it, or take another camera with SELECT DEVICE.",
        "**The page is not on this computer**: it must be opened with `https://`, and the server "
        "may need a TURN server:",
        "**A firewall or VPN** may block the UDP packets that carry the picture.",
        f"`{connection.STUN_VARIABLE}`",
        f"`{connection.TURN_URL_VARIABLE}`",
        f"`{connection.TURN_USER_VARIABLE}`",
        f"`{connection.TURN_PASSWORD_VARIABLE}`",
    ],
)
def test_the_help_says_what_to_check(words: str) -> None:
    assert words in " ".join(CONNECTION_HELP.split())
