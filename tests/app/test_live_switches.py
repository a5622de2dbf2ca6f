"""Each switch of the Live tab, from the form to the pixels that come back."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from fer_core.live import LiveSession
from fer_core.live_settings import LiveSettings
from fer_core.overlay import OverlayOptions, draw
from fer_core.quality import with_quality
from fer_core.results import Box, Eyes, Face, FrameResult
from tests.unit.live_bench import FakeAnalyzer, frame

SHARES = (0.01, 0.01, 0.01, 0.94, 0.01, 0.01, 0.01)
FACE = Face(
    Box(190, 60, 280, 150), 0.9, SHARES, "happy", track_id=7, eyes=Eyes((215, 90), (255, 92))
)
"""Half on the black and half on the red part of the mirrored frame, so that a blur shows."""
SHIPPED = OverlayOptions(boxes=True, labels=True, hints=True)
OTHERWISE = {
    "boxes": OverlayOptions(boxes=False),
    "labels": OverlayOptions(labels=False),
    "hints": OverlayOptions(hints=False),
    "bars": OverlayOptions(bars=True),
    "numbers": OverlayOptions(numbers=True),
    "eyes": OverlayOptions(eyes=True),
    "privacy": OverlayOptions(privacy=True),
    "mirror": SHIPPED,
}
"""What is drawn once that switch alone stands the other way."""


class Numbered(FakeAnalyzer):
    """Finds one face with a number and eyes; the frame is dark, so there is a hint too."""

    def __init__(self, settings: LiveSettings) -> None:
        super().__init__(settings)
        self.faces = (FACE,)


def form() -> None:
    import streamlit as st

    from ui.live_settings import settings_form

    settings_form(st.session_state["session"])


@pytest.fixture
def drawn() -> Iterator[AppTest]:
    page = AppTest.from_function(form, default_timeout=60)
    page.session_state["session"] = made = LiveSession(make_analyzer=Numbered)
    yield page.run()
    made.close()


def given(mirrored: bool) -> np.ndarray:
    picture = frame(0, 320, 240).to_ndarray(format="rgb24")
    return np.ascontiguousarray(picture[:, ::-1]) if mirrored else picture


def shown(page: AppTest) -> np.ndarray:
    assert not page.exception
    assert not page.error
    session: LiveSession = page.session_state["session"]
    picture = session.callback(frame(0, 320, 240)).to_ndarray(format="rgb24")
    assert session.snapshot().errors == 0
    return picture


def expected(options: OverlayOptions, mirrored: bool = True) -> np.ndarray:
    picture = given(mirrored)
    result = with_quality(picture, FrameResult(320, 240, (FACE,)))
    assert not result.faces[0].quality.good
    return draw(picture, result, options)


@pytest.mark.parametrize(("name", "options"), OTHERWISE.items(), ids=OTHERWISE)
def test_a_switch_changes_what_is_drawn_and_nothing_else(
    name: str, options: OverlayOptions, drawn: AppTest
) -> None:
    before = shown(drawn)
    assert (before == expected(SHIPPED)).all()
    switch = drawn.toggle(key=f"live_{name}")
    switch.set_value(not switch.value)
    drawn.run()
    after = shown(drawn)
    assert (after != before).any()
    assert (after == expected(options, mirrored=name != "mirror")).all()


def test_every_switch_of_the_form_is_tried_here(drawn: AppTest) -> None:
    assert {switch.key for switch in drawn.toggle} == {f"live_{name}" for name in OTHERWISE}
