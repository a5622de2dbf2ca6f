from __future__ import annotations

import re

from fer_core.live_metrics import LABELS, LiveSnapshot
from ui.live_panel import panel_html

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
