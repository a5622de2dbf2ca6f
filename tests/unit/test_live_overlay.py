"""What a stream shows: drawn on the very frame it was found in, and read from either side."""

from __future__ import annotations

import threading
import time
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from fer_core.detectors.base import Picture
from fer_core.live import LiveSession
from fer_core.live_settings import LiveSettings
from fer_core.overlay import OverlayOptions, draw
from fer_core.overlay.privacy import blur_faces
from fer_core.recording import LiveRecorder, RecordingOptions
from fer_core.results import Box, Face, FrameResult
from tests.clips import read_pictures
from tests.unit.live_bench import FakeAnalyzer

WIDTH, HEIGHT, SIDE = 160, 120, 20
SHARES = (0.01, 0.01, 0.01, 0.94, 0.01, 0.01, 0.01)
PLAIN = {"min_confidence": 0.0, "smoothing": 0.0, "hints": False}
FACE = Box(178, 80, 273, 175)
"""The astronaut's."""


def happy(box: Box) -> Face:
    return Face(box, 0.9, SHARES, "happy")


def as_frame(picture: Picture, number: int = 0) -> av.VideoFrame:
    made = av.VideoFrame.from_ndarray(picture, format="rgb24")
    made.pts, made.time_base = number, Fraction(1, 15)
    return made


def pixels(frame: av.VideoFrame) -> Picture:
    return frame.to_ndarray(format="rgb24")


def scene(number: int) -> Picture:
    """A marker that is somewhere else in every frame."""
    made = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    left, top = 61 * number % (WIDTH - SIDE), 47 * number % (HEIGHT - SIDE)
    made[top : top + SIDE, left : left + SIDE] = (255, 0, 0)
    return made


