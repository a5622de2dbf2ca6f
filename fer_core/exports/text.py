"""CSV (a row a face) and JSON lines (a line a frame)."""

from __future__ import annotations

import csv
import json
from typing import IO, Any

from fer_core.exports.rows import CSV_COLUMNS, SOURCE_COLUMN, face_row
from fer_core.exports.writer import ResultWriter
from fer_core.results import FrameResult

__all__ = ["CsvWriter", "JsonLinesWriter"]


class CsvWriter(ResultWriter):
    """One row per face, columns as in `CSV_COLUMNS`; a frame without faces has no row."""

    def _start(self, stream: IO[Any]) -> None:
        self._rows: Any = csv.writer(stream, lineterminator="\n")
        self._rows.writerow([SOURCE_COLUMN, *CSV_COLUMNS] if self._sources else CSV_COLUMNS)

    def _append(self, stream: IO[Any], result: FrameResult, source: str, frame: int) -> None:
        first = [source] if self._sources else []
        self._rows.writerows(first + face_row(frame, result.pts, face) for face in result.faces)


class JsonLinesWriter(ResultWriter):
    """One JSON object per frame, also for frames without faces: `FrameResult.to_dict`.

    With `sources`, each object begins with `source` and `frame`.
    """

    def _append(self, stream: IO[Any], result: FrameResult, source: str, frame: int) -> None:
        data = result.to_dict()
        if self._sources:
            data = {SOURCE_COLUMN: source, "frame": frame, **data}
        stream.write(json.dumps(data, ensure_ascii=False) + "\n")
