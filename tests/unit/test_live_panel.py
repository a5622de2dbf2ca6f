from __future__ import annotations

import base64
import re
from dataclasses import replace
from xml.etree import ElementTree

from fer_core.calibration import CalibrationState
from fer_core.emotions import EMOTIONS
from fer_core.live_metrics import LABELS, LiveSnapshot
from fer_core.live_timeline import LiveTimeline
from fer_core.recording import RecordingStatus
from tests.unit.live_bench import face
from ui.live_panel import panel_html
from ui.live_timeline import POINTS, timeline_html

SNAPSHOT = LiveSnapshot(
    faces=2,
    frames_per_second=14.94,
    stages={"read": 1.0, "detect": 4.04, "draw": 0.5},
    total_ms=7.26,
    shares={
        label: (0.75 if label == "happy" else 0.25 if label == "sad" else 0) for label in LABELS
    },
    frames=120,
)


def text(html: str) -> str:
    without_style = re.sub(r"<style>.*?</style>", "", html, flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", without_style).split())


def test_the_panel_says_faces_rate_stages_and_shares():
    words = text(panel_html(SNAPSHOT, playing=True))
    assert "2 faces" in words
    assert "14.9 frames a second" in words
    assert "7.3 ms a frame" in words
    assert "find faces 4.0" in words
    assert "crop –" in words
    assert "happy 75 %" in words
    assert "sad 25 %" in words
    assert "fear 0 %" in words


def test_every_label_has_its_row_also_when_no_face_was_seen():
    html = panel_html(LiveSnapshot(), playing=True)
    assert re.findall(r'data-label="(\w+)"', html) == list(LABELS)
    assert "0 faces" in text(html)


def test_one_face_is_not_called_faces():
    assert "1 face " in text(panel_html(LiveSnapshot(faces=1), playing=True))


def test_at_rest_the_panel_claims_nothing_current():
    words = text(panel_html(SNAPSHOT, playing=False))
    assert "– faces" in words
    assert "14.9" not in words


def test_it_stays_small_enough_for_twice_a_second():
    assert len(panel_html(SNAPSHOT, playing=True).encode()) < 6000


def test_lines_say_what_goes_on_and_are_silent_otherwise():
    assert "fer-line" not in panel_html(SNAPSHOT, playing=True)
    shot = replace(SNAPSHOT, faces=1, problems=((3, ("too dark", "blurred")),))
    html = panel_html(
        shot,
        True,
        RecordingStatus(True, 65.4, 900, 3, 0, 12_340_000),
        CalibrationState(0.5),
        allowed=4.2,
    )
    words = text(html)
    assert "The face is too dark, blurred." in words
    assert "Recording 1:05 · 12.3 MB · 3 pictures left out, 0 frames lost" in words
    assert "Hold a neutral face … 50 %" in words
    assert "busy with viewers who came first: up to 4 frames a second" in words
    assert "fer-line" not in panel_html(shot, False, RecordingStatus(True), CalibrationState(0.5))


def test_several_faces_are_told_apart_in_hints():
    problems = tuple((track, ("too small",)) for track in range(1, 20))
    words = text(panel_html(replace(SNAPSHOT, faces=19, problems=problems), True))
    assert "Face #1 is too small." in words
    assert words.count("too small") <= 4
    relative = CalibrationState(tracks=(2,))
    assert "neutral face of #2" in text(panel_html(SNAPSHOT, True, None, relative))


def drawing(view) -> str:
    html = timeline_html(view)
    return base64.b64decode(re.search(r"base64,([^\"]+)\"", html).group(1)).decode()


def test_the_timeline_draws_areas_lanes_and_markers_in_a_few_kilobytes():
    timeline = LiveTimeline()
    for n in range(900):
        if not 300 < n < 450:
            timeline.add(n / 15, [face("happy", 0.6, 1), face("sad", 0.6, 2)])
    timeline.mark(10.0, "<b>joke</b>")
    view = timeline.view(60.0, 60, POINTS)
    html = timeline_html(view)
    assert len(html) < 15_000
    svg = drawing(view)
    ElementTree.fromstring(svg)
    assert svg.count("<path fill=") == 14, "seven classes, before and after the gap"
    assert "#1" in svg
    assert "#2" in svg
    assert "&lt;b&gt;joke" in svg
    assert "<b>" not in svg
    assert re.search(r'alt="Timeline of the last 60 seconds: mostly (happy|sad), 33', html)


def test_an_empty_timeline_says_so():
    assert "no face" in timeline_html(LiveTimeline().view(60.0, 60))


def test_the_stack_of_areas_fills_the_height():
    timeline = LiveTimeline()
    timeline.add(59.9, [face("happy", 1.0, 1)])
    svg = drawing(timeline.view(60.0, 60, 10))
    happy = next(e for e in EMOTIONS if e.name == "happy").hex_colour
    path = re.search(rf'fill="{happy}" d="M(\d+) 96V(\d+)H(\d+)', svg)
    assert int(path[2]) == 0, "certain of one class: all of the height"
