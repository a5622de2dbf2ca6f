"""The Video tab: from the upload to the clip that plays in the page, and every way to stop."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.runtime.caching.cache_resource_api import clear_session_cache
from streamlit.testing.v1 import AppTest

from fer_core.closing import Closing
from fer_core.detectors.base import Picture
from fer_core.errors import ModelError
from fer_core.results import FrameResult
from fer_core.video import VideoOptions
from tests.clips import Clip, FakeAnalyzer, file_names, make_clip
from tests.made_models import make_model
from ui import video_files, video_job, video_places, video_tab
from ui.choices import Choice
from ui.video_job import MakeAnalyzer, VideoJob
from ui.video_places import Places

LIMIT = 60.0
FORTY = tuple(i / 15 for i in range(40))


class TabAnalyzer(FakeAnalyzer, Closing):
    """Waits for `go` before the tenth frame, so that a test can look at a job at work."""

    def __init__(self, go: threading.Event) -> None:
        super().__init__()
        self.go = go
        self.closed = False

    def track(self, picture: Picture, pts: float) -> FrameResult:
        if len(self.times) == 10:
            assert self.go.wait(LIMIT)
        return super().track(picture, pts)

    def close(self) -> None:
        self.closed = True


class Stage:
    """What a test needs around the page."""

    def __init__(self, temporary: Path) -> None:
        self.temporary = temporary
        self.go = threading.Event()
        self.go.set()
        self.analyzers: list[TabAnalyzer] = []
        self.choices: list[Choice] = []
        self.options: list[VideoOptions] = []

    def maker(self, choice: Choice) -> Callable[[], TabAnalyzer]:
        self.choices.append(choice)
        made = TabAnalyzer(self.go)
        self.analyzers.append(made)
        return lambda: made

    def files(self) -> list[str]:
        """Names of all files under the temporary folder."""
        return file_names(self.temporary)


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    models = tmp_path / "models"
    make_model(models / "made")
    (models / "default").write_text("made\n")
    monkeypatch.setenv("FER_LIVE_MODELS", str(models))
    made = Stage(temporary)
    monkeypatch.setattr(video_tab, "analyzer_of", made.maker)
    monkeypatch.setattr(video_places, "AWAY_SECONDS", 0.1)
    monkeypatch.setattr(video_places, "PLACES", places := Places())
    start = video_job.VideoJob.__init__

    def watched(job: VideoJob, source: Path, make: MakeAnalyzer, options: VideoOptions) -> None:
        made.options.append(options)
        start(job, source, make, options)

    monkeypatch.setattr(video_job.VideoJob, "__init__", watched)
    yield made
    made.go.set()
    end_session()
    for token in places.tokens():
        place = places.hold(token)  # it may be in the middle of a long wait
        video_places.AWAY_SECONDS = 0.0
        places.let_go(place)
    until(lambda: not [t for t in threading.enumerate() if t.name.startswith("fer-video")])


def end_session() -> None:
    """What Streamlit does when a viewer has gone; AppTest's sessions all have one name."""
    clear_session_cache("test session id")


def page() -> None:
    from ui import video_tab

    video_tab.render()


def opened(file: Path | None = None, name: str = "holiday.mp4") -> AppTest:
    tab = AppTest.from_function(page, default_timeout=LIMIT).run()
    if file is not None:
        upload(tab, file, name)
    assert not tab.exception
    return tab


def upload(tab: AppTest, file: Path, name: str = "holiday.mp4") -> None:
    upload_all(tab, [(file, name)])


def upload_all(tab: AppTest, files: list[tuple[Path, str]]) -> None:
    given = [(name, file.read_bytes(), "video/mp4") for file, name in files]
    tab.file_uploader[0].set_value(given).run()
    assert not tab.exception


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + LIMIT
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


def finished(tab: AppTest) -> AppTest:
    def over() -> bool:
        tab.run()
        assert not tab.exception
        return not {"queued", "waiting", "running"} & set(states(tab))

    until(over)
    return tab


def rows(tab: AppTest) -> list[str]:
    """The rows of the list, as HTML."""
    return [item.proto.body for item in tab.get("html") if "data-state" in item.proto.body]


def states(tab: AppTest) -> list[str]:
    return [re.findall(r'data-state="(\w+)"', row)[0] for row in rows(tab)]


def buttons(tab: AppTest, label: str) -> list[Any]:
    return [button for button in tab.button if button.label == label]


