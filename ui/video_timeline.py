"""The timeline of a clip as HTML: a slider, a lane for each person, moments that can be pressed."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from fer_core.clip_drawing import lane_svg
from fer_core.clip_report import face_uri
from fer_core.html_parts import colours
from ui.video_settings import clock

if TYPE_CHECKING:
    from fer_core.clip_story import ClipStory, Moment, Person


def timeline_html(story: ClipStory) -> str:
    """What `ui.video_seek` shows; times are those of the written clip, which begins at 0."""
    lanes = "".join(_lane(person, story) for person in story.people)
    return f"{_bar(story)}<div class='lanes'>{lanes}<div class='now'></div></div>{_key(story)}"


def moments_html(story: ClipStory) -> str:
    """The list of moments; empty when there is none."""
    if not story.moments:
        return ""
    items = "".join(_moment(moment, story) for moment in story.moments)
    return f"<h4>Strongest changes</h4><ol class='moments'>{items}</ol>"


def _bar(story: ClipStory) -> str:
    whole = clock(story.seconds, tenths=True)
    return (
        "<div class='bar'><button type='button'>Play</button>"
        "<div class='slider' role='slider' tabindex='0' aria-label='Place in the clip' "
        f"aria-valuemin='0' aria-valuemax='{story.seconds:.1f}' aria-valuenow='0' "
        f"aria-valuetext='0:00.0 of {whole}'><i></i><span>0:00.0 of {whole}</span></div></div>"
    )


def _lane(person: Person, story: ClipStory) -> str:
    said = _in_words(person, story)
    face = "" if person.face is None else f"<img src='{face_uri(person.face)}' alt=''>"
    return (
        f"<div class='lane' data-track='{person.track}' role='img' "
        f"aria-label='{escape(said, quote=True)}'>"
        f"<div class='who'>{face}<span>#{person.track}</span></div>"
        f"<div class='strip' title='{escape(said, quote=True)}'>"
        f"{lane_svg(person.points, story.seconds)}</div></div>"
    )


def _moment(moment: Moment, story: ClipStory) -> str:
    at = max(0.0, moment.time - story.origin)
    return (
        f"<li><button type='button' data-seek='{at:.3f}'>"
        f"<time>{clock(at, tenths=True)}</time>#{moment.track} {escape(moment.before)} "
        f"→ {escape(moment.after)}</button></li>"
    )


def _key(story: ClipStory) -> str:
    if not story.people:
        return ""
    items = "".join(
        f"<li><b style='background:{colour}'></b>{label}</li>" for label, colour, _ in _shown()
    )
    return (
        f"<ul class='key' aria-label='Colours'>{items}</ul>"
        "<p class='hint'>Click anywhere on the timeline, or use the arrow keys on it.</p>"
    )


def _shown() -> Sequence[tuple[str, str, str]]:
    return colours()[:-1]  # the lanes show probabilities, and `uncertain` has none


def _in_words(person: Person, story: ClipStory) -> str:
    best = person.ranked()[0]
    first, last = person.first - story.origin, person.last - story.origin
    return (
        f"Person {person.track}, seen {clock(first)} to {clock(last)}, "
        f"mostly {best[0]} ({100 * best[1]:.0f} %)"
    )