def seen(picture: Picture) -> FrameResult:
    """The marker as a face, found in the picture's own pixels."""
    rows, columns = np.nonzero((picture == (255, 0, 0)).all(axis=2))
    box = Box(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    return FrameResult(WIDTH, HEIGHT, (happy(box),))


class Spotter(FakeAnalyzer):
    """Finds the marker, and takes a moment for it."""

    def track(self, picture: Picture, pts: float) -> FrameResult:
        super().track(picture, pts)
        if not picture.any():  # the warm-up
            return FrameResult(WIDTH, HEIGHT, ())
        result = seen(picture)
        time.sleep(0.001)
        return result


def shown_rightly(out: Picture, number: int, mirrored: bool) -> bool:
    """Whether it is that frame, with the overlay of what was found in that frame."""
    picture = np.ascontiguousarray(scene(number)[:, ::-1] if mirrored else scene(number))
    return bool((out == draw(picture, seen(picture), OverlayOptions(hints=False))).all())


def test_the_overlay_belongs_to_the_frame_it_is_drawn_on_whatever_changes_meanwhile() -> None:
    session = LiveSession(LiveSettings(), Spotter)
    session.apply(LiveSettings(**PLAIN))
    over = threading.Event()
    wrong: list[int] = []

    def change(detectors: tuple[str, str]) -> None:
        turn = 0
        while not over.is_set():
            turn += 1
            detector = detectors[turn % 2]
            session.apply(LiveSettings(detector=detector, mirror=bool(turn % 3), **PLAIN))

    def film(first: int) -> None:
        for number in range(first, first + 80):
            out = pixels(session.callback(as_frame(scene(number), number)))
            if not any(shown_rightly(out, number, mirrored) for mirrored in (True, False)):
                wrong.append(number)

    changers = [
        threading.Thread(target=change, args=(names,))
        for names in (("blazeface", "haar"), ("haar", "mediapipe"))
    ]
    cameras = [threading.Thread(target=film, args=(1000 * at,)) for at in range(3)]
    for thread in (*changers, *cameras):
        thread.start()
    for camera in cameras:
        camera.join(60)
    over.set()
    for changer in changers:
        changer.join(60)
    shot = session.snapshot()
    session.close()
    assert wrong == []
    assert (shot.frames, shot.errors, shot.error) == (240, 0, None)


class Fixed(FakeAnalyzer):
    """Finds faces at the same places in every picture."""

    def __init__(self, settings: LiveSettings, *boxes: Box) -> None:
        super().__init__(settings)
        self.faces = tuple(happy(box) for box in boxes)


def one_frame(picture: Picture, *boxes: Box, **settings: object) -> Picture:
    """What a stream shows of it."""
    session = LiveSession(LiveSettings(), lambda wanted: Fixed(wanted, *boxes))
    session.apply(LiveSettings(**{**PLAIN, **settings}))
    shown = pixels(session.callback(as_frame(picture)))
    assert session.snapshot().errors == 0
    session.close()
    return shown


def test_a_mirror_turns_the_picture_and_no_word_in_it(astronaut: Picture) -> None:
    turned = np.ascontiguousarray(astronaut[:, ::-1])
    everything = {"bars": True, "numbers": True, "eyes": True, "hints": True}
    plain = one_frame(astronaut, FACE, mirror=False, **everything)
    mirrored = one_frame(turned, FACE, mirror=True, **everything)
    assert (plain != astronaut).any(axis=2).mean() > 0.02, "there is an overlay"
    assert (mirrored == plain).all()


def opaque(size: int, *boxes: Box) -> np.ndarray:
    """Where the overlay hides what lies under it: letters, icon, outline."""
    result = FrameResult(size, size, tuple(happy(box) for box in boxes))
    black, white = (draw(np.full((size, size, 3), grey, np.uint8), result) for grey in (0, 255))
    return (black == white).all(axis=2)


def detail(picture: Picture) -> float:
    """How much fine structure there is in the middle of the face, where nothing is drawn."""
    box = FACE
    window = picture[int(box.y0) + 8 : int(box.y1) - 8, int(box.x0) + 8 : int(box.x1) - 8]
    return float(cv2.Laplacian(cv2.cvtColor(window, cv2.COLOR_RGB2GRAY), cv2.CV_32F).var())


def test_the_label_is_as_readable_over_a_blurred_face(astronaut: Picture) -> None:
    # The second face covers the place of the first one's plate, so that it lies on blurred pixels.
    boxes = (FACE, Box(150, 20, 300, 70))
    clear = one_frame(astronaut, *boxes, mirror=False)
    private = one_frame(astronaut, *boxes, mirror=False, privacy=True)
    assert detail(private) < detail(clear) / 50
    letters = opaque(512, *boxes)
    assert letters.sum() > 500
    assert (private[letters] == clear[letters]).all()


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_privacy_changes_no_pixel_of_plates_on_an_even_ground(grey: int) -> None:
    ground = np.full((480, 640, 3), grey, np.uint8)
    boxes = (Box(200, 150, 400, 350), Box(480, 20, 560, 110))
    clear = one_frame(ground, *boxes, bars=True)
    private = one_frame(ground, *boxes, bars=True, privacy=True)
    assert (clear != ground).any()
    assert (private == clear).all()


def test_a_recording_under_privacy_is_blurred_and_annotated(
    astronaut: Picture, tmp_path: Path
) -> None:
    session = LiveSession(LiveSettings(), lambda wanted: Fixed(wanted, FACE))
    session.apply(LiveSettings(mirror=False, privacy=True, **PLAIN))
    recorder = LiveRecorder(tmp_path / "recording", RecordingOptions(min_free_bytes=0))
    session.record(recorder)
    for number in range(8):
        session.callback(as_frame(astronaut, number))
    session.record(None)
    status = recorder.stop()
    session.close()
    assert (status.frames, status.lost, status.sentence) == (8, 0, None)
    blurred = astronaut.copy()
    blur_faces(blurred, [FACE])
    annotated = draw(blurred, FrameResult(512, 512, (happy(FACE),)), OverlayOptions(hints=False))
    marks = (annotated != blurred).any(axis=2)
    stored = read_pictures(tmp_path / "recording" / "clip.mp4")
    assert stored
    for picture in stored:
        assert detail(picture) < detail(astronaut) / 20
        near, far = (
            np.abs(picture.astype(int) - wanted)[marks].mean() for wanted in (annotated, blurred)
        )
        assert near < far / 3, "label and outline are in the clip"