def press(tab: AppTest, key: str) -> None:
    tab.button(key=key).click().run()
    assert not tab.exception


def press_in_row(tab: AppTest, label: str, number: int = 0) -> None:
    buttons(tab, label)[number].click().run()
    assert not tab.exception


def test_an_empty_tab_says_what_happens_to_clips(stage: Stage) -> None:
    tab = opened()
    assert "deleted" in tab.caption[0].value
    assert not tab.button


def test_a_clip_is_annotated_played_and_offered(stage: Stage, tmp_path: Path) -> None:
    tab = opened(make_clip(tmp_path / "clip.mp4", Clip(sound="aac")))
    assert states(tab) == ["ready"]
    press(tab, "video_start")
    finished(tab)
    assert not tab.error
    assert states(tab) == ["done"]
    video = tab.get("video")[0].proto
    assert video.url.endswith(".mp4")
    assert [item.proto.label for item in tab.get("download_button")] == [
        "Download the clip",
        "Table (CSV)",
        "Table (JSON lines)",
        "Table (Parquet)",
        "Report (HTML)",
    ]
    figures = {metric.label: metric.value for metric in tab.metric}
    assert figures == {"Length": "1.0 s", "Frames": "15", "Tracks": "1"}
    table = tab.dataframe[0].value
    assert table.iloc[0]["label"] == "happy"
    assert table.iloc[0]["share"] == 100
    people = tab.dataframe[1].value
    assert list(people["track"]) == [1]
    assert people.iloc[0]["happy"] == 100
    assert people.iloc[0]["face"].startswith("data:image/jpeg;base64,")
    assert stage.analyzers[0].closed
    until(lambda: "upload" not in stage.files())
    assert "annotated.mp4" in stage.files(), "the upload itself is not kept, the clip is"


def test_what_is_chosen_is_used(stage: Stage, tmp_path: Path) -> None:
    tab = opened(make_clip(tmp_path / "clip.mp4", Clip(times=FORTY, sound="aac")))
    tab.selectbox(key="video_detector").select("haar")
    tab.slider(key="video_threshold_made").set_value(55)
    tab.toggle(key="video_bars").set_value(True)
    tab.toggle(key="video_sound").set_value(False)
    tab.selectbox(key="video_every").select(3)
    tab.text_input(key="video_from").set_value("0:01")
    tab.text_input(key="video_to").set_value("0:02")
    press(tab, "video_start")
    finished(tab)
    assert stage.choices == [Choice(detector="haar", model="made", min_confidence=0.55)]
    [options] = stage.options
    assert options.overlay is not None
    assert (options.overlay.bars, options.audio, options.every) == (True, False, 3)
    assert (options.start_seconds, options.end_seconds) == (1.0, 2.0)
    assert "0:01 to 0:02 · every 3rd frame · no sound" in rows(tab)[0]
    assert states(tab) == ["done"]
    assert {metric.label: metric.value for metric in tab.metric}["Length"] == "1.0 s"
    assert len(stage.analyzers[0].times) == 5, "every third of fifteen frames"


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [("x", "", "From cannot be read"), ("0:09", "0:03", "To (0:03) must be later than From")],
)
def test_a_range_that_makes_no_sense_is_a_sentence_and_starts_nothing(
    start: str, end: str, words: str, stage: Stage, tmp_path: Path
) -> None:
    tab = opened(make_clip(tmp_path / "clip.mp4"))
    tab.text_input(key="video_from").set_value(start)
    tab.text_input(key="video_to").set_value(end).run()
    assert words in tab.error[0].value
    assert tab.button(key="video_start").disabled
    tab.text_input(key="video_from").set_value("")
    tab.text_input(key="video_to").set_value("").run()
    assert not tab.error
    assert not tab.button(key="video_start").disabled


