"""CSV and JSON lines: what is in them, and that nothing half-written carries the final name."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from fer_core.emotions import CLASSES
from fer_core.errors import OptionError
from fer_core.exports import CSV_COLUMNS, CsvWriter, JsonLinesWriter, ResultWriter
from fer_core.results import Box, Face, FrameResult

SHARES = (0.05, 0.05, 0.1, 0.6, 0.1, 0.05, 0.05)
FACE = Face(Box(1.234, 2, 30.5, 40), 0.987654, SHARES, "happy", track_id=4)
PICTURE_FACE = Face(Box(0, 0, 9, 9), 1.0, SHARES, "uncertain")
RESULTS = [
    FrameResult(64, 48, (FACE, PICTURE_FACE), pts=0.0333667),
    FrameResult(64, 48, (), pts=0.0667),
    FrameResult(64, 48, (PICTURE_FACE,)),
]


def test_csv_has_a_row_a_face(tmp_path: Path) -> None:
    with CsvWriter(tmp_path / "out.csv") as writer:
        for result in RESULTS:
            writer.write(result)
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == CSV_COLUMNS
    assert [row["frame"] for row in rows] == ["0", "0", "2"]
    assert [row["seconds"] for row in rows] == ["0.033367", "0.033367", ""]
    assert [row["track"] for row in rows] == ["4", "", ""]
    assert [row["label"] for row in rows] == ["happy", "uncertain", "uncertain"]
    assert [float(rows[0][edge]) for edge in ("x0", "y0", "x1", "y1")] == [1.23, 2.0, 30.5, 40.0]
    assert [float(rows[0][name]) for name in CLASSES] == pytest.approx(SHARES)


def test_json_lines_have_a_line_a_frame(tmp_path: Path) -> None:
    with JsonLinesWriter(tmp_path / "out.jsonl") as writer:
        for result in RESULTS:
            writer.write(result)
    lines = (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [result.to_dict() for result in RESULTS]


@pytest.mark.parametrize("kind", [CsvWriter, JsonLinesWriter])
def test_the_final_name_appears_when_the_file_is_whole(
    kind: type[ResultWriter], tmp_path: Path
) -> None:
    file = tmp_path / "out"
    file.write_text("older")
    writer = kind(file)
    writer.write(RESULTS[0])
    assert file.read_text() == "older"
    assert writer.close() == file == writer.close()
    assert file.read_text() != "older"
    assert list(tmp_path.iterdir()) == [file]
    with pytest.raises(OptionError, match=r"has been closed\. Start a new file"):
        writer.write(RESULTS[0])


def fail_after_one(writer: ResultWriter) -> None:
    with writer:
        writer.write(RESULTS[0])
        raise KeyError


def test_an_exception_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        fail_after_one(CsvWriter(tmp_path / "out.csv"))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_does_not_exist_is_said(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"cannot be written: No such file.*another place"):
        CsvWriter(tmp_path / "nowhere" / "out.csv")


def write_much(writer: ResultWriter, count: int) -> None:
    with writer:
        for _ in range(count):
            writer.write(RESULTS[0])


@pytest.mark.parametrize("count", [1, 100], ids=["seen at the end", "seen on the way"])
def test_a_full_disk_is_said_and_leaves_nothing(count: int, tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    (tmp_path / "out.jsonl.part").symlink_to("/dev/full")
    with pytest.raises(OptionError, match=r"No space left on device\. Make room"):
        write_much(JsonLinesWriter(tmp_path / "out.jsonl"), count)
    assert list(tmp_path.iterdir()) == []
