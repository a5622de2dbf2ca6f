"""The Video tab: from the upload to the clip that plays in the page, and every way to stop."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest
from streamlit.runtime.caching.cache_resource_api import clear_session_cache
from streamlit.testing.v1 import AppTest

from fer_core.detectors.base import Picture
from fer_core.errors import ModelError
from fer_core.results import FrameResult
from tests.clips import Clip, FakeAnalyzer, make_clip
from tests.made_models import make_model
from ui import video_files, video_job, video_tab

LIMIT = 60.0
FORTY = tuple(i / 15 for i in range(40))


class TabAnalyzer(FakeAnalyzer):
    """Waits for `go` before the tenth frame, so that a test can look at a job at work."""

    def __init__(self, go: threading.Event) -> None:
        super().__init__()
        self.go = go
        self.closed = False

    def track(self, picture: Picture, pts: float) -> FrameResult:
        if len(self.times) == 10:
            assert self.go.wait(LIMIT)
        return super().track(picture, pts)

    def __enter__(self) -> TabAnalyzer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.closed = True


class Stage:
    """What a test needs around the page."""

    def __init__(self, temporary: Path) -> None:
        self.temporary = temporary
        self.go = threading.Event()
        self.go.set()
        self.analyzers: list[TabAnalyzer] = []
        self.choices: list[dict[str, Any]] = []

    def maker(self, choice: dict[str, Any]) -> Callable[[], TabAnalyzer]:
        self.choices.append(choice)
        self.analyzers.append(TabAnalyzer(self.go))
        return lambda: self.analyzers[-1]

    def files(self) -> list[str]:
        """Names of all files under the temporary folder."""
        return sorted(file.name for file in self.temporary.rglob("*") if file.is_file())


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
    monkeypatch.setattr(video_tab, "analyzer_maker", made.maker)
    yield made
    made.go.set()
    end_session()
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
    tab.file_uploader(key="video_upload").upload(name, file.read_bytes(), "video/mp4").run()
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
        return not tab.get("progress")

    until(over)
    return tab


def press(tab: AppTest, key: str) -> None:
    tab.button(key=key).click().run()
    assert not tab.exception


def test_an_empty_tab_says_what_happens_to_clips(stage: Stage) -> None:
    tab = opened()
    assert "deleted" in tab.caption[0].value
    assert not tab.button


def test_a_clip_is_annotated_played_and_offered(stage: Stage, tmp_path: Path) -> None:
    tab = opened(make_clip(tmp_path / "clip.mp4", Clip(sound="aac")))
    press(tab, "video_start")
    finished(tab)
    assert not tab.error
    video = tab.get("video")[0].proto
    assert video.url.endswith(".mp4")
    assert [item.proto.label for item in tab.get("download_button")] == [
        "Download the clip",
        "Download the table (CSV)",
    ]
    figures = {metric.label: metric.value for metric in tab.metric}
    assert figures == {"Length": "1.0 s", "Frames": "15", "Tracks": "1"}
    table = tab.dataframe[0].value
    assert table.iloc[0]["label"] == "happy"
    assert table.iloc[0]["share"] == 100
    assert stage.analyzers[0].closed
    assert stage.files() == ["annotated.mp4", "faces.csv"], "the upload itself is not kept"


def test_what_is_chosen_is_used(stage: Stage, tmp_path: Path) -> None:
    tab = opened(make_clip(tmp_path / "clip.mp4", Clip(times=(0.0, 0.1))))
    tab.selectbox(key="video_detector").select("haar")
    tab.slider(key="video_threshold_made").set_value(55)
    tab.toggle(key="video_bars").set_value(True)
    press(tab, "video_start")
    finished(tab)
    assert stage.choices == [
        {"detector": "haar", "model": "made", "min_confidence": 0.55, "bars": True}
    ]


def test_progress_is_shown_and_cancel_leaves_nothing(stage: Stage, tmp_path: Path) -> None:
    stage.go.clear()
    tab = opened(make_clip(tmp_path / "clip.mp4", Clip(times=FORTY)))
    press(tab, "video_start")
    until(lambda: len(stage.analyzers[0].times) >= 10)
    tab.run()
    bar = tab.get("progress")[0].proto
    assert 0 <= bar.value < 100
    assert tab.button(key="video_start").disabled
    stage.go.set()
    press(tab, "video_cancel")
    finished(tab)
    assert "Cancelled" in tab.info[0].value
    assert stage.files() == []
    # It can be started again.
    press(tab, "video_start")
    finished(tab)
    assert tab.get("video")


def test_another_upload_replaces_the_first(stage: Stage, tmp_path: Path) -> None:
    tab = opened(make_clip(tmp_path / "one.mp4"))
    press(tab, "video_start")
    finished(tab)
    upload(tab, make_clip(tmp_path / "two.mp4", Clip(times=(0.0, 0.1))), "two.mp4")
    assert not tab.get("video")
    until(lambda: stage.files() == [])
    press(tab, "video_start")
    finished(tab)
    assert {metric.label: metric.value for metric in tab.metric}["Frames"] == "2"


def test_an_upload_that_is_taken_away_is_deleted(stage: Stage, tmp_path: Path) -> None:
    stage.go.clear()
    tab = opened(make_clip(tmp_path / "clip.mp4", Clip(times=FORTY)))
    press(tab, "video_start")
    tab.file_uploader(key="video_upload").set_value(None).run()
    assert not tab.exception
    stage.go.set()
    until(lambda: stage.files() == [])


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
    stage.go.set()
    until(lambda: not list(stage.temporary.iterdir()))
    assert len(stage.analyzers[0].times) < 15


def _copy(source: Path, folder: Path) -> Path:
    file = folder / "upload"
    file.write_bytes(source.read_bytes())
    return file


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
    assert stage.files() == []


def test_a_cut_off_clip_warns_and_shows_what_there_is(stage: Stage, tmp_path: Path) -> None:
    file = make_clip(tmp_path / "cut.mp4", Clip(times=FORTY, faststart=True, sound="aac"))
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * 0.7)])
    tab = opened(file)
    press(tab, "video_start")
    finished(tab)
    assert "cut off or damaged" in tab.warning[0].value
    assert tab.get("video")


def test_a_name_from_outside_is_never_a_path(stage: Stage, tmp_path: Path) -> None:
    outside = tmp_path / "stolen.mp4"
    tab = opened(make_clip(tmp_path / "clip.mp4"), f"../../{outside.name}")
    press(tab, "video_start")
    finished(tab)
    assert stage.files() == ["annotated.mp4", "faces.csv"]
    assert not outside.exists()


def test_a_job_that_ends_while_the_page_is_drawn_leaves_nothing_disabled(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "clip.mp4"
    broken.touch()
    tab = opened(broken, "clip.mp4")
    answers = iter([True])

    def ends_between_two_looks(job: video_job.VideoJob) -> bool:
        job.wait(LIMIT)
        return next(answers, False)

    monkeypatch.setattr(video_job.VideoJob, "at_work", property(ends_between_two_looks))
    tab.button(key="video_start").click().run()
    assert len(tab.error) == 1
    assert not tab.button(key="video_start").disabled


def test_an_unexpected_fault_is_a_sentence_too(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tab = opened(make_clip(tmp_path / "clip.mp4"))

    def breaks(picture: Picture, pts: float) -> FrameResult:
        raise ZeroDivisionError("by zero")

    original = stage.maker

    def maker(choice: dict[str, Any]) -> Callable[[], TabAnalyzer]:
        make = original(choice)
        stage.analyzers[-1].track = breaks  # type: ignore[method-assign]
        return make

    monkeypatch.setattr(video_tab, "analyzer_maker", maker)
    press(tab, "video_start")
    finished(tab)
    assert "ZeroDivisionError: by zero" in tab.error[0].value


def test_a_model_that_cannot_be_opened_is_a_sentence(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(choice: dict[str, Any]) -> None:
        raise ModelError("The model is altered. Copy it again.")

    monkeypatch.setattr(video_tab, "analyzer_maker", refuses)
    tab = opened(make_clip(tmp_path / "clip.mp4"))
    press(tab, "video_start")
    assert tab.error[0].value == "The model is altered. Copy it again."


def test_no_model_is_a_sentence(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nothing").mkdir()
    monkeypatch.setenv("FER_LIVE_MODELS", str(tmp_path / "nothing"))
    tab = opened(make_clip(tmp_path / "clip.mp4"))
    assert "no model folder" in tab.error[0].value
    assert tab.button(key="video_start").disabled


def test_a_second_job_waits_for_its_turn(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video_job, "_SLOTS", threading.BoundedSemaphore(1))
    stage.go.clear()
    clip = make_clip(tmp_path / "clip.mp4", Clip(times=FORTY))
    first = opened(clip)
    press(first, "video_start")
    until(lambda: len(stage.analyzers[0].times) >= 10)
    place = video_files.Workplace()
    second = video_job.VideoJob(
        _copy(clip, place.place_for_job()), stage.maker({}), video_job.VideoOptions()
    )
    time.sleep(0.3)
    assert second.state == "waiting"
    stage.go.set()
    assert second.wait(LIMIT)
    assert second.state == "done"
    place.close()


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
