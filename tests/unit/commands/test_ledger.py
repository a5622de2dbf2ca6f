"""Whole files or nothing of them; one run at a time; nobody else's file is taken for a ledger."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from fer_core.commands import ledger as module
from fer_core.commands.ledger import LEDGER_FILE, Ledger, LedgerError
from fer_core.results import Box, Eyes, Face, FrameResult

FACE = Face(
    Box(1, 2, 3, 4), 0.9, (0.1,) * 3 + (0.4,) + (0.1,) * 3, "happy", 1, Eyes((1, 2), (3, 4))
)
FRAMES = [(index, FrameResult(64, 48, (FACE,) * (index % 3), index / 25)) for index in range(700)]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / LEDGER_FILE


def enter(ledger: Ledger, content: str, frames: list[tuple[int, FrameResult]]) -> None:
    with ledger.entry(content) as entry:
        for index, result in frames:
            entry.add(index, result)
        ledger.finish(entry, content, {"frames": len(frames)}, (("a", "b"),), None)


def test_what_was_entered_comes_back_in_order(file: Path) -> None:
    ledger = Ledger(file, "settings", lasting=True)
    assert ledger.find("one") is None
    enter(ledger, "one", FRAMES)
    enter(ledger, "two", FRAMES[:1])
    enter(ledger, "two", FRAMES[5:7])
    ledger.close()
    again = Ledger(file, "settings", lasting=False)
    one, two = again.find("one"), again.find("two")
    assert one is not None
    assert two is not None
    assert (one.summary, one.thumbnails) == ({"frames": 700}, (("a", "b"),))
    assert list(again.frames(one)) == FRAMES
    assert list(again.frames(two)) == FRAMES[5:7]
    again.close()


def test_other_settings_know_nothing_of_it(file: Path) -> None:
    ledger = Ledger(file, "one", lasting=True)
    enter(ledger, "content", FRAMES[:2])
    ledger.close()
    other = Ledger(file, "other", lasting=True)
    assert other.find("content") is None
    enter(other, "content", FRAMES[2:3])
    other.close()
    back = Ledger(file, "one", lasting=True)
    record = back.find("content")
    assert record is not None
    assert list(back.frames(record)) == FRAMES[:2]
    back.close()


def fail_in_the_middle(ledger: Ledger) -> None:
    with ledger.entry("content") as entry:
        for index, result in FRAMES:
            entry.add(index, result)
        raise KeyboardInterrupt


@pytest.mark.parametrize("before", [[], FRAMES[:3]], ids=["new", "done before"])
def test_what_is_broken_off_leaves_what_was(
    file: Path, before: list[tuple[int, FrameResult]]
) -> None:
    ledger = Ledger(file, "settings", lasting=True)
    if before:
        enter(ledger, "content", before)
    with pytest.raises(KeyboardInterrupt):
        fail_in_the_middle(ledger)
    record = ledger.find("content")
    assert (record is None) == (not before)
    if record is not None:
        assert list(ledger.frames(record)) == before
    ledger.close()
    database = sqlite3.connect(file)
    assert database.execute("SELECT count(*) FROM frames").fetchone() == (len(before) and 1,)
    database.close()


def test_copies_are_known_by_their_source(file: Path, tmp_path: Path) -> None:
    copy = tmp_path / "a-annotated.png"
    ledger = Ledger(file, "s", lasting=True)
    with ledger.entry("content") as entry:
        ledger.finish(entry, "content", {}, None, (str(tmp_path / "a.png"), " bars", str(copy)))
    source = str(tmp_path / "x" / ".." / "a.png")
    assert ledger.copy_of(source) == str(copy)
    assert ledger.copies() == [str(copy)]
    assert not ledger.has_copy(source, "content", " bars", str(copy))
    copy.touch()
    assert ledger.has_copy(source, "content", " bars", str(copy))
    assert not ledger.has_copy(source, "content", "", str(copy))
    assert not ledger.has_copy(source, "other", " bars", str(copy))
    assert not ledger.has_copy(source, "content", " bars", str(copy) + "x")
    ledger.close()


def test_it_goes_when_all_is_done_unless_a_run_wants_it(file: Path) -> None:
    Ledger(file, "s", lasting=False).close()
    assert file.exists()
    Ledger(file, "s", lasting=False).close(complete=True)
    assert not file.exists()
    Ledger(file, "s", lasting=True).close(complete=True)
    Ledger(file, "s", lasting=False).close(complete=True)
    assert file.exists()


def test_the_second_run_is_told_to_wait(file: Path) -> None:
    first = Ledger(file, "s", lasting=True)
    with pytest.raises(LedgerError, match="Another run is writing results here"):
        Ledger(file, "s", lasting=True)
    first.close()
    Ledger(file, "s", lasting=True).close()


def other_layout(file: Path) -> None:
    database = sqlite3.connect(file)
    database.execute(f"PRAGMA user_version = {module.LAYOUT + 1}")
    database.close()


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda file: file.write_text("not a database, but long enough to be looked at" * 9),
         "is not a ledger of this program"),
        (other_layout, "written by another version"),
        (lambda file: file.mkdir(), "cannot be written: unable to open"),
    ],
)  # fmt: skip
def test_another_file_is_refused(file: Path, make: object, sentence: str) -> None:
    assert callable(make)
    make(file)
    with pytest.raises(LedgerError, match=sentence):
        Ledger(file, "s", lasting=True)
    assert file.exists()


def test_a_full_disk_is_said(file: Path) -> None:
    ledger = Ledger(file, "s", lasting=True)
    ledger._database.execute("PRAGMA max_page_count = 8")
    with pytest.raises(LedgerError, match="is full. Make room or choose another folder"):  # noqa: RUF043
        enter(ledger, "content", FRAMES * 20)
    assert ledger.find("content") is None
    ledger.close()
