"""Parquet: the rows of the CSV with types, in row groups, so that memory does not grow."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import IO, Any

from fer_core.emotions import CLASSES
from fer_core.errors import PackageMissingError
from fer_core.exports.columns import Columns
from fer_core.exports.rows import CSV_COLUMNS, SOURCE_COLUMN
from fer_core.exports.writer import ResultWriter
from fer_core.results import Face, FrameResult

__all__ = ["ROW_GROUP", "ParquetWriter"]

ROW_GROUP = 65_536
"""Faces in a row group: 5 MB in memory, and few enough groups for readers that skip them."""


class ParquetWriter(ResultWriter):
    """One row per face, columns as in `CSV_COLUMNS`; a frame without faces has no row.

    `seconds` and `track` are null where the CSV's cells are empty. Compressed with Zstandard.
    """

    def _prepare(self) -> None:
        try:
            import pyarrow
            import pyarrow.parquet
        except ImportError:
            raise PackageMissingError(
                "Parquet files are written by the package pyarrow, which is not installed. "
                "Run `pip install pyarrow`, or write CSV."
            ) from None
        self._arrow: Any = pyarrow
        self._parquet: Any = pyarrow.parquet

    def _open(self, file: Path) -> IO[Any]:
        return file.open("wb")

    def _start(self, stream: IO[Any]) -> None:
        pa = self._arrow
        words = pa.dictionary(pa.int32(), pa.string())
        kinds = {
            "frame": pa.int64(),
            "seconds": pa.float64(),
            "track": pa.int64(),
            "label": words,
        }
        columns = [(name, kinds.get(name, pa.float32())) for name in CSV_COLUMNS]
        if self._sources:
            columns.insert(0, (SOURCE_COLUMN, words))
        self._schema = pa.schema(columns)
        self._waiting = Columns(self._schema)
        # Dictionaries of numbers that hardly ever come twice take memory and make the file larger.
        self._table = self._parquet.ParquetWriter(
            stream,
            self._schema,
            compression="zstd",
            use_dictionary=[SOURCE_COLUMN, "track", "label"],
        )

    def _append(self, stream: IO[Any], result: FrameResult, source: str, frame: int) -> None:
        first = (source,) if self._sources else ()
        for face in result.faces:
            self._waiting.append((*first, *_cells(frame, result.pts, face)))
        if len(self._waiting) >= ROW_GROUP:
            self._flush()

    def _flush(self) -> None:
        if not self._waiting:
            return
        rows, self._waiting = self._waiting, Columns(self._schema)
        self._table.write_table(rows.table())

    def _finish(self, stream: IO[Any]) -> None:
        try:
            self._flush()
            self._table.close()
        except BaseException:
            self._abandon()
            raise

    def discard(self) -> None:
        """Remove what was written; after `close` it does nothing."""
        self._abandon()
        super().discard()

    def _abandon(self) -> None:
        """Keep pyarrow from writing an end into a file that is going away."""
        table = getattr(self, "_table", None)
        if table is not None and table.is_open:
            with contextlib.suppress(Exception):
                table.close()
            table.is_open = False


def _cells(frame: int, pts: float | None, face: Face) -> tuple[Any, ...]:
    box = face.box
    return (
        frame,
        pts,
        face.track_id,
        *(box.x0, box.y0, box.x1, box.y1),
        face.score,
        face.label,
        face.confidence,
        *face.probabilities[: len(CLASSES)],
    )
