"""Every n-th frame of a clip: the networks work on those, and between them faces move on as they
did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from fer_core.detectors.base import Picture
from fer_core.errors import OptionError
from fer_core.motion import BoxMotion
from fer_core.results import FrameResult

__all__ = ["EveryNth", "check_every"]

Sink = Callable[[int, Picture, FrameResult], None]
"""Called for each analysed frame: its index in the clip from 0, its pixels, what was found. The
pixels are only to be looked at, and only during the call."""


class FrameAnalyzer(Protocol):
    """The part of `fer_core.analyzer.Analyzer` that is used here."""

    def track(self, picture: Picture, pts: float) -> FrameResult:
        """The faces of the next frame."""
        ...

    def reset(self) -> None:
        """Forget all tracks."""
        ...


class EveryNth:
    """Stands in for an analyzer where a clip is read, and asks it for every n-th frame only.

    A frame between gets the last answer with its own time, each box where the motion of its track
    takes it, so that boxes stay with their faces in an annotated clip. Eye points are left out
    there: nobody looked.

    Attributes:
        fresh: whether the last frame was analysed, not held.
    """

    def __init__(self, analyzer: FrameAnalyzer, every: int = 1, sink: Sink | None = None) -> None:
        """Stand in for `analyzer`; `sink` is told of every analysed frame.

        Raises:
            OptionError: `every` is not a whole number of at least 1.
        """
        check_every(every)
        self._analyzer = analyzer
        self._every = every
        self._sink = sink
        self._next = 0
        self._last: FrameResult | None = None
        self._motions: dict[int, BoxMotion] = {}
        self.fresh = False

    def track(self, picture: Picture, pts: float) -> FrameResult:
        """The analyzer's answer for this frame, or its last one."""
        index, self._next = self._next, self._next + 1
        self.fresh = self._last is None or index % self._every == 0
        if self._last is None or self.fresh:
            self._last = self._analyzer.track(picture, pts)
            if self._sink is not None:
                self._sink(index, picture, self._last)
            if self._every > 1:
                self._learn(self._last, pts)
            return self._last
        return self._moved(self._last, pts)

    def reset(self) -> None:
        """Another clip begins."""
        self._analyzer.reset()
        self._next, self._last = 0, None
        self._motions.clear()

    def _learn(self, result: FrameResult, pts: float) -> None:
        """How each track moves, from its analysed frames."""
        known, self._motions = self._motions, {}
        for face in result.faces:
            if face.track_id is None:
                continue
            motion = known.get(face.track_id)
            if motion is None or pts < motion.pts:
                motion = BoxMotion(face.box, pts)
            else:
                motion.see(face.box, pts)
            self._motions[face.track_id] = motion

    def _moved(self, result: FrameResult, pts: float) -> FrameResult:
        faces = tuple(
            face
            if (motion := self._motions.get(face.track_id or 0)) is None
            else replace(face, box=motion.predicted(pts), eyes=None)
            for face in result.faces
        )
        return replace(result, faces=faces, pts=pts)


def check_every(every: int) -> None:
    """Refuse a step that is none.

    Raises:
        OptionError: `every` is not a whole number of at least 1.
    """
    if not isinstance(every, int) or isinstance(every, bool) or every < 1:
        raise OptionError(
            f"every must be a whole number of frames, at least 1. Received: {every!r}."
        )
