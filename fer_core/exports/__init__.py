"""Results as files (CSV, JSON lines, Parquet) and as the objects of other libraries.

Every writer writes beside the wanted file and moves it into place when it is closed, so that a
half-written file never carries the final name.
"""

from __future__ import annotations

from fer_core.exports.parquet import ParquetWriter
from fer_core.exports.rows import CSV_COLUMNS, face_row
from fer_core.exports.tables import UNCERTAIN_ID, to_pandas, to_supervision
from fer_core.exports.text import CsvWriter, JsonLinesWriter
from fer_core.exports.writer import ResultWriter

__all__ = [
    "CSV_COLUMNS",
    "UNCERTAIN_ID",
    "CsvWriter",
    "JsonLinesWriter",
    "ParquetWriter",
    "ResultWriter",
    "face_row",
    "to_pandas",
    "to_supervision",
]
