"""What is asked of the browser for each camera, width and rate that can be chosen."""

from __future__ import annotations

import pytest

from fer_core.live_settings import FACINGS, FRAME_RATES, WIDTHS, CameraWish

HEIGHTS = {320: 240, 480: 360, 640: 480, 960: 540, 1280: 720}
"""4:3 as webcams have it, and 16:9 where they give no other."""
SIDES = {
    None: {},
    "user": {"facingMode": {"ideal": "user"}},
    "environment": {"facingMode": {"ideal": "environment"}},
}
"""`ideal`, so that a computer without a rear camera still gives the one it has."""


@pytest.mark.parametrize("rate", [10, 15, 30])
@pytest.mark.parametrize(("width", "height"), HEIGHTS.items())
@pytest.mark.parametrize(("side", "asked"), SIDES.items())
def test_a_wish_is_asked_in_the_browsers_words(side, asked, width, height, rate):
    wish = CameraWish(width=width, facing=side, frame_rate=rate)
    assert wish.height == height
    assert wish.constraints() == {
        "video": {
            "width": {"ideal": width},
            "height": {"ideal": height},
            "frameRate": {"ideal": rate, "max": rate},
            **asked,
        },
        "audio": False,
    }


def test_every_choice_of_the_form_is_in_the_table():
    assert tuple(HEIGHTS) == WIDTHS
    assert tuple(SIDES) == (None, *FACINGS)
    assert FRAME_RATES == (10, 15, 30)
