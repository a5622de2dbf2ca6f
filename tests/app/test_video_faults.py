"""The Video tab with bad clips, odd names and faults of its own."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fer_core.detectors.base import Picture
from fer_core.errors import ModelError
from fer_core.results import FrameResult
from tests.app.session import LIMIT, until
from tests.app.video_page import (
    FORTY,
    Stage,
    TabAnalyzer,
    finished,
    opened,
    press,
    press_in_row,
    rows,
    states,
)
from tests.clips import Clip, make_clip
from ui import video_files, video_job, video_tab
from ui.choices import Choice


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "is empty"), (b"Dear diary, " * 50, "is a text file"), (b"\0" * 999, "not a clip")],
)
def test_a_bad_clip_is_one_sentence(
    content: bytes, words: str, stage: Stage, tmp_path: Path
) -> None:
    file = tmp_path / "bad.mp4"
    file.write_bytes(content)
    tab = opened(file, "My holiday.mp4")
    press(tab, "video_start")
    finished(tab)
    assert len(tab.error) == 1
    assert tab.error[0].value.startswith("My holiday.mp4")
    assert words in tab.error[0].value
    press_in_row(tab, "Remove")
    until(lambda: stage.files() == [])


def test_a_cut_off_clip_warns_and_shows_what_there_is(stage: Stage, tmp_path: Path) -> None:
    file = make_clip(tmp_path / "cut.mp4", Clip(times=FORTY, faststart=True, sound="aac"))
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * 0.7)])
    tab = opened(file)
    press(tab, "video_start")
    finished(tab)
    assert "cut off or damaged" in tab.warning[0].value
    assert tab.get("video")


NASTY = "<img src=x onerror=alert(1)> ![x](http://a/b.png).mp4"


def test_a_name_from_outside_is_never_a_path(stage: Stage, tmp_path: Path) -> None:
    outside = tmp_path / "stolen.mp4"
    tab = opened(make_clip(tmp_path / "clip.mp4"), f"../../{outside.name}")
    press(tab, "video_start")
    finished(tab)
    assert tab.get("video")
    assert not [name for name in stage.files() if "stolen" in name]
    assert not outside.exists()


def test_a_name_with_markup_stays_text(stage: Stage, tmp_path: Path) -> None:
    broken = tmp_path / "clip.mp4"
    broken.write_bytes(b"no clip")
    tab = opened(broken, NASTY.replace("/", ":"))
    press(tab, "video_start")
    finished(tab)
    assert "<img" not in rows(tab)[0]
    assert "&lt;img" in rows(tab)[0]
    assert "\\<img" in tab.error[0].value
    assert "![" not in tab.error[0].value


def test_a_job_that_ends_while_the_page_is_drawn_leaves_nothing_disabled(
    stage: Stage, tmp_path: Path
) -> None:
    broken = tmp_path / "clip.mp4"
    broken.touch()
    tab = opened(broken, "clip.mp4")
    press(tab, "video_start")
    finished(tab)
    assert len(tab.error) == 1
    assert [button.label for button in tab.button if not button.disabled] == ["Retry", "Remove"]


def test_an_unexpected_fault_is_a_sentence_too(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tab = opened(make_clip(tmp_path / "clip.mp4"))

    def breaks(picture: Picture, pts: float) -> FrameResult:
        raise ZeroDivisionError("by zero")

    original = stage.maker

    def maker(choice: Choice) -> Callable[[], TabAnalyzer]:
        make = original(choice)
        stage.analyzers[-1].track = breaks  # type: ignore[method-assign]
        return make

    monkeypatch.setattr(video_tab, "analyzer_of", maker)
    press(tab, "video_start")
    finished(tab)
    assert "ZeroDivisionError: by zero" in tab.error[0].value


def test_a_model_that_cannot_be_opened_is_a_sentence(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(choice: Choice) -> None:
        raise ModelError("The model is altered. Copy it again.")

    monkeypatch.setattr(video_tab, "analyzer_of", refuses)
    tab = opened(make_clip(tmp_path / "clip.mp4"))
    press(tab, "video_start")
    assert tab.error[0].value == "The model is altered. Copy it again."
    assert states(tab) == ["ready"]


def test_no_model_is_a_sentence(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nothing").mkdir()
    monkeypatch.setenv("FER_LIVE_MODELS", str(tmp_path / "nothing"))
    tab = opened(make_clip(tmp_path / "clip.mp4"))
    assert "no model folder" in tab.error[0].value
    assert tab.button(key="video_start").disabled


def test_a_second_viewers_job_waits_for_its_turn(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slots = threading.BoundedSemaphore(1)
    monkeypatch.setattr(video_job, "_SLOTS", slots)
    assert slots.acquire(timeout=LIMIT), "what another viewer's clip holds"
    tab = opened(make_clip(tmp_path / "clip.mp4", Clip(times=FORTY)))
    press(tab, "video_start")

    def waits() -> bool:
        tab.run()
        return states(tab) == ["waiting"]

    until(waits)
    assert "another viewer" in rows(tab)[0]
    assert not stage.analyzers[0].times
    slots.release()
    finished(tab)
    assert states(tab) == ["done"]


def test_folders_of_dead_processes_are_swept(tmp_path: Path) -> None:
    dead = tmp_path / f"{video_files.PREFIX}999999999-abc"
    alive = tmp_path / f"{video_files.PREFIX}{os.getpid()}-abc"
    other = tmp_path / "fer-live-other"
    odd = tmp_path / f"{video_files.PREFIX}x-abc"
    for folder in (dead, alive, other, odd):
        folder.mkdir()
        (folder / "clip").write_text("x")
    video_files.sweep(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([alive.name, other.name, odd.name])
    video_files.sweep(tmp_path, now=time.time() + video_files.KEPT_SECONDS + 60)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([other.name, odd.name])
