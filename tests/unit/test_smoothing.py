"""Smoothing goes by time passed, keeps probabilities whole, and lets moving boxes go."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_core.errors import OptionError
from fer_core.results import Box
from fer_core.smoothing import Smoother, SmoothingOptions

HAPPY = (0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0)
SAD = (0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0)
BOX = Box(100, 100, 200, 200)


@pytest.mark.parametrize("rate", [5, 15, 30, 60])
def test_after_its_time_constant_a_change_has_come_through_to_63_per_cent(rate: int) -> None:
    smoother = Smoother(SmoothingOptions(seconds=0.6))
    smoother.update(1, BOX, HAPPY, 0.0)
    for index in range(1, round(0.6 * rate) + 1):
        _, steady = smoother.update(1, BOX, SAD, index / rate)
    assert steady[4] == pytest.approx(1 - math.exp(-1), abs=1e-6)


def test_off_shows_each_frames_own() -> None:
    smoother = Smoother(SmoothingOptions(seconds=0, box_cutoff=0))
    smoother.update(1, BOX, HAPPY, 0.0)
    other = Box(110, 90, 230, 220)
    assert smoother.update(1, other, SAD, 0.01) == (other, SAD)


def test_tracks_are_apart_and_forgotten() -> None:
    smoother = Smoother()
    smoother.update(1, BOX, HAPPY, 0.0)
    assert smoother.update(2, BOX, SAD, 0.1)[1] == SAD
    smoother.keep({2})
    assert smoother.update(1, BOX, SAD, 0.2)[1] == SAD
    smoother.reset()
    assert smoother.update(2, BOX, HAPPY, 0.3)[1] == HAPPY


def test_a_time_that_goes_back_starts_afresh() -> None:
    smoother = Smoother()
    smoother.update(1, BOX, HAPPY, 5.0)
    assert smoother.update(1, BOX, SAD, 1.0)[1] == SAD


def test_a_resting_box_is_steadier_than_its_detections() -> None:
    smoother, source = Smoother(), np.random.default_rng(1)
    shaken, steady = [], []
    for index in range(150):
        dx, dy = source.normal(0, 1.0, 2)
        box = Box(100 + dx, 100 + dy, 200 + dx, 200 + dy)
        shaken.append(box.centre)
        steady.append(smoother.update(1, box, HAPPY, index / 15)[0].centre)
    ratio = np.diff(steady, axis=0).std() / np.diff(shaken, axis=0).std()
    assert ratio < 0.6


@pytest.mark.parametrize("speed", [100.0, 300.0, 600.0])
def test_a_moving_box_lags_less_than_a_tenth_of_the_face(speed: float) -> None:
    smoother = Smoother()
    for index in range(45):
        x = speed * index / 15
        box, _ = smoother.update(1, Box(x, 0, x + 100, 100), HAPPY, index / 15)
    assert 0 <= x - box.x0 < 10


def test_box_smoothing_does_the_same_at_every_resolution() -> None:
    small, large = Smoother(), Smoother()
    for index in range(20):
        x = 3.0 * math.sin(index)
        box = Box(100 + x, 100, 200 + x, 220)
        at_small, _ = small.update(1, box, HAPPY, index / 15)
        at_large, _ = large.update(1, box.scaled(3), HAPPY, index / 15)
        assert at_large.x0 == pytest.approx(at_small.scaled(3).x0)


@pytest.mark.parametrize("name", ["seconds", "box_cutoff", "box_speed"])
@pytest.mark.parametrize("value", [-0.1, math.nan, math.inf])
def test_options_are_checked(name: str, value: float) -> None:
    with pytest.raises(OptionError, match=f"{name} of the smoothing must be 0 or more. Received"):
        SmoothingOptions(**{name: value})


def test_a_face_has_seven_probabilities() -> None:
    with pytest.raises(OptionError, match="Received: 3"):
        Smoother().update(1, BOX, (0.2, 0.3, 0.5), 0.0)


weights = st.lists(st.floats(0.001, 1), min_size=7, max_size=7)


@given(st.lists(st.tuples(st.floats(0, 2), weights), min_size=1, max_size=10))
def test_probabilities_stay_probabilities(frames: list[tuple[float, list[float]]]) -> None:
    smoother, pts = Smoother(), 0.0
    for step, given_weights in frames:
        pts += step
        shares = tuple(weight / sum(given_weights) for weight in given_weights)
        _, steady = smoother.update(1, BOX, shares, pts)
        assert sum(steady) == pytest.approx(1.0)
        assert all(0 <= share <= 1 for share in steady)
