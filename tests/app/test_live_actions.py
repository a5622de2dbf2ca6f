"""Pause, mark, record and neutral face, as the page does them; the shelf of recordings."""

from __future__ import annotations

import csv
import json
import os
import tempfile
import time
import tracemalloc
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import ui.live_actions
import ui.live_recordings
import ui.video_places
from fer_core.errors import OptionError
from fer_core.live import LiveSession
from tests.app.file_links import links
from tests.app.session import end_session
from tests.unit.live_bench import frame
from tests.unit.recording_bench import picture, result
from ui.live_recordings import PREFIX, Shelf, bounds, kept_folder, sweep
from ui.video_places import Places

LONG = 600 << 20


def row() -> None:
    """A page with nothing but the row of buttons; the session is put into its state by the test."""
    import streamlit as st

    from ui.live_actions import actions

    actions(st.session_state["session"], st.session_state["playing"])


@pytest.fixture
def drawn(session, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    place = Shelf()
    monkeypatch.setattr(ui.live_actions, "shelf", lambda: place)
    monkeypatch.setattr(ui.video_places, "PLACES", Places())
    drawn = AppTest.from_function(row, default_timeout=60)
    drawn.session_state["session"] = session
    drawn.session_state["playing"] = True
    yield drawn.run()
    end_session()
    place.stop()


def button(drawn: AppTest, words: str):
    return next(found for found in drawn.button if found.label == words)


def feed(session: LiveSession, frames: int, first: int = 0) -> None:
    for n in range(first, first + frames):
        session.callback(frame(n))


def test_pause_and_go_on(drawn, session):
    button(drawn, "Pause").click()
    drawn.run()
    assert session.paused
    button(drawn, "Go on").click()
    drawn.run()
    assert not session.paused


@pytest.mark.parametrize("before", [False, True])
def test_pause_and_go_on_that_come_twice_mean_what_they_said(drawn, session, before):
    session.pause(before)
    drawn.run()
    key = button(drawn, "Go on" if before else "Pause").key
    for _ in range(2):  # the second one finds the page as the first has left it
        for again in [found for found in drawn.button if found.key == key]:
            again.click()
        drawn.run()
    assert session.paused is not before


def test_a_mark_carries_the_note_once(drawn, session, monkeypatch):
    monkeypatch.setattr(ui.live_actions, "TWICE_SECONDS", 0.0)
    drawn.text_input(key="live_note").set_value("the joke")
    button(drawn, "Mark").click()
    drawn.run()
    button(drawn, "Mark").click()
    drawn.run()
    assert [marker.note for marker in session.timeline().markers] == ["the joke", ""]
    assert drawn.text_input(key="live_note").value == ""


def test_a_mark_that_comes_twice_is_one(drawn, session, monkeypatch):
    # A busy machine may take longer than the half second from one run to the next.
    monkeypatch.setattr(ui.live_actions, "TWICE_SECONDS", 600.0)
    for _ in range(2):
        button(drawn, "Mark").click()
        drawn.run()
    assert len(session.timeline().markers) == 1
    monkeypatch.setattr(ui.live_actions, "TWICE_SECONDS", 0.0)
    button(drawn, "Mark").click()
    drawn.run()
    assert len(session.timeline().markers) == 2


def test_record_stop_download_and_delete(drawn, session, tmp_path):
    button(drawn, "Record").click()
    drawn.run()
    feed(session, 12)
    assert list(tmp_path.glob(f"{PREFIX}*")), "in the temporary folder, under our name"
    button(drawn, "Mark").click()
    drawn.run()
    feed(session, 12, 12)
    button(drawn, "End").click()
    drawn.run()
    assert not drawn.exception
    assert [box.label for box in drawn.expander] == ["Recordings (1)"]
    assert [words for words, _ in links(drawn)] == ["Clip", "CSV", "Parquet", "JSON lines"]
    table = next(tmp_path.rglob("faces.csv"))
    with table.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 24
    assert [row["frame"] for row in rows if row["marker"]] == ["12"]
    button(drawn, "Delete").click()
    drawn.run()
    assert not drawn.expander
    assert not list(tmp_path.rglob("faces.csv"))


def test_every_recording_can_be_fetched_and_none_is_read_into_memory(drawn, shelf, monkeypatch):
    monkeypatch.setattr(ui.live_actions, "shelf", lambda: shelf)
    for _ in range(2):
        record(shelf)
    for recording in shelf.recordings:
        with (recording.folder / "clip.mp4").open("r+b") as stream:
            stream.truncate(LONG)
    tracemalloc.start()
    drawn.run()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [words for words, _ in links(drawn)] == 2 * ["Clip", "CSV", "Parquet", "JSON lines"]
    assert most < LONG / 20
    files = ui.video_places.PLACES.hold(ui.video_places.PLACES.tokens()[0]).files
    offers = [files.find(address.rpartition("/")[2], files.secret) for _, address in links(drawn)]
    assert {offer.file for offer in offers} == {
        file for recording in shelf.recordings for file in recording.files
    }
    newest = shelf.recordings[0]
    assert offers[0].name == f"{newest.name}-clip.mp4"


def test_a_click_that_comes_twice_or_late_means_what_it_said(drawn, session):
    """A busy browser may send one again, or one on a button that the server has replaced."""
    button(drawn, "Record").click()
    drawn.run()
    feed(session, 5)
    ui.live_actions._record(session, ui.live_actions.shelf())
    drawn.run()
    assert not drawn.expander, "the recording goes on"
    late = button(drawn, "End")
    late.click()
    drawn.run()
    late.click()
    drawn.run()
    assert [box.label for box in drawn.expander] == ["Recordings (1)"]
    assert button(drawn, "Record"), "and none has begun"


def test_the_end_of_the_stream_ends_the_recording(drawn, session):
    button(drawn, "Record").click()
    drawn.run()
    feed(session, 5)
    drawn.session_state["playing"] = False
    drawn.run()
    assert [box.label for box in drawn.expander] == ["Recordings (1)"]
    assert not [found for found in drawn.button if found.label == "Pause"]


def test_a_server_that_cannot_store_anything_says_so(drawn, session, monkeypatch):
    monkeypatch.setenv("FER_LIVE_RECORD_MB", "much")
    button(drawn, "Record").click()
    drawn.run()
    assert [box.value for box in drawn.error] == [
        "Nothing is recorded. FER_LIVE_RECORD_MB holds 'much'. "
        "Write a whole number from 1 to 100000."
    ]
    feed(session, 3)
    assert session.snapshot().errors == 0


def test_neutral_face_can_be_held_and_forgotten(drawn, session):
    button(drawn, "Hold it now").click()
    drawn.run()
    assert session.calibration.state().progress == 0.0
    button(drawn, "Forget").click()
    drawn.run()
    assert session.calibration.state().progress is None


@pytest.fixture
def shelf(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    made = Shelf()
    yield made
    made.close()


def record(shelf: Shelf, frames: int = 5) -> None:
    recorder = shelf.start()
    for n in range(frames):
        recorder.put(picture(n), result())
    shelf.stop()


def test_what_is_kept_outlives_the_session(shelf, tmp_path, monkeypatch):
    record(shelf)
    record(shelf)
    with pytest.raises(OptionError, match="FER_LIVE_RECORDINGS"):
        shelf.keep(shelf.recordings[0])
    monkeypatch.setenv("FER_LIVE_RECORDINGS", str(tmp_path / "kept"))
    place = shelf.keep(shelf.recordings[0])
    assert len(shelf.recordings) == 1
    folder = shelf.folder
    shelf.close()
    deadline = time.monotonic() + 10
    while folder.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    lines = (place / "frames.jsonl").read_text().splitlines()
    assert len([json.loads(line) for line in lines]) == 5


def test_keep_that_comes_twice_is_kept_once(drawn, shelf, tmp_path, monkeypatch):
    kept = tmp_path / "kept"
    monkeypatch.setenv("FER_LIVE_RECORDINGS", str(kept))
    monkeypatch.setattr(ui.live_actions, "shelf", lambda: shelf)
    once = ui.live_actions._keep

    def twice(*given) -> None:
        once(*given)
        once(*given)

    monkeypatch.setattr(ui.live_actions, "_keep", twice)
    record(shelf)
    drawn.run()
    button(drawn, "Keep").click()
    drawn.run()
    (place,) = kept.iterdir()
    assert [box.value for box in drawn.success] == [f"Kept in {place}."]
    assert not drawn.error


def holding() -> None:
    """A page that records with the first run and draws what there is."""
    import streamlit as st

    from ui.live_recordings import shelf

    st.text(f"{shelf().folder}")


def test_recordings_outlast_a_short_break_of_the_pages_connection(monkeypatch, tmp_path):
    """Streamlit ends a session's caches when the connection breaks, and comes back to it later."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    page = AppTest.from_function(holding, default_timeout=60).run()
    folder = Path(page.text[0].value)
    end_session()
    assert folder.is_dir()
    assert Path(page.run().text[0].value) == folder
    monkeypatch.setattr(ui.live_recordings, "AWAY_SECONDS", 0.05)
    end_session()
    deadline = time.monotonic() + 20
    while folder.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not folder.exists(), "who does not come back leaves nothing"
    other = Path(page.run().text[0].value)
    assert other.is_dir()
    assert other != folder


def test_two_kept_recordings_of_one_second_do_not_meet(shelf, tmp_path, monkeypatch):
    monkeypatch.setenv("FER_LIVE_RECORDINGS", str(tmp_path / "kept"))
    places = []
    for _ in range(2):
        record(shelf)
        places.append(shelf.keep(shelf.recordings[0]))
    assert len(set(places)) == 2


def test_nobody_else_can_read_the_folder_and_empty_recordings_leave_nothing(shelf):
    assert shelf.folder.stat().st_mode & 0o077 == 0
    record(shelf, frames=0)
    assert shelf.recordings == []
    assert list(shelf.folder.iterdir()) == []


def test_leftovers_of_a_killed_process_stay_for_a_day(tmp_path):
    left = tmp_path / f"{PREFIX}1-abc"
    left.mkdir()
    (left / "faces.csv").write_text("time\n")
    other = tmp_path / "something else"
    other.mkdir()
    sweep(tmp_path)
    assert left.exists()
    sweep(tmp_path, now=time.time() + 25 * 3600)
    assert not left.exists()
    assert other.exists()
    os.utime(other)


@pytest.mark.parametrize("wrong", ["-1", "0", "1.5", "x", "100001"])
def test_bounds_come_from_whole_numbers(wrong):
    assert bounds({}).max_bytes == 500_000_000
    assert bounds({"FER_LIVE_RECORD_MINUTES": "2"}).max_seconds == 120
    with pytest.raises(OptionError, match="FER_LIVE_RECORD_MB"):
        bounds({"FER_LIVE_RECORD_MB": wrong})
    assert kept_folder({}) is None
    assert kept_folder({"FER_LIVE_RECORDINGS": " /data "}) == Path("/data")
