"""Privacy mode: no frame leaves with a face that can be recognised, whatever fails."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from fer_core.live_frames import unrecognisable
from fer_core.live_privacy import HELD_SECONDS, PrivacyGuard
from fer_core.overlay import OverlayOptions, draw
from fer_core.overlay.privacy import blur_all, blur_faces
from fer_core.results import Box, Face, FrameResult
from tests.unit.live_bench import Bench, frame

FACE = Box(178, 80, 273, 175)


def detail(picture: np.ndarray, box: Box = FACE) -> float:
    """How much fine structure there is in a box."""
    window = picture[int(box.y0) : int(box.y1), int(box.x0) : int(box.x1)]
    return float(cv2.Laplacian(cv2.cvtColor(window, cv2.COLOR_RGB2GRAY), cv2.CV_32F).var())


def result(*boxes: Box) -> FrameResult:
    faces = tuple(Face(box, 0.9, (1 / 7,) * 7, "neutral", n + 1) for n, box in enumerate(boxes))
    return FrameResult(512, 512, faces)


def test_a_blurred_face_keeps_six_dots_across_and_the_rest_stays(astronaut):
    picture = astronaut.copy()
    blur_faces(picture, [FACE])
    assert detail(picture) < detail(astronaut) / 100
    assert (picture[400:] == astronaut[400:]).all()
    assert (picture[:, 400:] == astronaut[:, 400:]).all()


@pytest.mark.parametrize(
    "box",
    [
        Box(-40, -40, 20, 20),
        Box(500, 500, 600, 600),
        Box(0, 0, 512, 512),
        Box(100, 100, 101, 101),
        Box(float("nan"), 0, 5, 5),
        Box(900, 900, 950, 950),
    ],
)
def test_any_box_is_blurred_without_complaint(astronaut, box):
    blur_faces(astronaut, [box])
    assert astronaut.shape == (512, 512, 3)


def test_the_overlay_blurs_and_keeps_label_and_box(astronaut):
    plain = draw(astronaut, result(FACE), OverlayOptions(privacy=True, boxes=False, labels=False))
    assert detail(plain) < detail(astronaut) / 100
    labelled = draw(astronaut, result(FACE), OverlayOptions(privacy=True))
    assert (labelled != plain).any(), "label and outline are drawn on the blurred face"


def test_a_face_that_the_detector_misses_stays_blurred_for_a_moment(astronaut):
    guard = PrivacyGuard()
    guard.blur(astronaut.copy(), result(FACE), 0.0)
    missed, later = astronaut.copy(), astronaut.copy()
    guard.blur(missed, result(), 0.5)
    assert detail(missed) < detail(astronaut) / 100
    guard.blur(later, result(), 0.1 + HELD_SECONDS)
    assert (later == astronaut).all()


def test_places_do_not_pile_up(astronaut):
    guard = PrivacyGuard()
    for n in range(500):
        guard.blur(astronaut, result(FACE, Box(n, 300, n + 60, 360)), n / 1000)
    assert len(guard._places) < 70


@pytest.mark.parametrize("state", ["no analyzer", "failing", "analysed"])
def test_no_frame_passes_unblurred(state, astronaut, caplog):
    bench = Bench(privacy=True, mirror=False)
    if state != "no analyzer":
        analyzer = bench.apply(privacy=True, mirror=False)
        analyzer.faces = result(FACE).faces
        analyzer.fault = ValueError("boom") if state == "failing" else None
    given = frame(0, 512, 512)
    given = type(given).from_ndarray(astronaut, format="rgb24")
    given.pts, given.time_base = 7, frame().time_base
    out = bench.session.callback(given)
    assert out.pts == 7
    assert detail(out.to_ndarray(format="rgb24")) < detail(astronaut) / 50


def test_what_cannot_even_be_blurred_is_black(monkeypatch, astronaut):
    monkeypatch.setattr("fer_core.overlay.privacy.blur_all", lambda picture: 1 / 0)
    out = unrecognisable(frame(3), mirror=False)
    assert out.pts == 3
    assert out.to_ndarray(format="rgb24").max() < 5


def test_a_pause_does_not_bring_back_a_face_from_before_privacy(astronaut):
    bench = Bench(mirror=False)
    bench.apply(mirror=False)
    bench.session.callback(frame(0, 64, 48))
    bench.session.pause()
    bench.apply(mirror=False, privacy=True)
    out = bench.session.callback(frame(1, 64, 48)).to_ndarray(format="rgb24")
    clean = frame(1, 64, 48).to_ndarray(format="rgb24")
    assert (out == blur_all(clean)).all()
