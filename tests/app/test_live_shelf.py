"""How many recordings a session keeps, and which of them give way."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.recording_bench import picture, result
from ui import live_recordings
from ui.live_recordings import Shelf


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Shelf]:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    made = Shelf()
    yield made
    made.close()


def record(shelf: Shelf, frames: int) -> Path:
    recorder = shelf.start()
    for number in range(frames):
        recorder.put(picture(number), result())
    shelf.stop()
    return recorder.folder


def folders(shelf: Shelf) -> set[Path]:
    return {folder for folder in shelf.folder.iterdir() if folder.is_dir()}


def test_a_session_keeps_ten_recordings_and_the_oldest_goes_with_its_files(shelf: Shelf) -> None:
    assert live_recordings.MOST == 10
    made = [record(shelf, frames) for frames in range(1, 13)]
    assert [each.status.frames for each in shelf.recordings] == list(range(12, 2, -1))
    assert [each.folder for each in shelf.recordings] == made[:1:-1], "the newest first"
    assert folders(shelf) == set(made[2:])
    assert all(file.is_file() for each in shelf.recordings for file in each.files)


def test_one_at_work_and_one_without_frames_push_nobody_out(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_recordings, "MOST", 2)
    kept = [record(shelf, 1), record(shelf, 1)]
    record(shelf, 0)
    assert folders(shelf) == set(kept)
    recorder = shelf.start()
    recorder.put(picture(0), result())
    assert [each.folder for each in shelf.recordings] == kept[::-1]
    shelf.stop()
    assert folders(shelf) == {kept[1], recorder.folder}


def test_who_deletes_one_has_room_for_another(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_recordings, "MOST", 3)
    made = [record(shelf, 1) for _ in range(3)]
    shelf.delete(shelf.recordings[0])
    made.append(record(shelf, 1))
    assert folders(shelf) == {made[0], made[1], made[3]}


def test_two_sessions_count_their_own(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_recordings, "MOST", 1)
    other = Shelf()
    mine, theirs = itertools.starmap(record, ((shelf, 1), (other, 1)))
    assert mine.is_dir()
    assert theirs.is_dir()
    other.close()
    assert mine.is_dir()
