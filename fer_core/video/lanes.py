"""Each track of a clip over time, gathered frame by frame in bounded memory."""

from __future__ import annotations

import io
import math
from collections import Counter

import cv2
import numpy as np

from fer_core.detectors.base import Picture
from fer_core.results import Box, Face, FrameResult
from fer_core.video.contracts import Lane

__all__ = ["MOST_LANES", "MOST_POINTS", "Lanes"]

MOST_POINTS = 600
"""Points of a lane over the whole clip."""
MOST_LANES = 100
"""Tracks that are told of; of more those that were seen most."""
FIRST_STEP = 0.05
"""Seconds between two points of a short clip; doubled whenever there would be too many of them."""
THUMBNAIL_SIDE = 96
MARGIN = 0.2
"""What is shown round a face's box, as a share of its side."""
BETTER_BY = 0.05
"""A thumbnail takes another's place only when its face is surer by this much."""
SMALLEST = 12
"""Faces of fewer pixels a side give no thumbnail."""


class Lanes:
    """All tracks. For one thread."""

    def __init__(self) -> None:
        self._lanes: dict[int, _Lane] = {}
        self._step = FIRST_STEP

    def add(self, picture: Picture, result: FrameResult, time: float) -> None:
        """Take in an analysed frame.

        Args:
            picture: its pixels, without anything drawn on them; not kept.
            result: its faces.
            time: seconds from the beginning of the written clip, 0 or more.
        """
        while time / self._step >= MOST_POINTS:
            self._step *= 2
            for old in self._lanes.values():
                old.halve()
        point = int(time / self._step)
        seconds = time if result.pts is None else result.pts
        for face in result.faces:
            if face.track_id is None:
                continue
            lane = self._lanes.get(face.track_id)
            if lane is None:
                if len(self._lanes) >= 2 * MOST_LANES:
                    self._drop()
                lane = self._lanes[face.track_id] = _Lane(seconds)
            lane.see(picture, face, point, seconds)

    def lanes(self) -> tuple[Lane, ...]:
        """What was gathered, by track number."""
        self._drop()
        return tuple(lane.told(number, self._step) for number, lane in sorted(self._lanes.items()))

    def _drop(self) -> None:
        """Keep those that were seen most, and the newest of those that were seen as often."""
        ranked = sorted(self._lanes, key=lambda number: (-self._lanes[number].faces, -number))
        for number in ranked[MOST_LANES:]:
            del self._lanes[number]


class _Lane:
    def __init__(self, seconds: float) -> None:
        self.faces = 0
        self._first = self._last = seconds
        self._labels: Counter[str] = Counter()
        # Index of a point -> number of faces and the sums of their probabilities.
        self._points: dict[int, list[float]] = {}
        self._best = -math.inf
        self._thumbnail: Picture | None = None

    def see(self, picture: Picture, face: Face, point: int, seconds: float) -> None:
        self.faces += 1
        self._last = seconds
        self._labels[face.label] += 1
        sums = self._points.get(point)
        if sums is None:
            self._points[point] = [1.0, *face.probabilities]
        else:
            sums[0] += 1
            for k, value in enumerate(face.probabilities, 1):
                sums[k] += value
        worth = _worth(face)
        if worth > self._best + BETTER_BY:
            thumbnail = cut_face(picture, face.box)
            if thumbnail is not None:
                self._best, self._thumbnail = worth, thumbnail

    def halve(self) -> None:
        """Take two points together, each."""
        old, self._points = self._points, {}
        for point, sums in old.items():
            other = self._points.get(point // 2)
            self._points[point // 2] = (
                sums if other is None else [a + b for a, b in zip(other, sums, strict=True)]
            )

    def told(self, number: int, step: float) -> Lane:
        points = tuple(
            ((point + 0.5) * step, tuple(value / sums[0] for value in sums[1:]))
            for point, sums in sorted(self._points.items())
        )
        thumbnail = None if self._thumbnail is None else _jpeg(self._thumbnail)
        shares = {label: count / self.faces for label, count in self._labels.most_common()}
        return Lane(number, self._first, self._last, self.faces, thumbnail, shares, points)


def cut_face(picture: Picture, box: Box, side: int = THUMBNAIL_SIDE) -> Picture | None:
    """A square RGB picture of the face in `box`; None where it is too small or outside."""
    height, width = picture.shape[:2]
    if min(box.width, box.height) < SMALLEST:
        return None
    (x, y), half = box.centre, (0.5 + MARGIN) * max(box.width, box.height)
    x0, x1 = max(0, round(x - half)), min(width, round(x + half))
    y0, y1 = max(0, round(y - half)), min(height, round(y + half))
    across, down = x1 - x0, y1 - y0
    if min(across, down) < SMALLEST:
        return None
    # At an edge of the picture the square is cut smaller, about its middle.
    square = min(across, down)
    x0, y0 = x0 + (across - square) // 2, y0 + (down - square) // 2
    cut = picture[y0 : y0 + square, x0 : x0 + square]
    return np.asarray(cv2.resize(cut, (side, side), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _worth(face: Face) -> float:
    """How fit a face is to stand for its track: sure, and looking this way."""
    worth = face.confidence * face.score
    if face.eyes is None or face.box.width <= 0:
        return worth
    (left_x, left_y), (right_x, right_y) = face.eyes.left, face.eyes.right
    aside = abs((left_x + right_x) / 2 - face.box.centre[0]) / face.box.width
    tilted = abs(right_y - left_y) / max(1.0, math.hypot(right_x - left_x, right_y - left_y))
    return worth * max(0.0, 1 - 2 * aside) * max(0.0, 1 - tilted)


def _jpeg(picture: Picture) -> bytes:
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "JPEG", quality=80)
    return stream.getvalue()
