"""What happened in a clip, as reports and pages tell it: people over time, moments of change."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fer_core.clip_drawing import Point

if TYPE_CHECKING:
    from fer_core.video import VideoReport

__all__ = ["ClipStory", "Moment", "Person", "story_of"]

MOST_PEOPLE = 12
"""Told of, those first that were seen for longest."""


@dataclass(frozen=True)
class Person:
    """One track.

    Attributes:
        track: its number.
        first, last: when it was seen first and last, seconds in the source clip.
        face: a small picture of it, JPEG; None where there is none.
        shares: label -> share of its faces, 0 to 1; they sum to 1.
        points: probabilities over time, seconds from the beginning of the written clip.
    """

    track: int
    first: float
    last: float
    face: bytes | None = field(repr=False)
    shares: dict[str, float]
    points: tuple[Point, ...] = field(repr=False)

    def ranked(self) -> list[tuple[str, float]]:
        """Labels and shares, the commonest first."""
        return sorted(self.shares.items(), key=lambda item: -item[1])


@dataclass(frozen=True)
class Moment:
    """A strong change of one face.

    Attributes:
        time: when, seconds in the source clip.
        track: whose.
        before, after: labels on both sides of it.
        size: how strong, 0 to 1.
    """

    time: float
    track: int
    before: str
    after: str
    size: float


@dataclass(frozen=True)
class ClipStory:
    """All of it.

    Attributes:
        origin: where the written clip begins in the source clip, seconds.
        seconds: length of the written clip.
        people: in the order of their numbers.
        moments: in the order of their times.
    """

    origin: float
    seconds: float
    people: tuple[Person, ...] = ()
    moments: tuple[Moment, ...] = ()


def story_of(report: VideoReport) -> ClipStory:
    """The story that a report holds."""
    longest = sorted(report.lanes, key=lambda lane: lane.first - lane.last)[:MOST_PEOPLE]
    people = tuple(
        Person(
            lane.track,
            lane.first,
            lane.last,
            lane.thumbnail,
            dict(lane.label_shares),
            tuple((time, tuple(values)) for time, values in lane.points),
        )
        for lane in sorted(longest, key=lambda lane: lane.track)
    )
    moments = tuple(
        Moment(each.seconds, each.track, each.before, each.after, each.size)
        for each in sorted(report.moments, key=lambda each: each.seconds)
    )
    return ClipStory(report.origin, report.seconds, people, moments)
