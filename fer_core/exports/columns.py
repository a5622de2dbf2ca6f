"""Rows kept as columns of numbers, and given to Arrow as they lie in memory.

A row of Python's numbers takes six times the room. And Arrow's own way from Python's values to
columns, `pyarrow.array`, imports pandas wherever that is installed: another 50 MB.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["Columns"]

_CODES = {"int64": "q", "double": "d", "float": "f"}
"""Arrow's name of a type -> `array.array`'s letter for it."""


class Columns:
    """A table that grows by rows until it is handed over, once."""

    def __init__(self, schema: Any) -> None:
        """Start without a row.

        Args:
            schema: a `pyarrow.Schema` of int64, float64, float32, and of strings as a dictionary
                with int32 indices; numbers may be null.
        """
        self._schema = schema
        self._columns = [
            _Numbers(_CODES[str(field.type)]) if str(field.type) in _CODES else _Words()
            for field in schema
        ]
        self._rows = 0

    def __len__(self) -> int:
        return self._rows

    def append(self, row: Sequence[Any]) -> None:
        """Take in a row: a value for each column, None for null."""
        for column, value in zip(self._columns, row, strict=True):
            column.append(value)
        self._rows += 1

    def table(self) -> Any:
        """All of it as a `pyarrow.Table`, not copied; no row can be appended any more."""
        import pyarrow

        arrays = [
            column.arrow(pyarrow, field.type)
            for column, field in zip(self._columns, self._schema, strict=True)
        ]
        return pyarrow.Table.from_arrays(arrays, schema=self._schema)


class _Numbers:
    def __init__(self, code: str) -> None:
        self._values = array(code)
        self._nulls: list[int] = []

    def append(self, value: Any) -> None:
        if value is None:
            self._nulls.append(len(self._values))
            value = 0
        self._values.append(value)

    def arrow(self, pyarrow: Any, kind: Any) -> Any:
        count, valid = len(self._values), None
        if self._nulls:
            there = np.ones(count, bool)
            there[self._nulls] = False
            valid = pyarrow.py_buffer(np.packbits(there, bitorder="little"))
        buffers = [valid, pyarrow.py_buffer(self._values)]
        return pyarrow.Array.from_buffers(kind, count, buffers, len(self._nulls))


class _Words:
    """Each different word once, and for each row which of them it is."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}
        self._indices = array("i")

    def append(self, word: str) -> None:
        self._indices.append(self._codes.setdefault(word, len(self._codes)))

    def arrow(self, pyarrow: Any, kind: Any) -> Any:
        indices = pyarrow.Array.from_buffers(
            kind.index_type, len(self._indices), [None, pyarrow.py_buffer(self._indices)]
        )
        written = [word.encode() for word in self._codes]
        ends = array("i", [0])
        for word in written:
            ends.append(ends[-1] + len(word))
        words = pyarrow.Array.from_buffers(
            kind.value_type,
            len(written),
            [None, pyarrow.py_buffer(ends), pyarrow.py_buffer(b"".join(written))],
        )
        return pyarrow.DictionaryArray.from_arrays(indices, words)
