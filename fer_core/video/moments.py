"""Where a face's expression changes most, found while the frames come by."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field

from fer_core.emotions import CLASSES
from fer_core.results import FrameResult
from fer_core.video.contracts import Moment

__all__ = ["MOST_MOMENTS", "Moments"]

MOST_MOMENTS = 10
STEP = 0.25
"""Seconds whose faces are taken together, so that one odd frame is no change."""
SIDE_STEPS = 2
"""Steps that are compared on each side of a change."""
LONGEST_GAP = 2.0
"""Seconds without the face after which before and after have nothing to do with each other."""
APART = 1.0
"""Seconds within which a track has one moment: the strongest."""
WEAKEST = 0.15
"""Changes under this size are none."""
MOST_CANDIDATES = 200


@dataclass
class _Step:
    begin: float
    faces: int = 0
    sums: list[float] = field(default_factory=lambda: [0.0] * len(CLASSES))
    labels: Counter[str] = field(default_factory=Counter)


class Moments:
    """The strongest changes of all tracks. For one thread."""

    def __init__(self) -> None:
        self._steps: dict[int, deque[_Step]] = {}
        self._found: list[Moment] = []
        self._swept = 0.0

    def add(self, result: FrameResult) -> None:
        """Take in an analysed frame of a clip."""
        now = result.pts
        if now is None:
            return
        for face in result.faces:
            if face.track_id is None:
                continue
            steps = self._steps.setdefault(face.track_id, deque(maxlen=2 * SIDE_STEPS + 1))
            if steps and now - steps[-1].begin > LONGEST_GAP + STEP:
                self._judge_end(face.track_id, steps)
                steps.clear()
            if not steps or now - steps[-1].begin >= STEP:
                if len(steps) >= 2 * SIDE_STEPS:
                    self._judge(face.track_id, list(steps)[-2 * SIDE_STEPS :])
                steps.append(_Step(now))
            step = steps[-1]
            step.faces += 1
            step.labels[face.label] += 1
            for k, value in enumerate(face.probabilities):
                step.sums[k] += value
        if now - self._swept > 10 * LONGEST_GAP:
            self._forget_gone(now)

    def moments(self) -> tuple[Moment, ...]:
        """At most `MOST_MOMENTS`, the strongest of all, by time."""
        for track, steps in self._steps.items():
            self._judge_end(track, steps)
        strongest = sorted(self._found, key=lambda moment: -moment.size)[:MOST_MOMENTS]
        return tuple(sorted(strongest, key=lambda moment: (moment.seconds, moment.track)))

    def _judge_end(self, track: int, steps: deque[_Step]) -> None:
        if len(steps) >= 2 * SIDE_STEPS:
            self._judge(track, list(steps)[-2 * SIDE_STEPS :])

    def _judge(self, track: int, steps: list[_Step]) -> None:
        before, after = steps[:SIDE_STEPS], steps[SIDE_STEPS:]
        labels = _label(before), _label(after)
        if labels[0] == labels[1]:
            return
        pairs = zip(_mean(before), _mean(after), strict=True)
        size = sum(abs(b - a) for a, b in pairs) / 2
        if size < WEAKEST:
            return
        moment = Moment(after[0].begin, track, *labels, size)
        near = [
            other
            for other in self._found
            if other.track == track and abs(other.seconds - moment.seconds) < APART
        ]
        if any(other.size >= size for other in near):
            return
        self._found = [other for other in self._found if other not in near] + [moment]
        if len(self._found) > MOST_CANDIDATES:
            self._found.sort(key=lambda other: -other.size)
            del self._found[MOST_CANDIDATES // 2 :]

    def _forget_gone(self, now: float) -> None:
        self._swept = now
        gone = [
            track
            for track, steps in self._steps.items()
            if not steps or now - steps[-1].begin > LONGEST_GAP + STEP
        ]
        for track in gone:
            self._judge_end(track, self._steps.pop(track))


def _mean(steps: list[_Step]) -> list[float]:
    faces = sum(step.faces for step in steps)
    return [sum(values) / faces for values in zip(*(step.sums for step in steps), strict=True)]


def _label(steps: list[_Step]) -> str:
    votes: Counter[str] = Counter()
    for step in steps:
        votes.update(step.labels)
    return votes.most_common(1)[0][0]
