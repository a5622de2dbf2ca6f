"""The camera's form: what is chosen there is what the browser is asked for."""

from __future__ import annotations

import itertools

import pytest
from streamlit.testing.v1 import AppTest

from fer_core.live_settings import FACINGS, FRAME_RATES, WIDTHS, CameraWish


def form() -> None:
    import streamlit as st

    from ui.live_camera import camera_form, camera_wish

    camera_form(st.session_state.get("playing", False))
    st.session_state["wish"] = camera_wish()


@pytest.fixture(scope="module")
def drawn() -> AppTest:
    return AppTest.from_function(form, default_timeout=60).run()


@pytest.mark.parametrize(
    ("side", "width", "rate"), [*itertools.product((None, *FACINGS), WIDTHS, FRAME_RATES)]
)
def test_side_width_and_rate_are_wished_for_as_chosen(side, width, rate, drawn):
    drawn.button_group(key="live_facing").set_value(side)
    drawn.select_slider(key="live_width").set_value(width)
    drawn.button_group(key="live_rate").set_value(rate)
    drawn.run()
    assert not drawn.exception
    assert drawn.session_state["wish"] == CameraWish(width=width, facing=side, frame_rate=rate)


def test_while_the_stream_runs_the_form_rests():
    drawn = AppTest.from_function(form, default_timeout=60)
    drawn.session_state["playing"] = True
    drawn.run()
    widgets = [*drawn.get("button_group"), *drawn.get("select_slider")]
    assert len(widgets) == 3
    assert all(widget.disabled for widget in widgets)
    assert "press STOP to change it" in drawn.caption[0].value
