"""The live session against stand-ins: frames, settings, tracks."""

from __future__ import annotations

from fractions import Fraction

import pytest

from fer_core.emotions import UNCERTAIN
from fer_core.errors import ModelError, OptionError
from fer_core.live import LiveSession
from fer_core.live_answers import with_threshold
from fer_core.live_settings import LiveSettings
from fer_core.results import FrameResult
from tests.unit.live_bench import Bench, FakeAnalyzer, face, frame


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
    assert list(shot.stages) == ["read", "detect", "classify", "judge", "draw"]
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


def test_before_the_first_frame_there_is_nothing_to_say():
    shot = LiveSession(make_analyzer=FakeAnalyzer).snapshot()
    assert shot.idle_seconds is None
    assert (shot.frames, shot.faces, shot.error, dict(shot.shares)) == (0, 0, None, {})


def test_smoothing_follows_the_slider_at_once():
    """A face that turns from happy to sad: without smoothing at once, with it after a while."""
    bench = Bench(mirror=False)
    analyzer = bench.apply(mirror=False, smoothing=3.0)
    analyzer.faces = (face("happy", 0.9, 1),)
    bench.session.callback(frame(0))
    analyzer.faces = (face("sad", 0.9, 1),)
    bench.session.callback(frame(1))
    assert bench.drawn[-1][0].faces[0].label == "happy"
    bench.apply(mirror=False, smoothing=0.0)
    bench.session.callback(frame(2))
    assert bench.drawn[-1][0].faces[0].probabilities == pytest.approx(
        analyzer.faces[0].probabilities
    )
    assert len(bench.made) == 1, "the detector stays"


def test_the_models_own_threshold_holds_where_none_was_chosen():
    bench = Bench()
    bench.apply().min_confidence = 0.7
    bench.session.callback(frame())
    assert bench.drawn[-1][0].faces[0].label == UNCERTAIN


@pytest.mark.parametrize("bad", [-1.0, 3.5, float("nan"), float("inf")])
def test_smoothing_out_of_range_is_refused(bad):
    with pytest.raises(OptionError, match="seconds from 0 to 3"):
        LiveSettings(smoothing=bad)


def test_a_pause_stands_still_and_faces_keep_their_tracks():
    bench = Bench()
    analyzer = bench.apply()
    bench.session.callback(frame(0))
    bench.session.callback(frame(1))
    resets, analysed = analyzer.resets, len(analyzer.pictures)
    bench.session.pause()
    held = [bench.session.callback(frame(2 + n)) for n in range(40)]
    assert [f.pts for f in held] == list(range(2, 42)), "the stream goes on"
    assert len(analyzer.pictures) == analysed, "nothing is analysed"
    shown = held[-1].to_ndarray(format="rgb24")
    assert shown[2, -3, 0] < 160, "darker than the camera's picture"
    bench.session.pause(False)
    bench.session.callback(frame(42))
    assert analyzer.resets == resets
    assert analyzer.times[-1] - analyzer.times[-2] < 0.2


def test_the_end_of_a_stream_ends_a_pause():
    bench = Bench()
    bench.apply()
    bench.session.pause()
    bench.session.release()
    assert not bench.session.paused
