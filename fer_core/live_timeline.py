"""The last minutes of a live stream, class by class and face by face, in bounded memory."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from fer_core.emotions import CLASSES
from fer_core.errors import OptionError
from fer_core.live_metrics import LABELS
from fer_core.results import Face

__all__ = ["SPANS", "Lane", "LiveTimeline", "Marker", "TimelineView"]

SPANS: tuple[int, ...] = (60, 180, 600)
"""Seconds that can be looked at."""

BUCKET_SECONDS = 0.5
MOST_TRACKS = 16
"""Faces told apart in one bucket; the mean counts all of them."""
MOST_MARKERS = 500
LONGEST_NOTE = 200


@dataclass(frozen=True)
class Marker:
    """A moment that a viewer marked.

    Attributes:
        seconds: when, on the clock of the stream.
        note: what was written to it, at most 200 characters on one line; may be empty.
    """

    seconds: float
    note: str = ""


@dataclass(frozen=True)
class Lane:
    """One face.

    Attributes:
        track: its number.
        labels: the most frequent label of each point, None where it was not seen.
    """

    track: int
    labels: tuple[str | None, ...]


@dataclass(frozen=True)
class TimelineView:
    """What there is to draw; the newest point last.

    Attributes:
        seconds: the span that it covers.
        step: seconds between two points.
        end: time of the right edge, on the clock of the stream.
        means: for each point the mean probabilities (seven, order of `CLASSES`), None where no
            face was seen.
        lanes: the faces of the span that were seen most, by track number.
        markers: those that lie in the span.
    """

    seconds: float
    step: float
    end: float
    means: tuple[tuple[float, ...] | None, ...] = ()
    lanes: tuple[Lane, ...] = ()
    markers: tuple[Marker, ...] = ()


@dataclass
class _Bucket:
    index: int
    faces: int = 0
    sums: list[float] = field(default_factory=lambda: [0.0] * len(CLASSES))
    tracks: dict[int, _Track] = field(default_factory=dict)


@dataclass
class _Track:
    frames: int = 0
    sums: list[float] = field(default_factory=lambda: [0.0] * len(CLASSES))
    votes: list[int] = field(default_factory=lambda: [0] * len(LABELS))


class LiveTimeline:
    """Takes in frames and hands out points to draw. Not thread-safe: the owner holds a lock.

    Every method takes the time in seconds of one clock that never goes back.
    """

    def __init__(self) -> None:
        most = math.ceil(SPANS[-1] / BUCKET_SECONDS) + 1
        self._buckets: deque[_Bucket] = deque(maxlen=most)
        self._markers: deque[Marker] = deque(maxlen=MOST_MARKERS)

    def add(self, now: float, faces: Iterable[Face]) -> None:
        """Take in the faces of one frame."""
        index = math.floor(now / BUCKET_SECONDS)
        if not self._buckets or self._buckets[-1].index != index:
            self._buckets.append(_Bucket(index))
        bucket = self._buckets[-1]
        for face in faces:
            bucket.faces += 1
            _add(bucket.sums, face.probabilities)
            if face.track_id is None:
                continue
            track = bucket.tracks.get(face.track_id)
            if track is None:
                if len(bucket.tracks) >= MOST_TRACKS:
                    continue
                track = bucket.tracks[face.track_id] = _Track()
            track.frames += 1
            _add(track.sums, face.probabilities)
            track.votes[LABELS.index(face.label)] += 1

    def mark(self, now: float, note: str = "") -> Marker:
        """Mark this moment; control characters and what is too long are left out of the note."""
        words = " ".join("".join(c if c.isprintable() else " " for c in note).split())
        marker = Marker(now, words[:LONGEST_NOTE])
        self._markers.append(marker)
        return marker

    def clear(self) -> None:
        """Begin anew, without markers."""
        self._buckets.clear()
        self._markers.clear()

    def view(
        self,
        now: float,
        seconds: float = SPANS[0],
        points: int = 120,
        track: int | None = None,
        lanes: int = 4,
    ) -> TimelineView:
        """The last `seconds` until `now`.

        Args:
            now: seconds.
            seconds: how far to look back, above 0.
            points: at most so many, at least 1; several buckets are taken together for that.
            track: the face whose probabilities are wanted; None for the mean of all faces.
            lanes: at most so many faces get a lane.

        Raises:
            OptionError: `seconds` or `points` is out of range.
        """
        if not seconds > 0 or points < 1:
            raise OptionError(
                f"A timeline needs seconds above 0 and at least one point. Received: {seconds!r}, "
                f"{points!r}."
            )
        width = max(1, math.ceil(seconds / BUCKET_SECONDS / points))
        step = width * BUCKET_SECONDS
        count = max(1, math.ceil(seconds / step))
        # Whole steps of the clock, so that a point does not change once it is over.
        last = math.floor(now / step)
        first = last - count + 1
        grouped: dict[int, list[_Bucket]] = {}
        for bucket in self._buckets:
            at = bucket.index // width
            if first <= at <= last:
                grouped.setdefault(at - first, []).append(bucket)
        end = (last + 1) * step
        return TimelineView(
            seconds=count * step,
            step=step,
            end=end,
            means=tuple(_mean(grouped.get(at, ()), track) for at in range(count)),
            lanes=_lanes(grouped, count, lanes),
            markers=tuple(m for m in self._markers if end - count * step <= m.seconds < end),
        )


def _add(sums: list[float], values: Sequence[float]) -> None:
    for k, value in enumerate(values):
        sums[k] += value


def _mean(buckets: Iterable[_Bucket], track: int | None) -> tuple[float, ...] | None:
    sums, whole = [0.0] * len(CLASSES), 0
    for bucket in buckets:
        if track is None:
            _add(sums, bucket.sums)
            whole += bucket.faces
        elif track in bucket.tracks:
            _add(sums, bucket.tracks[track].sums)
            whole += bucket.tracks[track].frames
    return tuple(value / whole for value in sums) if whole else None


def _lanes(grouped: dict[int, list[_Bucket]], count: int, most: int) -> tuple[Lane, ...]:
    frames: dict[int, int] = {}
    for buckets in grouped.values():
        for bucket in buckets:
            for number, track in bucket.tracks.items():
                frames[number] = frames.get(number, 0) + track.frames
    chosen = sorted(sorted(frames, key=lambda number: -frames[number])[:most])
    return tuple(
        Lane(number, tuple(_label(grouped.get(at, ()), number) for at in range(count)))
        for number in chosen
    )


def _label(buckets: Iterable[_Bucket], number: int) -> str | None:
    votes = [0] * len(LABELS)
    for bucket in buckets:
        track = bucket.tracks.get(number)
        if track is not None:
            votes = [a + b for a, b in zip(votes, track.votes, strict=True)]
    best = max(range(len(LABELS)), key=votes.__getitem__)
    return LABELS[best] if votes[best] else None