def test_several_clips_are_worked_on_one_after_the_other(stage: Stage, tmp_path: Path) -> None:
    stage.go.clear()
    one = make_clip(tmp_path / "one.mp4", Clip(times=FORTY))
    two = make_clip(tmp_path / "two.mp4", Clip(times=(0.0, 0.1)))
    tab = opened()
    upload_all(tab, [(one, "one.mp4"), (two, "two.mp4")])
    assert states(tab) == ["ready", "ready"]
    assert tab.button(key="video_start").label == "Annotate 2 clips"
    press(tab, "video_start")
    until(lambda: len(stage.analyzers[0].times) >= 10)
    tab.run()
    assert states(tab) == ["running", "queued"]
    assert "Next in line" not in rows(tab)[0]
    assert "In line, 1 before it" in rows(tab)[1]
    stage.go.set()
    finished(tab)
    assert states(tab) == ["done", "done"]
    press_in_row(tab, "Show", 1)
    assert {metric.label: metric.value for metric in tab.metric}["Frames"] == "2"
    press_in_row(tab, "Show", 0)
    assert {metric.label: metric.value for metric in tab.metric}["Frames"] == "40"


def test_progress_is_shown_and_cancel_keeps_no_result(stage: Stage, tmp_path: Path) -> None:
    stage.go.clear()
    tab = opened(make_clip(tmp_path / "clip.mp4", Clip(times=FORTY)))
    press(tab, "video_start")
    until(lambda: len(stage.analyzers[0].times) >= 10)
    tab.run()
    bar = tab.get("progress")[0].proto
    assert 0 <= bar.value < 100
    assert tab.button(key="video_start").disabled
    stage.go.set()
    press_in_row(tab, "Cancel")
    finished(tab)
    assert states(tab) == ["cancelled"]
    assert "Cancelled" in rows(tab)[0]
    until(lambda: stage.files() == ["upload"])
    # It can be started again.
    press_in_row(tab, "Retry")
    finished(tab)
    assert tab.get("video")
    assert states(tab) == ["done"]


def test_a_clip_that_is_removed_is_deleted(stage: Stage, tmp_path: Path) -> None:
    tab = opened(make_clip(tmp_path / "one.mp4"))
    press(tab, "video_start")
    finished(tab)
    press_in_row(tab, "Remove")
    assert not tab.get("video")
    assert rows(tab) == []
    until(lambda: stage.files() == [])
    upload(tab, make_clip(tmp_path / "two.mp4", Clip(times=(0.0, 0.1))), "two.mp4")
    press(tab, "video_start")
    finished(tab)
    assert {metric.label: metric.value for metric in tab.metric}["Frames"] == "2"


def test_another_session_of_the_same_viewer_finds_everything_again(
    stage: Stage, tmp_path: Path
) -> None:
    """What a reload is to the server. Both pages act on one list and neither breaks the other."""
    stage.go.clear()
    first = opened(make_clip(tmp_path / "clip.mp4", Clip(times=FORTY)))
    press(first, "video_start")
    until(lambda: len(stage.analyzers[0].times) >= 10)
    second = opened()
    assert states(second) == ["running"]
    stage.go.set()
    finished(second)
    assert second.get("video")
    finished(first)
    assert first.get("video")
    press_in_row(second, "Remove")
    first.run()
    assert not first.exception
    assert rows(first) == []


def test_a_reload_is_known_by_its_cookie(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video_places, "AWAY_SECONDS", LIMIT)
    cookies: dict[str, str] = {}
    monkeypatch.setattr(type(video_places.st.context), "cookies", property(lambda context: cookies))
    tab = opened(make_clip(tmp_path / "clip.mp4"))
    [token] = [key for key in video_places.PLACES.tokens() if key]
    end_session()
    cookies[video_places.cookie_name()] = "guessed"
    assert rows(opened()) == [], "a token that was never given opens nothing"
    end_session()
    cookies[video_places.cookie_name()] = token
    assert states(opened()) == ["ready"]
    assert rows(tab.run()) != []
    monkeypatch.setattr(video_places, "AWAY_SECONDS", 0.1)


def test_the_end_of_the_session_deletes_everything(stage: Stage, tmp_path: Path) -> None:
    tab = opened(make_clip(tmp_path / "clip.mp4"))
    press(tab, "video_start")
    finished(tab)
    assert stage.files()
    end_session()
    until(lambda: not list(stage.temporary.iterdir()))


def test_the_end_of_the_session_stops_the_job(stage: Stage, tmp_path: Path) -> None:
    stage.go.clear()
    tab = opened(make_clip(tmp_path / "clip.mp4", Clip(times=FORTY)))
    press(tab, "video_start")
    until(lambda: len(stage.analyzers[0].times) >= 10)
    end_session()
    until(lambda: not video_places.PLACES.tokens())
    stage.go.set()
    until(lambda: not list(stage.temporary.iterdir()))
    assert len(stage.analyzers[0].times) < 15


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
