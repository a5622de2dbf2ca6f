"""Rows on their way into Parquet: the same as Arrow would make of them, in a sixth of the room."""

from __future__ import annotations

import gc
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pyarrow
import pytest

from fer_core.exports import ParquetWriter
from fer_core.exports.columns import Columns
from fer_core.results import Box, Face, FrameResult

KINDS = {
    "frame": pyarrow.int64(),
    "seconds": pyarrow.float64(),
    "score": pyarrow.float32(),
    "label": pyarrow.dictionary(pyarrow.int32(), pyarrow.string()),
}
SCHEMA = pyarrow.schema(list(KINDS.items()))
ROWS = [
    (0, None, 0.1, "happy"),
    (2**40, 1 / 3, 1.0, "jälleen"),
    (-1, 0.0, None, ""),
    *((n, None if n % 3 else n / 7, n / 11, "happy") for n in range(20)),
]
FACES = 4000
BYTES_A_ROW = 100
"""17 columns of 4 or 8 bytes are 80, and arrays grow by more than is needed at once."""


@pytest.mark.parametrize("count", [0, 1, 3, 8, len(ROWS)])
def test_a_table_is_what_arrow_makes_of_the_rows(count: int) -> None:
    columns = Columns(SCHEMA)
    for row in ROWS[:count]:
        columns.append(row)
    assert len(columns) == count
    table = columns.table()
    table.validate(full=True)
    given = zip(*ROWS[:count], strict=True) if count else [()] * len(KINDS)
    expected = [
        pyarrow.array(values, kind) for values, kind in zip(given, KINDS.values(), strict=True)
    ]
    assert table == pyarrow.Table.from_arrays(expected, schema=SCHEMA)
    nulls = [column.null_count for column in table.columns]
    assert nulls == [array.null_count for array in expected]


def test_a_face_that_waits_for_its_row_group_takes_little_room(tmp_path: Path) -> None:
    with ParquetWriter(tmp_path / "out.parquet") as writer:
        writer.write(seen(0))
        tracemalloc.start()
        try:
            for frame in range(1, FACES):
                writer.write(seen(frame))
            gc.collect()  # also what Python keeps of tuples for the next ones
            kept = tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()
    assert kept / FACES < BYTES_A_ROW


def test_pandas_is_not_imported_to_write_parquet(tmp_path: Path) -> None:
    pytest.importorskip("pandas")
    command = (
        "import sys; from pathlib import Path; from fer_core.exports import ParquetWriter; "
        "from fer_core.results import Box, Face, FrameResult; "
        "face = Face(Box(1, 1, 9, 9), 1.0, (1.0,) + 6 * (0.0,), 'angry'); "
        "writer = ParquetWriter(Path(sys.argv[1])); writer.write(FrameResult(9, 9, (face,))); "
        "writer.close(); print('pandas' in sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-c", command, str(tmp_path / "out.parquet")],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert run.stdout.split() == ["False"]


def seen(frame: int) -> FrameResult:
    """A frame with a face, all of whose numbers are its own."""
    part = frame / FACES
    box = Box(20 + part, 21 + part, 60 + part, 61 + part)
    shares = tuple((n + part) / 28 for n in range(7))
    return FrameResult(64, 48, (Face(box, 1 - part / 2, shares, "happy", 1),), pts=frame / 30)
