"""What `analyze --ray` writes: parts that each hold a content once, and tables."""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow.parquet
import pytest

from fer_core.cluster.parts import PART_SECONDS, Parts, write_failed, write_files
from fer_core.commands.ledger import LEDGER_FILE, Ledger
from fer_core.errors import OptionError


def rows_for(name: str, frames: int, folder: Path) -> bytes:
    from fer_core.exports import ParquetWriter
    from fer_core.results import Box, Face, FrameResult

    face = Face(Box(0, 0, 1, 1), 1.0, (1.0, 0, 0, 0, 0, 0, 0), "angry", 1)
    with ParquetWriter(folder / "rows.tmp", sources=True) as writer:
        for frame in range(frames):
            writer.write(FrameResult(9, 9, (face,), frame / 10), source=name, frame=frame)
    return (folder / "rows.tmp").read_bytes()


SUMMARY = {"width": 9, "height": 9, "faces": 3, "labels": {}, "warnings": []}


def opened(folder: Path, settings: str = "s") -> tuple[Ledger, Parts]:
    ledger = Ledger(folder / LEDGER_FILE, settings, lasting=True)
    return ledger, Parts(folder, ledger)


def all_rows(folder: Path) -> list[tuple[str, str, int]]:
    table = pyarrow.parquet.read_table(folder / "faces")
    return sorted(zip(*(table[n].to_pylist() for n in ("content", "source", "frame")), strict=True))


def test_parts_hold_each_content_once_and_say_of_which_kind(tmp_path: Path) -> None:
    ledger, parts = opened(tmp_path)
    parts.add("clip", "aa", SUMMARY, rows_for("a.mp4", 3, tmp_path))
    parts.add("clip", "aa", SUMMARY, rows_for("copy.mp4", 3, tmp_path))
    parts.add("picture", "bb", SUMMARY, rows_for("b.jpg", 1, tmp_path))
    parts.add("picture", "cc", SUMMARY, rows_for("none.jpg", 0, tmp_path))
    assert not parts.done
    parts.flush()
    ledger.close()
    assert all_rows(tmp_path) == [("aa", "a.mp4", n) for n in range(3)] + [("bb", "b.jpg", 0)]
    kinds = pyarrow.parquet.read_table(tmp_path / "faces")["kind"].to_pylist()
    assert sorted(set(kinds)) == ["clip", "picture"]
    assert set(parts.done) == {"aa", "bb", "cc"}


def test_a_run_that_was_killed_leaves_nothing_twice(tmp_path: Path) -> None:
    ledger, parts = opened(tmp_path)
    parts.add("clip", "aa", SUMMARY, rows_for("a.mp4", 3, tmp_path))
    parts.flush()
    # Killed after a part was moved into place and before the ledger knew, and while writing.
    folder = tmp_path / "faces" / "kind=clip"
    first = folder / "part-000001.parquet"
    (folder / "part-000002.parquet").write_bytes(first.read_bytes())
    (folder / "part-000003.parquet.part").write_bytes(b"half")
    (folder / "mine.parquet").write_bytes(first.read_bytes())
    ledger.close()
    ledger, parts = opened(tmp_path)
    assert sorted(file.name for file in folder.iterdir()) == ["mine.parquet", first.name]
    (folder / "mine.parquet").unlink()
    assert set(parts.done) == {"aa"}
    parts.add("clip", "bb", SUMMARY, rows_for("b.mp4", 2, tmp_path))
    parts.flush()
    ledger.close()
    assert [row[:2] for row in all_rows(tmp_path)] == [("aa", "a.mp4")] * 3 + [("bb", "b.mp4")] * 2


def test_a_part_that_is_gone_is_done_again(tmp_path: Path) -> None:
    ledger, parts = opened(tmp_path)
    parts.add("clip", "aa", SUMMARY, rows_for("a.mp4", 3, tmp_path))
    parts.flush()
    ledger.close()
    (tmp_path / "faces" / "kind=clip" / "part-000001.parquet").unlink()
    ledger, parts = opened(tmp_path)
    assert not parts.done
    parts.add("clip", "aa", SUMMARY, rows_for("a.mp4", 3, tmp_path))
    parts.flush()
    ledger.close()
    assert len(all_rows(tmp_path)) == 3


def test_a_file_that_comes_late_is_written_at_once(tmp_path: Path) -> None:
    now = [0.0]
    ledger = Ledger(tmp_path / LEDGER_FILE, "s", lasting=True)
    parts = Parts(tmp_path, ledger, lambda: now[0])
    parts.add("clip", "aa", SUMMARY, rows_for("a.mp4", 1, tmp_path))
    assert not parts.done
    now[0] = PART_SECONDS
    parts.add("clip", "bb", SUMMARY, rows_for("b.mp4", 1, tmp_path))
    assert set(parts.done) == {"aa", "bb"}
    ledger.close()


def test_results_of_other_options_are_not_mixed_in(tmp_path: Path) -> None:
    ledger, parts = opened(tmp_path)
    parts.add("clip", "aa", SUMMARY, rows_for("a.mp4", 1, tmp_path))
    parts.flush()
    ledger.close()
    ledger = Ledger(tmp_path / LEDGER_FILE, "others", lasting=True)
    with pytest.raises(OptionError, match="another model or of other options"):
        Parts(tmp_path, ledger)
    ledger.close()


def test_the_tables_of_a_run(tmp_path: Path) -> None:
    rows = [
        {"source": "a", "kind": "clip", "content": "aa", **SUMMARY, "labels": {"angry": 3}},
        {"source": "b", "kind": "picture", "error": "b is no picture."},
    ]
    write_files(tmp_path / "files.parquet", rows)
    table = pyarrow.parquet.read_table(tmp_path / "files.parquet").to_pylist()
    assert (table[0]["angry"], table[0]["sad"], table[1]["error"]) == (3, None, "b is no picture.")
    assert write_failed(tmp_path / "failed.csv", [("b", "It, too, failed.")])
    with (tmp_path / "failed.csv").open(encoding="utf-8") as stream:
        assert list(csv.reader(stream)) == [["source", "error"], ["b", "It, too, failed."]]
    assert not write_failed(tmp_path / "failed.csv", [])
    assert not (tmp_path / "failed.csv").exists()
