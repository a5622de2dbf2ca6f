"""Neutral calibration: what is learned from a held face, and what it does to later answers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_core.calibration import REST_SHARE, NeutralCalibration, neutral_offsets
from fer_core.emotions import CLASSES
from fer_core.quality import FaceQuality
from fer_core.results import Box, Face
from tests.unit.live_bench import Bench, frame

SAD_AT_REST = (0.02, 0.01, 0.02, 0.03, 0.55, 0.02, 0.35)
NEUTRAL = CLASSES.index("neutral")


def face(probabilities=SAD_AT_REST, number=1, quality=None) -> Face:
    return Face(Box(0, 0, 60, 60), 0.9, tuple(probabilities), "sad", number, None, quality)


def hold(calibration: NeutralCalibration, faces, seconds=3.2, rate=15, start=0.0) -> None:
    calibration.start()
    for n in range(int(seconds * rate) + 1):
        calibration.learn(faces, start + n / rate)


def test_a_held_face_reads_neutral_afterwards():
    calibration = NeutralCalibration()
    hold(calibration, [face()])
    assert calibration.state().tracks == (1,)
    rest = calibration.relative(1, SAD_AT_REST)
    assert rest[NEUTRAL] == pytest.approx(REST_SHARE, abs=0.1)
    assert sum(rest) == pytest.approx(1)


def test_a_real_expression_still_comes_through():
    calibration = NeutralCalibration()
    hold(calibration, [face()])
    happy = calibration.relative(1, (0.01, 0.01, 0.01, 0.9, 0.03, 0.01, 0.03))
    assert max(happy) == happy[CLASSES.index("happy")] > 0.8
    sad = calibration.relative(1, (0.005, 0.003, 0.004, 0.003, 0.97, 0.005, 0.01))
    assert max(sad) == sad[CLASSES.index("sad")], "more than at rest"


def test_the_formula_of_the_documentation():
    held = [(0.1, 0.0, 0.1, 0.1, 0.4, 0.1, 0.2), (0.1, 0.0, 0.1, 0.1, 0.1, 0.1, 0.5)]
    calibration = NeutralCalibration()
    calibration._offsets[1] = neutral_offsets(held)
    means = [(a * b) ** 0.5 for a, b in zip(*held, strict=True)]
    wanted = [0.25 / 6] * 7
    wanted[NEUTRAL] = 0.75
    later = (0.3, 0.1, 0.1, 0.2, 0.1, 0.1, 0.1)
    raw = [p * q / max(m, 0.25 / 6) for p, q, m in zip(later, wanted, means, strict=True)]
    expected = [value / sum(raw) for value in raw]
    assert calibration.relative(1, later) == pytest.approx(expected)


@given(
    st.lists(
        st.lists(st.floats(0, 1), min_size=7, max_size=7).filter(lambda row: sum(row) > 0.1),
        min_size=2,
        max_size=6,
    )
)
def test_any_held_face_gives_probabilities_that_sum_to_one(rows):
    rows = [tuple(p / sum(row) for p in row) for row in rows]
    calibration = NeutralCalibration()
    calibration._offsets[1] = neutral_offsets(rows)
    for row in rows:
        shifted = calibration.relative(1, row)
        assert sum(shifted) == pytest.approx(1)
        assert all(0 <= p <= 1 for p in shifted)


def test_each_track_has_its_own_and_others_are_left_alone():
    calibration = NeutralCalibration()
    angry = (0.6, 0.0, 0.05, 0.05, 0.05, 0.05, 0.2)
    hold(calibration, [face(number=1), face(angry, number=2)])
    assert calibration.state().tracks == (1, 2)
    assert calibration.relative(1, angry) != calibration.relative(2, angry)
    assert calibration.relative(3, angry) == angry


def test_it_can_be_taken_back_and_ends_with_the_track():
    calibration = NeutralCalibration()
    hold(calibration, [face(number=1), face(number=2), face(number=3)])
    calibration.reset(2)
    assert calibration.state().tracks == (1, 3)
    calibration.keep({1})
    assert calibration.state().tracks == (1,)
    calibration.reset()
    assert calibration.relative(1, SAD_AT_REST) == SAD_AT_REST


def test_progress_is_told_and_starts_with_the_first_face():
    calibration = NeutralCalibration()
    assert calibration.state().progress is None
    calibration.start()
    calibration.learn([], 0.0)
    calibration.learn([], 2.0)
    assert calibration.state().progress == 0.0
    calibration.learn([face()], 2.5)
    calibration.learn([face()], 4.0)
    assert calibration.state().progress == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("faces", "words"),
    [
        ([], "No face was seen"),
        ([face(number=None)], "No face was seen"),
        ([face(quality=FaceQuality(9.0, 80.0, 0.1, problems=("too dark",)))], "too dark"),
    ],
)
def test_without_a_face_that_can_be_used_it_says_so(faces, words):
    calibration = NeutralCalibration()
    hold(calibration, faces, seconds=13)
    state = calibration.state()
    assert (state.progress, state.tracks) == (None, ())
    assert words in state.failure
    calibration.start()
    assert calibration.state().failure is None


def test_in_a_stream_it_lasts_as_long_as_the_track(monkeypatch):
    monkeypatch.setattr("fer_core.live.with_quality", lambda picture, result: result)
    bench = Bench(mirror=False, smoothing=0.0)
    analyzer = bench.apply(mirror=False, smoothing=0.0)
    analyzer.faces = (face(),)
    bench.session.calibration.start()
    for n in range(50):
        bench.session.callback(frame(n))
    bench.session.callback(frame(50))
    assert bench.drawn[-1][0].faces[0].label == "neutral"
    analyzer.faces = (replace(face(), track_id=2),)
    for n in range(51, 110):
        bench.session.callback(frame(n))
    assert bench.drawn[-1][0].faces[0].label == "sad", "another person"
    assert bench.session.calibration.state().tracks == (), "the first one is gone for good"
