"""Parquet that survives its writer: a folder of whole files, and one file in the end.

A Parquet file is nothing without its last bytes. So rows go into a small file that is written anew
each second, beside its place and then moved there, and left alone once it holds enough.
`pandas.read_parquet` and most other readers take the folder for one table.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

__all__ = ["ParquetParts"]

ROWS_A_PART = 3000
"""Rewriting so many takes some 5 ms; an hour of one face at 15 frames a second is 18 files."""


class ParquetParts:
    """Rows in `file` with the ending `.parts`, a folder, until `close` makes `file` of them.

    Does nothing where pyarrow is not installed. One thread.

    Attributes:
        bytes: written so far.
    """

    def __init__(self, file: Path) -> None:
        """Begin the folder.

        Raises:
            OSError: it cannot be created.
        """
        self.file = file
        self.folder = file.with_name(file.name + ".parts")
        self.bytes = 0
        self._sealed = self._parts = 0
        self._rows: list[tuple[Any, ...]] = []
        self._fresh = False
        try:
            import pyarrow
            import pyarrow.parquet
        except ImportError:
            self._arrow: Any = None
            return
        self._arrow, self._parquet = pyarrow, pyarrow.parquet
        self._schema = _schema(pyarrow)
        self.folder.mkdir()
        # The first table loads much (pandas too, where it is installed), which may take seconds:
        # here nobody waits for it, and in the midst of a recording frames would.
        blank = tuple(None for _ in self._schema)
        self._parquet.write_table(self._table([blank]), pyarrow.BufferOutputStream())

    def write(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Take rows, cells in the order of `RECORD_COLUMNS`; `sync` puts them on disk."""
        if self._arrow is not None and rows:
            self._rows.extend(rows)
            self._fresh = True

    def sync(self) -> None:
        """Put all rows so far on disk.

        Raises:
            OSError: the disk is full or the place is gone.
        """
        if not self._fresh:
            return
        part = self.folder / f"part-{self._parts:05}.parquet"
        beside = part.with_name(part.name + ".new")
        try:
            self._parquet.write_table(self._table(self._rows), beside, compression="zstd")
            beside.replace(part)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
        size = part.stat().st_size
        self.bytes = self._sealed + size
        self._fresh = False
        if len(self._rows) >= ROWS_A_PART:
            self._sealed += size
            self._parts += 1
            self._rows = []

    def close(self) -> None:
        """Make one file of the parts.

        Raises:
            OSError: the disk is full; the parts stay.
        """
        if self._arrow is None:
            return
        self.sync()
        beside = self.file.with_name(self.file.name + ".new")
        try:
            with self._parquet.ParquetWriter(beside, self._schema, compression="zstd") as whole:
                for part in sorted(self.folder.glob("part-*.parquet")):
                    whole.write_table(self._parquet.read_table(part, schema=self._schema))
            beside.replace(self.file)
        except BaseException:
            with contextlib.suppress(OSError):
                beside.unlink(missing_ok=True)
            raise
        shutil.rmtree(self.folder, ignore_errors=True)

    def _table(self, rows: Sequence[tuple[Any, ...]]) -> Any:
        arrays = [
            self._arrow.array(values, type=field.type)
            for values, field in zip(zip(*rows, strict=True), self._schema, strict=True)
        ]
        return self._arrow.Table.from_arrays(arrays, schema=self._schema)


def _schema(pa: Any) -> Any:
    from fer_core.recording.rows import RECORD_COLUMNS

    words = pa.string()
    kinds = {
        "time": words,
        "frame": pa.int64(),
        "seconds": pa.float64(),
        "track": pa.int64(),
        "label": words,
        "quality": words,
        "marker": words,
    }
    return pa.schema([(name, kinds.get(name, pa.float32())) for name in RECORD_COLUMNS])
