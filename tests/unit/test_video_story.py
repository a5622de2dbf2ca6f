"""What is told of the people in a clip: lanes, moments of change, and the report of both."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from fer_core.clip_drawing import WIDTH, lane_svg
from fer_core.clip_report import clip_report_html
from fer_core.clip_story import MOST_PEOPLE, story_of
from fer_core.emotions import CLASSES
from fer_core.results import Box, Eyes, Face, FrameResult
from fer_core.video import Lane, Moment, VideoInfo, VideoReport
from fer_core.video.lanes import MOST_LANES, MOST_POINTS, THUMBNAIL_SIDE, Lanes, cut_face
from fer_core.video.moments import MOST_MOMENTS, Moments

SIZE = (64, 96)
FACE = Box(20.0, 10.0, 60.0, 50.0)


def mostly(label: str, share: float = 0.94) -> tuple[float, ...]:
    rest = (1 - share) / (len(CLASSES) - 1)
    return tuple(share if name == label else rest for name in CLASSES)


def face(label: str = "happy", track: int | None = 1, score: float = 0.9, **changes) -> Face:
    made = Face(FACE, score, mostly(label), label, track_id=track)
    return replace(made, **changes)


def frame(pts: float, *faces: Face) -> FrameResult:
    return FrameResult(SIZE[1], SIZE[0], faces, pts)


def picture(grey: int = 90) -> np.ndarray:
    return np.full((*SIZE, 3), grey, np.uint8)


def told(results: list[FrameResult]) -> tuple[Lane, ...]:
    lanes = Lanes()
    for result in results:
        lanes.add(picture(), result, result.pts or 0.0)
    return lanes.lanes()


def test_a_lane_tells_when_a_face_was_there_and_what_it_showed() -> None:
    results = [frame(0.04 * k, face("happy" if k < 30 else "sad")) for k in range(40)]
    (lane,) = told([frame(0.0), *results, frame(1.6, face(track=None))])
    assert (lane.track, lane.faces) == (1, 40)
    assert (lane.first, lane.last) == (0.0, pytest.approx(1.56))
    assert lane.label_shares == {"happy": 0.75, "sad": 0.25}
    times = [time for time, _ in lane.points]
    assert times == sorted(times)
    assert len(times) == pytest.approx(1.6 / 0.05, abs=1)
    for _, values in lane.points:
        assert sum(values) == pytest.approx(1.0)
    assert lane.points[0][1] == pytest.approx(mostly("happy"))
    assert lane.points[-1][1] == pytest.approx(mostly("sad"))


@pytest.mark.parametrize("seconds", [1.0, 60.0, 4 * 3600.0])
def test_a_lane_is_no_longer_for_a_longer_clip(seconds: float) -> None:
    """Points that lie close are taken together, each frame counting once."""
    count = 1500
    steps = [seconds * k / count for k in range(count)]
    labels = ["happy" if k % 2 else "sad" for k in range(count)]
    (lane,) = told([frame(t, face(label)) for t, label in zip(steps, labels, strict=True)])
    assert len(lane.points) <= MOST_POINTS
    assert len(lane.points) >= min(MOST_POINTS, seconds / 0.05) / 2 - 1
    happy = CLASSES.index("happy")
    means = [values[happy] for _, values in lane.points]
    assert np.mean(means) == pytest.approx((0.94 + 0.01) / 2, abs=0.02)
    assert all(0 <= time <= seconds + 0.1 for time, _ in lane.points)


def test_of_a_crowd_those_are_kept_that_were_seen_most() -> None:
    lanes = Lanes()
    for k in range(5):
        lanes.add(picture(), frame(0.1 * k, face(track=1)), 0.1 * k)
    for track in range(2, 1000):
        lanes.add(picture(), frame(1.0 + track, face(track=track)), 1.0 + track)
    kept = [lane.track for lane in lanes.lanes()]
    assert len(kept) == MOST_LANES
    assert kept[0] == 1
    assert kept[-1] == 999


def test_a_thumbnail_is_of_the_surest_frontal_face() -> None:
    ahead = Eyes((32.0, 25.0), (48.0, 25.0))
    aside = Eyes((22.0, 25.0), (28.0, 25.0))
    lanes = Lanes()
    for time, grey, seen in (
        (0.0, 60, face(eyes=aside)),
        (0.1, 120, face(eyes=ahead)),
        (0.2, 200, face(eyes=ahead, score=0.3)),
    ):
        lanes.add(picture(grey), frame(time, seen), time)
    (lane,) = lanes.lanes()
    assert lane.thumbnail is not None
    shown = Image.open(io.BytesIO(lane.thumbnail))
    assert shown.size == (THUMBNAIL_SIDE, THUMBNAIL_SIDE)
    assert np.asarray(shown).mean() == pytest.approx(120, abs=3)


@pytest.mark.parametrize(
    ("box", "there"),
    [
        (FACE, True),
        (Box(-20.0, -20.0, 20.0, 20.0), True),
        (Box(80.0, 50.0, 120.0, 90.0), True),
        (Box(30.0, 30.0, 36.0, 36.0), False),
        (Box(200.0, 200.0, 240.0, 240.0), False),
        (Box(93.0, 20.0, 133.0, 60.0), False),
    ],
    ids=["inside", "upper left", "lower right", "tiny", "outside", "a strip"],
)
def test_faces_are_cut_out_square_wherever_they_are(box: Box, there: bool) -> None:
    cut = cut_face(picture(), box)
    assert (cut is not None) is there
    if cut is not None:
        assert cut.shape == (THUMBNAIL_SIDE, THUMBNAIL_SIDE, 3)


def changes(*parts: tuple[float, str], track: int = 1, rate: float = 25.0) -> tuple[Moment, ...]:
    """The moments of one face that shows each label for so many seconds."""
    moments, time = Moments(), 0.0
    for seconds, label in parts:
        for _ in range(round(seconds * rate)):
            moments.add(frame(time, face(label, track)))
            time += 1 / rate
    return moments.moments()


def test_a_change_is_told_with_its_time_and_its_size() -> None:
    (moment,) = changes((2.0, "neutral"), (2.0, "happy"))
    assert (moment.track, moment.before, moment.after) == (1, "neutral", "happy")
    assert moment.seconds == pytest.approx(2.0, abs=0.15)
    assert moment.size == pytest.approx(0.93, abs=0.15)


def test_each_change_is_told_once_and_the_strongest_of_very_many() -> None:
    assert len(changes((2.0, "neutral"), (2.0, "happy"), (2.0, "sad"))) == 2
    many = changes(*[(1.5, "happy" if k % 2 else "sad") for k in range(60)])
    assert len(many) == MOST_MOMENTS
    assert [moment.seconds for moment in many] == sorted(moment.seconds for moment in many)


@pytest.mark.parametrize(
    "parts",
    [
        [(4.0, "happy")],
        [(2.0, "happy"), (0.04, "sad"), (2.0, "happy")],
        [(0.3, "happy"), (0.3, "sad")],
    ],
    ids=["none", "one odd frame", "too short to say"],
)
def test_what_is_no_change(parts: list[tuple[float, str]]) -> None:
    assert changes(*parts) == ()


def test_a_face_that_was_away_has_not_changed_meanwhile() -> None:
    moments = Moments()
    for begin, label in ((0.0, "happy"), (30.0, "sad")):
        for k in range(50):
            moments.add(frame(begin + k / 25, face(label)))
    assert moments.moments() == ()


def report(**changes) -> VideoReport:
    lanes = told([frame(5.0 + 0.1 * k, face("happy"), face("sad", 2)) for k in range(20)])
    made = VideoReport(
        info=VideoInfo(96, 64, 10.0, 250, 25.0, "h264", None, "yuv420p", 0, "mp4"),
        frames=50,
        seconds=2.0,
        faces=40,
        tracks=2,
        label_counts={"happy": 20, "sad": 20},
        elapsed=1.0,
        origin=5.0,
        lanes=lanes,
        moments=(Moment(6.5, 2, "sad", "happy", 0.8), Moment(5.5, 1, "happy", "sad", 0.4)),
    )
    return replace(made, **changes)


def test_the_story_has_the_times_of_the_source_and_knows_where_the_clip_begins() -> None:
    story = story_of(report())
    assert (story.origin, story.seconds) == (5.0, 2.0)
    assert [person.track for person in story.people] == [1, 2]
    assert story.people[0].ranked() == [("happy", 1.0)]
    assert [moment.time for moment in story.moments] == [5.5, 6.5]


def test_the_story_tells_of_those_who_were_there_longest() -> None:
    lanes = tuple(Lane(k, 0.0, float(k), k, None, {"happy": 1.0}, ()) for k in range(1, 40))
    people = story_of(report(lanes=lanes)).people
    assert [person.track for person in people] == list(range(40 - MOST_PEOPLE, 40))


def test_the_report_is_one_file_that_asks_nobody_and_believes_no_name() -> None:
    name = "<script>alert(1)</script> & co.mp4"
    html = clip_report_html(name, story_of(report(warnings=("A <b>",))), report(), ["every <i>"])
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; co.mp4" in html
    assert "every &lt;i&gt;" in html
    assert not re.search(r"(src|href)=['\"](?!data:)", html)
    assert "http" not in html.replace("http-equiv", "")
    assert "2 people over time" in html
    assert html.count("<svg") == 2
    assert "sad</td><td>happy" in html
    assert html.rstrip().endswith("</html>")


def test_a_report_of_a_clip_without_faces() -> None:
    empty = report(lanes=(), moments=(), faces=0, label_counts={})
    html = clip_report_html("clip.mp4", story_of(empty), empty)
    assert "0 faces in all" in html
    assert "over time" not in html


def test_a_lane_is_drawn_over_its_time_and_empty_where_nobody_was() -> None:
    points = [(0.1 * k, mostly("happy")) for k in (*range(10), *range(50, 60))]
    svg = lane_svg(points, 10.0)
    begins = {float(x) for x in re.findall(r'd="M([\d.]+) ', svg)}
    assert begins == {0.0, 0.5 * WIDTH}
    assert svg.count("<path") == 2 * len(CLASSES)
    assert lane_svg([], 10.0).count("<path") == 0
    assert lane_svg([(1.0, mostly("sad"))], 0.0).count("<path") == len(CLASSES)
