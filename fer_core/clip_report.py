"""One HTML file about one clip: its people over time, shares, moments of change.

No script, no address of another machine: faces are data URIs, lanes are drawings in the file.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING

from fer_core.clip_drawing import lane_svg
from fer_core.emotions import UNCERTAIN
from fer_core.html_parts import bar, head, legend, several

if TYPE_CHECKING:
    from fer_core.clip_story import ClipStory, Person
    from fer_core.video import VideoReport

__all__ = ["clip_report_html", "face_uri"]

_STYLE = """
.person { display: grid; grid-template-columns: 5rem 1fr; gap: .25rem 1rem; align-items: center;
  margin: 0 0 1.25rem; }
.person img, .person .none { width: 5rem; height: 5rem; object-fit: cover; border-radius: .4rem;
  background: var(--card); grid-row: span 2; }
.person svg { display: block; width: 100%; height: 3.2rem; border-radius: .3rem;
  background: var(--card); }
.axis { display: flex; justify-content: space-between; }
"""


def clip_report_html(
    name: str, story: ClipStory, report: VideoReport, facts: Sequence[str] = ()
) -> str:
    """The report as a text that is a whole file.

    Args:
        name: what the clip is called; may hold anything.
        story: its people and moments.
        report: its totals.
        facts: what it was made with, a phrase each.
    """
    return "".join(_pieces(name, story, report, facts))


def face_uri(jpeg: bytes) -> str:
    """A JPEG as an address that needs no other file."""
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")


def _pieces(
    name: str, story: ClipStory, report: VideoReport, facts: Sequence[str]
) -> Iterator[str]:
    from fer_core.video.probe import clock

    now = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z").strip()
    info = report.info
    size = f"{info.width}x{info.height}, {clock(report.seconds)}, {several(report.frames, 'frame')}"
    yield head(f"Facial expressions in {name}", _STYLE)
    yield (
        f"<h1>Facial expressions in {escape(name)}</h1>\n"
        f"<p class='soft'>{escape(' · '.join([now, size, *facts]))}</p>\n"
    )
    for warning in report.warnings:
        yield f"<p>{escape(warning)}</p>\n"
    yield (
        f"<h2>{several(report.faces, 'face')} in all</h2>\n{bar(report.label_counts)}\n"
        f"{legend(report.label_counts)}\n"
        "<p class='soft'>A label is the look of a face in one frame, as a network reads it; it is "
        "not what somebody feels. Each analysed frame counts its faces anew.</p>\n"
    )
    if story.people:
        yield f"<h2>{several(len(story.people), 'person')} over time</h2>\n"
        for person in story.people:
            yield _person(person, story.seconds)
        yield (
            f"<p class='soft axis'><span>{clock(story.origin)}</span>"
            f"<span>{clock(story.origin + story.seconds)}</span></p>\n"
        )
    if story.moments:
        yield (
            "<h2>Moments of strongest change</h2>\n<div class='wide'><table>\n<tr><th>time</th>"
            "<th>person</th><th>from</th><th>to</th><th class='number'>change</th></tr>\n"
        )
        for moment in story.moments:
            yield (
                f"<tr><td>{clock(moment.time)}</td><td>#{moment.track}</td>"
                f"<td>{escape(moment.before)}</td><td>{escape(moment.after)}</td>"
                f"<td class='number'>{100 * moment.size:.0f} %</td></tr>\n"
            )
        yield "</table></div>\n"
    yield "</html>\n"


def _person(person: Person, seconds: float) -> str:
    from fer_core.video.probe import clock

    face = (
        "<div class='none'></div>"
        if person.face is None
        else f"<img src='{face_uri(person.face)}' alt='face of person {person.track}'>"
    )
    shares = ", ".join(
        f"{label} {100 * share:.0f} %" for label, share in person.ranked() if share >= 0.005
    )
    seen = f"#{person.track}, seen {clock(person.first)} to {clock(person.last)}"
    return (
        f"<div class='person'>{face}{lane_svg(person.points, seconds)}"
        f"<div class='soft'>{escape(seen)}: {escape(shares or UNCERTAIN)}</div></div>\n"
    )
