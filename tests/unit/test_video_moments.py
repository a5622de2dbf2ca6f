"""Moments of change, from the frames of a clip to the buttons that take the player there."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from fer_core.clip_story import ClipStory, Moment, story_of
from fer_core.detectors.base import Picture
from fer_core.emotions import CLASSES
from fer_core.results import FrameResult
from fer_core.video import VideoOptions, VideoReport, annotate_video
from fer_core.video.moments import STEP
from tests.clips import Clip, FakeAnalyzer, make_clip
from ui.video_timeline import moments_html

CHANGES = ((0.0, "neutral"), (2.0, "happy"), (4.0, "sad"))
"""From when on the face of the made clip shows what, seconds."""
SIX_SECONDS = Clip(size=(64, 48), times=tuple(i / 15 for i in range(90)))
SHARE = 0.94
SIZE = SHARE - (1 - SHARE) / (len(CLASSES) - 1)
"""How far the probabilities move when one such label gives way to another."""


class Moody(FakeAnalyzer):
    """Its one face changes its expression at fixed times of the clip."""

    def track(self, picture: Picture, pts: float) -> FrameResult:
        result = super().track(picture, pts)
        label = [label for begin, label in CHANGES if pts >= begin - 1e-6][-1]
        rest = (1 - SHARE) / (len(CLASSES) - 1)
        shares = tuple(SHARE if name == label else rest for name in CLASSES)
        return replace(result, faces=(replace(result.faces[0], label=label, probabilities=shares),))


def annotated(folder: Path, options: VideoOptions | None = None) -> VideoReport:
    source = make_clip(folder / "source.mp4", SIX_SECONDS)
    return annotate_video(source, folder / "target.mp4", Moody(), options=options)


class Buttons(HTMLParser):
    """Where each button of the list goes, and what stands on it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[float, str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag == "button":
            given = dict(attributes)
            assert given["type"] == "button"
            self.found.append((float(given["data-seek"] or "nan"), ""))

    def handle_data(self, words: str) -> None:
        if self.found:
            seek, before = self.found[-1]
            self.found[-1] = (seek, before + words)


def test_the_moments_of_a_clip_are_when_its_face_changed(tmp_path: Path) -> None:
    moments = annotated(tmp_path).moments
    assert [(each.track, each.before, each.after) for each in moments] == [
        (1, "neutral", "happy"),
        (1, "happy", "sad"),
    ]
    assert [each.seconds for each in moments] == pytest.approx([2.0, 4.0], abs=STEP)
    # Of the two steps on either side one may hold frames of both expressions.
    assert all(0.7 * SIZE < each.size < SIZE + 1e-6 for each in moments)


@pytest.mark.parametrize(("start", "seeks"), [(None, (2.0, 4.0)), (1.0, (1.0, 3.0)), (3.0, (1.0,))])
def test_a_moment_in_the_list_takes_the_player_to_its_place_in_the_written_clip(
    start: float | None, seeks: tuple[float, ...], tmp_path: Path
) -> None:
    options = VideoOptions() if start is None else VideoOptions(start_seconds=start)
    story = story_of(annotated(tmp_path, options))
    buttons = Buttons(moments_html(story)).found
    assert [seek for seek, _ in buttons] == pytest.approx(seeks, abs=STEP)
    words = ["#1 neutral → happy", "#1 happy → sad"][-len(seeks) :]
    for (seek, said), change in zip(buttons, words, strict=True):
        shown = re.fullmatch(rf"(\d):(\d\d)\.(\d){re.escape(change)}", said)
        assert shown, said
        assert 60 * int(shown[1]) + float(f"{shown[2]}.{shown[3]}") == pytest.approx(seek, abs=0.1)


def test_a_clip_in_which_nothing_changes_has_no_list() -> None:
    assert moments_html(ClipStory(0.0, 6.0)) == ""


def test_the_list_believes_no_label_and_begins_no_earlier_than_the_clip() -> None:
    moment = Moment(4.9, 3, "<b>", "'x'", 0.5)
    html = moments_html(ClipStory(5.0, 6.0, moments=(moment,)))
    assert Buttons(html).found == [(0.0, "0:00.0#3 <b> → 'x'")]
    assert "<b>" not in html
