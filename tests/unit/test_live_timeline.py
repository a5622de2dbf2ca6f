"""The timeline of a live stream: what it keeps, what it draws, and how much."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

from fer_core.emotions import CLASSES, UNCERTAIN
from fer_core.errors import OptionError
from fer_core.live_timeline import MOST_MARKERS, LiveTimeline
from tests.unit.live_bench import Bench, face, frame

HAPPY, SAD = CLASSES.index("happy"), CLASSES.index("sad")


def filled(seconds: float = 30, rate: int = 15) -> LiveTimeline:
    timeline = LiveTimeline()
    for n in range(int(seconds * rate)):
        label = "happy" if n / rate < seconds / 2 else "sad"
        timeline.add(100 + n / rate, [face(label, 0.7, 1)])
    return timeline


def test_points_are_means_and_gaps_stay_gaps():
    view = filled().view(130.0, 60)
    assert len(view.means) == 120
    assert view.step == 0.5
    empty = [mean for mean in view.means if mean is None]
    assert len(empty) in (60, 61)
    seen = [mean for mean in view.means if mean is not None]
    assert seen[0][HAPPY] == pytest.approx(0.7)
    assert seen[-1][SAD] == pytest.approx(0.7)
    assert all(sum(mean) == pytest.approx(1) for mean in seen)


@pytest.mark.parametrize("seconds", [60, 180, 600])
def test_never_more_points_than_asked_for(seconds):
    view = filled().view(130.0, seconds, points=100)
    assert len(view.means) <= 100
    assert view.seconds >= seconds
    assert any(mean is not None for mean in view.means)


def test_every_face_has_a_lane_with_its_most_frequent_label():
    timeline = LiveTimeline()
    for n in range(30):
        second = replace(face("sad", 0.7, 2), label="sad" if n % 3 else UNCERTAIN)
        timeline.add(n / 15, [face("happy", 0.7, 1), second])
    view = timeline.view(2.0, 60)
    assert [lane.track for lane in view.lanes] == [1, 2]
    assert [label for label in view.lanes[0].labels if label] == ["happy"] * 4
    assert [label for label in view.lanes[1].labels if label] == ["sad"] * 4


def test_one_face_can_be_looked_at_alone():
    timeline = LiveTimeline()
    timeline.add(1.0, [face("happy", 0.9, 1), face("sad", 0.9, 2)])
    both = timeline.view(1.2, 60).means[-1]
    alone = timeline.view(1.2, 60, track=2).means[-1]
    assert both[HAPPY] == pytest.approx(both[SAD])
    assert alone[SAD] == pytest.approx(0.9)
    assert timeline.view(1.2, 60, track=9).means[-1] is None


def test_the_most_seen_faces_keep_their_lanes_in_a_crowd():
    timeline = LiveTimeline()
    for n in range(20):
        crowd = [face("sad", 0.9, 100 + k) for k in range(30)] if n == 0 else []
        timeline.add(n / 15, [face("happy", 0.9, 5), *crowd])
    lanes = timeline.view(2.0, 60, lanes=4).lanes
    assert len(lanes) == 4
    assert 5 in [lane.track for lane in lanes]


def test_markers_carry_one_clean_line_and_leave_with_their_time():
    timeline = LiveTimeline()
    marker = timeline.mark(10.0, " joke\n\x00told\t<b>  " + "x" * 500)
    assert marker.note.startswith("joke told <b> xxx")
    assert len(marker.note) == 200
    assert timeline.view(20.0, 60).markers == (marker,)
    assert timeline.view(100.0, 60).markers == ()


def test_memory_is_bounded_over_a_day_of_crowds():
    timeline = LiveTimeline()
    crowd = [face("sad", 0.9, k) for k in range(40)]
    for n in range(1400):
        timeline.add(n * 0.5, crowd)
        timeline.mark(n * 0.5, "again")
    assert len(timeline._buckets) <= 1201
    assert max(len(bucket.tracks) for bucket in timeline._buckets) <= 16
    assert len(timeline._markers) == MOST_MARKERS
    assert sys.getsizeof(timeline.view(700.0, 600).means) < 2000


@pytest.mark.parametrize(("seconds", "points"), [(0, 10), (-1, 10), (60, 0), (float("nan"), 5)])
def test_a_span_that_is_none_is_refused(seconds, points):
    with pytest.raises(OptionError, match="seconds above 0"):
        LiveTimeline().view(1.0, seconds, points)


def test_a_stream_fills_it_and_a_pause_leaves_a_gap():
    bench = Bench()
    bench.apply()
    for n in range(4):
        bench.session.callback(frame(n))
        bench.clock.now += 0.5
    bench.session.pause()
    for n in range(4, 8):
        bench.session.callback(frame(n))
        bench.clock.now += 0.5
    marker = bench.session.mark("here")
    view = bench.session.timeline()
    assert sum(mean is not None for mean in view.means) == 4
    assert view.markers == (marker,)
