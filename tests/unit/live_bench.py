"""Stand-ins for what is round a live session, shared by its tests."""

from __future__ import annotations

import threading
from fractions import Fraction

import av
import numpy as np

from fer_core.emotions import CLASSES
from fer_core.live import LiveSession
from fer_core.live_settings import LiveSettings
from fer_core.results import Box, Face, FrameResult


def face(label: str = "happy", confidence: float = 0.6, number: int | None = None) -> Face:
    rest = (1 - confidence) / 6
    probabilities = [rest] * 7
    probabilities[CLASSES.index(label)] = confidence
    return Face(Box(10, 10, 50, 50), 0.9, tuple(probabilities), label, number)


class FakeAnalyzer:
    """Notes what it is asked; finds one face; fails on request."""

    def __init__(self, settings: LiveSettings = LiveSettings()) -> None:  # noqa: B008
        self.settings = settings
        self.pictures: list[np.ndarray] = []
        self.times: list[float] = []
        self.resets = 0
        self.closed = 0
        self.fault: Exception | None = None
        self.min_confidence = 0.0
        self.faces: tuple[Face, ...] = (face(),)
        self.entered = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()

    def track(self, picture, pts):
        self.entered.set()
        assert self.go_on.wait(5)
        assert not self.closed, "used after close"
        if self.fault:
            raise self.fault
        self.pictures.append(picture)
        self.times.append(pts)
        height, width = picture.shape[:2]
        return FrameResult(width, height, self.faces, pts, {"detect": 2.0, "classify": 1.0})

    def reset(self):
        self.resets += 1

    def close(self):
        self.closed += 1


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Bench:
    """A session with everything round it in view."""

    def __init__(self, **settings) -> None:
        self.made: list[FakeAnalyzer] = []
        self.drawn: list[tuple[FrameResult, LiveSettings]] = []
        self.clock = Clock()
        self.refuse: Exception | None = None
        self.session = LiveSession(LiveSettings(**settings), self.make, self.draw, self.clock)

    def make(self, settings):
        if self.refuse:
            raise self.refuse
        self.made.append(FakeAnalyzer(settings))
        return self.made[-1]

    def draw(self, picture, result, settings):
        self.drawn.append((result, settings))
        return picture

    def apply(self, **settings):
        self.session.apply(LiveSettings(**settings))
        return self.made[-1]


def frame(number: int = 0, width: int = 64, height: int = 48, fps: int = 15) -> av.VideoFrame:
    picture = np.zeros((height, width, 3), np.uint8)
    picture[:, : width // 4] = (255, 0, 0)
    made = av.VideoFrame.from_ndarray(picture, format="rgb24")
    made.pts, made.time_base = number, Fraction(1, fps)
    return made
