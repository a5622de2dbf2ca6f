"""Answers relative to a person's own neutral face.

Some people look sad or angry to a network when they only rest. Someone who holds a neutral face
for a few seconds shows by how much, and later answers are shifted by that.

Let m[k] be the geometric mean of the probability of class k while the face was held, and q[k] what
a neutral face should read: 0.75 for neutral, 0.25 / 6 for each of the others. Later probabilities
p[k] become

    p'[k] = p[k] * q[k] / max(m[k], q[other])        scaled so that they sum to 1

which is an offset of the log-probabilities, one a class, the same for every frame. The held face
itself then reads neutral at about q. A class that the held face did not show more than q[other]
keeps its weight, so that noise in tiny probabilities is never blown up.

Limits. It moves the point of rest, no more: the network's mistakes between other classes stay.
An expression that lies close to someone's rest takes more to be told (who rests at 60 % sad needs
about 95 % sad). Whoever does not hold a neutral face gets wrong answers afterwards. It belongs to
a track: a face that leaves the picture for longer than a moment comes back without it. It is no
psychological baseline, and no study stands behind the 0.75.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from fer_core.emotions import CLASSES
from fer_core.results import Face

__all__ = ["HOLD_SECONDS", "CalibrationState", "NeutralCalibration", "neutral_offsets"]

HOLD_SECONDS = 3.0
REST_SHARE = 0.75
"""What a held neutral face reads afterwards."""
FEWEST = 8
"""Frames of a face that are needed."""
PATIENCE_SECONDS = 12.0
"""A hold that finds no face for so long is given up."""

_NEUTRAL = CLASSES.index("neutral")
_OTHER = (1.0 - REST_SHARE) / (len(CLASSES) - 1)
_FLOOR = 1e-6

Offsets = tuple[float, ...]


@dataclass(frozen=True)
class CalibrationState:
    """How far it is.

    Attributes:
        progress: share of the hold that is over, 0 to 1; None when nobody is holding.
        tracks: numbers of the faces whose answers are relative to their neutral face.
        failure: a sentence when the last hold gave nothing; else None.
    """

    progress: float | None = None
    tracks: tuple[int, ...] = ()
    failure: str | None = None


def neutral_offsets(held: Sequence[Sequence[float]]) -> Offsets:
    """What is added to the log-probability of each class.

    Args:
        held: probabilities of a held neutral face, (frames, 7), at least one frame.
    """
    offsets = []
    for k in range(len(CLASSES)):
        mean = math.exp(sum(math.log(max(row[k], _FLOOR)) for row in held) / len(held))
        wanted = REST_SHARE if k == _NEUTRAL else _OTHER
        offsets.append(math.log(wanted / max(mean, _OTHER)))
    return tuple(offsets)


class NeutralCalibration:
    """Learns the neutral face of every track in the picture. May be used from any thread."""

    def __init__(self, seconds: float = HOLD_SECONDS) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._offsets: dict[int, Offsets] = {}
        self._held: dict[int, list[tuple[float, ...]]] = {}
        self._poor: set[str] = set()
        self._wanted = False
        self._asked_at: float | None = None
        self._began: float | None = None
        self._progress = 0.0
        self._failure: str | None = None

    def start(self) -> None:
        """From the next frame with a face on, whoever is in the picture holds a neutral face."""
        with self._lock:
            self._wanted = True
            self._asked_at = self._began = None
            self._held, self._poor = {}, set()
            self._progress, self._failure = 0.0, None

    def reset(self, track: int | None = None) -> None:
        """Forget the neutral face of one track; None: of all, and end a hold."""
        with self._lock:
            if track is None:
                self._offsets.clear()
                self._wanted, self._failure = False, None
            else:
                self._offsets.pop(track, None)

    def keep(self, tracks: Collection[int]) -> None:
        """Forget tracks that are not in `tracks`."""
        with self._lock:
            self._offsets = {t: value for t, value in self._offsets.items() if t in tracks}

    def state(self) -> CalibrationState:
        """How far it is."""
        with self._lock:
            return CalibrationState(
                self._progress if self._wanted else None,
                tuple(sorted(self._offsets)),
                self._failure,
            )

    def learn(self, faces: Iterable[Face], pts: float) -> None:
        """Take in a frame while a face is held; otherwise nothing.

        Args:
            faces: with each one's own probabilities of this frame, neither smoothed nor relative.
            pts: the frame's time, seconds.
        """
        if not self._wanted:
            return
        with self._lock:
            if self._asked_at is None:
                self._asked_at = pts
            for face in faces:
                if face.track_id is None:
                    continue
                if face.quality is not None and not face.quality.good:
                    self._poor.update(face.quality.problems)
                    continue
                if self._began is None:
                    self._began = pts
                self._held.setdefault(face.track_id, []).append(face.probabilities)
            if self._began is None:
                if pts - self._asked_at > PATIENCE_SECONDS:
                    self._end(None)
                return
            self._progress = min(1.0, (pts - self._began) / self._seconds)
            if self._progress >= 1.0:
                self._end(self._held)

    def relative(self, track: int, probabilities: Sequence[float]) -> tuple[float, ...]:
        """`probabilities` of a track as they are after its neutral face; as they are without."""
        offsets = self._offsets.get(track)
        if offsets is None:
            return tuple(probabilities)
        shifted = [
            max(p, 0.0) * math.exp(offset) for p, offset in zip(probabilities, offsets, strict=True)
        ]
        whole = sum(shifted)
        return tuple(p / whole for p in shifted) if whole > 0 else tuple(probabilities)

    def _end(self, held: dict[int, list[tuple[float, ...]]] | None) -> None:
        self._wanted = False
        learned = {
            track: neutral_offsets(rows)
            for track, rows in (held or {}).items()
            if len(rows) >= FEWEST
        }
        self._offsets.update(learned)
        if not learned:
            why = f" ({', '.join(sorted(self._poor))})" if self._poor else ""
            self._failure = (
                f"No face was seen well enough for {self._seconds:.0f} seconds{why}. "
                "Look into the camera and try again."
            )
        self._held = {}
