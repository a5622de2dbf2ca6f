"""The Video tab: from the upload to the clip that plays in the page, and every way to stop."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.state import SessionState

from tests.app.file_links import links
from tests.app.session import LIMIT, end_session, until
from tests.app.video_page import (
    FORTY,
    Stage,
    finished,
    opened,
    press,
    press_in_row,
    rows,
    states,
    upload,
    upload_all,
)
from tests.clips import Clip, make_clip
from ui import video_places
from ui.choices import Choice
from ui.viewer_files import PATH


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
    assert PATH in video.url
    assert [words for words, _ in links(tab)] == [
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


def test_an_upload_that_comes_before_the_field_is_known_is_taken_too(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Streamlit calls nobody for a field of which it has seen no run to its end."""
    monkeypatch.setattr(SessionState, "_call_callbacks", lambda state, **other: None)
    tab = opened(make_clip(tmp_path / "clip.mp4"))
    assert states(tab) == ["ready"]
    assert not tab.file_uploader[0].value


def test_an_upload_is_in_memory_no_longer_than_it_takes_to_store_it(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    removed = []
    let_go = MemoryUploadedFileManager.remove_file

    def watched(manager: MemoryUploadedFileManager, session_id: str, file_id: str) -> None:
        assert manager.get_files(session_id, [file_id])
        let_go(manager, session_id, file_id)
        removed.append(file_id)

    monkeypatch.setattr(MemoryUploadedFileManager, "remove_file", watched)
    tab = opened(make_clip(tmp_path / "one.mp4"))
    upload(tab, make_clip(tmp_path / "two.mp4"), "two.mp4")
    assert states(tab) == ["ready", "ready"]
    assert len(set(removed)) == 2
