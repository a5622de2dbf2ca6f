"""Files and tables: what is in them, and that nothing half-written carries the final name."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from fer_core.emotions import CLASSES
from fer_core.errors import OptionError, PackageMissingError
from fer_core.exports import (
    CSV_COLUMNS,
    UNCERTAIN_ID,
    CsvWriter,
    JsonLinesWriter,
    ParquetWriter,
    ResultWriter,
    parquet,
    to_pandas,
    to_supervision,
)
from fer_core.results import Box, Eyes, Face, FrameResult

SHARES = (0.05, 0.05, 0.1, 0.6, 0.1, 0.05, 0.05)
FACE = Face(Box(1.234, 2, 30.5, 40), 0.987654, SHARES, "happy", track_id=4)
PICTURE_FACE = Face(Box(0, 0, 9, 9), 1.0, SHARES, "uncertain")
EYED = Face(Box(1, 1, 5, 6), 0.9, SHARES, "happy", 5, Eyes((2.0, 3.0), (4.0, 3.0)))
RESULTS = [
    FrameResult(64, 48, (FACE, PICTURE_FACE), pts=0.0333667),
    FrameResult(64, 48, (), pts=0.0667),
    FrameResult(64, 48, (PICTURE_FACE,)),
]
WRITERS = [CsvWriter, JsonLinesWriter, ParquetWriter]


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


@pytest.mark.parametrize("kind", WRITERS)
def test_the_final_name_appears_when_the_file_is_whole(
    kind: type[ResultWriter], tmp_path: Path
) -> None:
    file = tmp_path / "out"
    file.write_bytes(b"older")
    writer = kind(file)
    writer.write(RESULTS[0])
    assert file.read_bytes() == b"older"
    assert writer.close() == file == writer.close()
    assert file.read_bytes() != b"older"
    assert list(tmp_path.iterdir()) == [file]
    with pytest.raises(OptionError, match=r"has been closed\. Start a new file"):
        writer.write(RESULTS[0])


def fail_after_one(writer: ResultWriter) -> None:
    with writer:
        writer.write(RESULTS[0])
        raise KeyError


@pytest.mark.parametrize("kind", WRITERS)
def test_an_exception_leaves_nothing_behind(kind: type[ResultWriter], tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        fail_after_one(kind(tmp_path / "out"))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_does_not_exist_is_said(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"cannot be written: No such file.*another place"):
        CsvWriter(tmp_path / "nowhere" / "out.csv")


def write_much(writer: ResultWriter, count: int) -> None:
    with writer:
        for _ in range(count):
            writer.write(RESULTS[0])


@pytest.mark.parametrize("kind", [JsonLinesWriter, ParquetWriter])
@pytest.mark.parametrize("count", [1, 100], ids=["seen at the end", "seen on the way"])
def test_a_full_disk_is_said_and_leaves_nothing(
    kind: type[ResultWriter], count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    monkeypatch.setattr(parquet, "ROW_GROUP", 50)
    (tmp_path / "out.part").symlink_to("/dev/full")
    with pytest.raises(OptionError, match=r"No space left on device.*Make room"):
        write_much(kind(tmp_path / "out"), count)
    assert list(tmp_path.iterdir()) == []


def test_tables_of_several_files_say_which(tmp_path: Path) -> None:
    for kind in WRITERS:
        with kind(tmp_path / kind.__name__, sources=True) as writer:
            writer.write(RESULTS[0], source="a, b.mp4", frame=30)
            writer.write(RESULTS[2], source="c.png", frame=0)
    with (tmp_path / "CsvWriter").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))
    assert rows[0] == ["source", *CSV_COLUMNS]
    assert [row[:2] for row in rows[1:]] == [["a, b.mp4", "30"]] * 2 + [["c.png", "0"]]
    first = json.loads((tmp_path / "JsonLinesWriter").read_text().splitlines()[0])
    assert first == {"source": "a, b.mp4", "frame": 30, **RESULTS[0].to_dict()}
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(tmp_path / "ParquetWriter")
    assert table.column("source").to_pylist() == ["a, b.mp4", "a, b.mp4", "c.png"]


def test_parquet_has_the_rows_of_the_csv_in_row_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pyarrow.parquet

    monkeypatch.setattr(parquet, "ROW_GROUP", 2)
    with ParquetWriter(tmp_path / "out.parquet") as writer:
        for result in RESULTS:
            writer.write(result)
    file = pyarrow.parquet.ParquetFile(tmp_path / "out.parquet")
    assert file.num_row_groups == 2
    assert tuple(file.schema_arrow.names) == CSV_COLUMNS
    rows = file.read().to_pylist()
    assert [row["frame"] for row in rows] == [0, 0, 2]
    assert [row["seconds"] for row in rows] == [0.0333667, 0.0333667, None]
    assert [row["track"] for row in rows] == [4, None, None]
    assert [row["label"] for row in rows] == ["happy", "uncertain", "uncertain"]
    assert [rows[0][name] for name in CLASSES] == pytest.approx(SHARES)
    with ParquetWriter(tmp_path / "empty.parquet"):
        pass
    assert pyarrow.parquet.read_table(tmp_path / "empty.parquet").num_rows == 0


def test_what_is_written_can_be_read_back() -> None:
    for result in [*RESULTS, FrameResult(8, 6, (EYED,), timings={"detect": 1.5})]:
        again = FrameResult.from_dict(json.loads(json.dumps(result.to_dict())))
        assert again == result


def test_a_table_has_the_columns_of_the_csv() -> None:
    table = to_pandas(iter(RESULTS))
    assert tuple(table.columns) == CSV_COLUMNS
    assert table["frame"].tolist() == [0, 0, 2]
    assert table["track"].tolist()[0] == 4
    assert table["track"].isna().tolist() == [False, True, True]
    assert table["seconds"].isna().tolist() == [False, False, True]
    assert table["label"].tolist() == ["happy", "uncertain", "uncertain"]
    assert table.loc[0, list(CLASSES)].tolist() == pytest.approx(SHARES)
    one = RESULTS[2].to_pandas()
    assert (len(one), one["frame"].tolist()) == (1, [0])
    nothing = to_pandas([])
    assert tuple(nothing.columns) == CSV_COLUMNS
    assert dict(nothing.dtypes) == dict(table.dtypes)


@pytest.fixture
def detections(monkeypatch: pytest.MonkeyPatch) -> None:
    """Supervision where it is installed, a stand-in for its one class where not."""
    try:
        import supervision  # noqa: F401
    except ImportError:
        module: Any = ModuleType("supervision")
        module.Detections = SimpleNamespace
        monkeypatch.setitem(sys.modules, "supervision", module)


@pytest.mark.usefixtures("detections")
def test_faces_become_detections() -> None:
    numbered = FrameResult(64, 48, (FACE, EYED), pts=1.0)
    found = numbered.to_supervision()
    assert found.xyxy.tolist() == np.float32([[1.234, 2, 30.5, 40], [1, 1, 5, 6]]).tolist()
    assert found.confidence.tolist() == pytest.approx([0.6, 0.6])
    assert found.class_id.tolist() == [3, 3]
    assert found.tracker_id.tolist() == [4, 5]
    assert found.data["class_name"].tolist() == ["happy", "happy"]
    assert found.data["probabilities"].shape == (2, 7)
    assert found.data["detector_score"].tolist() == pytest.approx([0.987654, 0.9])
    unnumbered = to_supervision(RESULTS[2])
    assert unnumbered.tracker_id is None
    assert unnumbered.class_id.tolist() == [UNCERTAIN_ID]
    nobody = to_supervision(RESULTS[1])
    assert nobody.xyxy.shape == (0, 4)
    assert nobody.data["probabilities"].shape == (0, 7)


def test_detections_are_what_supervision_itself_works_with(tmp_path: Path) -> None:
    supervision: Any = pytest.importorskip("supervision")
    found = FrameResult(64, 48, (FACE, EYED), pts=1.0).to_supervision()
    assert len(found[found.class_id == 3]) == 2
    drawn = supervision.BoxAnnotator().annotate(np.zeros((48, 64, 3), np.uint8), found)
    assert drawn.any()
    corner = supervision.PolygonZone(np.array([[0, 0], [8, 0], [8, 8], [0, 8]]))
    assert corner.trigger(found).tolist() == [False, True]
    nobody = to_supervision(RESULTS[1])
    assert nobody.is_empty()
    assert len(supervision.Detections.merge([found, nobody])) == 2
    with supervision.CSVSink(str(tmp_path / "faces.csv")) as sink:
        sink.append(found, {"seconds": 1.0})
    rows = (tmp_path / "faces.csv").read_text().splitlines()
    assert len(rows) == 3
    assert "happy" in rows[1]


@pytest.mark.parametrize(
    ("package", "use"),
    [
        ("pandas", lambda _: to_pandas(RESULTS)),
        ("supervision", lambda _: to_supervision(RESULTS[0])),
        ("pyarrow", lambda folder: ParquetWriter(folder / "out.parquet")),
    ],
)
def test_a_missing_package_is_named(
    package: str, use: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(PackageMissingError, match=f"not installed. Run `pip install {package}`"):
        use(tmp_path)
    assert list(tmp_path.iterdir()) == []
