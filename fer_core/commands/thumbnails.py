"""Small pictures for the report: few frames of each file, with their faces drawn in."""

from __future__ import annotations

import base64
import io
from collections import Counter

import cv2
import numpy as np

from fer_core.detectors.base import Picture
from fer_core.overlay import draw
from fer_core.results import FrameResult

__all__ = ["Thumbnails"]

SIDE = 320
"""Longest side, pixels."""
MOST = 4
BETTER_BY = 0.05
"""A frame takes another's place only when its face is surer by this much."""


class Thumbnails:
    """For each label the frame with its surest face; only the small pictures are held."""

    def __init__(self) -> None:
        self._best: dict[str, tuple[float, str, Picture]] = {}
        self._seen: Counter[str] = Counter()
        self._first: tuple[str, Picture] | None = None

    def look(self, picture: Picture, result: FrameResult) -> None:
        """Consider a frame; `picture` is not changed or kept."""
        when = "" if result.pts is None else f"{result.pts:.1f} s"
        if self._first is None and not result.faces:
            self._first = (when, _small(picture, result))
        small = None
        for face in result.faces:
            self._seen[face.label] += 1
            best = self._best.get(face.label)
            if best is None or face.confidence > best[0] + BETTER_BY:
                if small is None:
                    small = _small(picture, result)
                caption = f"{face.label} {when}".strip()
                self._best[face.label] = (face.confidence, caption, small)

    def chosen(self) -> tuple[tuple[str, str], ...]:
        """At most `MOST` pairs of a caption and a JPEG in base64, the commonest label first."""
        labels = [label for label, _ in self._seen.most_common(MOST)]
        pairs = [self._best[label][1:] for label in labels]
        if not pairs and self._first is not None:
            pairs = [self._first]
        unique = {id(small): (caption, small) for caption, small in pairs}
        return tuple((caption, _jpeg(small)) for caption, small in unique.values())


def _small(picture: Picture, result: FrameResult) -> Picture:
    height, width = picture.shape[:2]
    scale = min(1.0, SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return draw(np.ascontiguousarray(small, dtype=np.uint8), result, in_place=True)


def _jpeg(picture: Picture) -> str:
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "JPEG", quality=80)
    return base64.b64encode(stream.getvalue()).decode("ascii")
