"""The results of a cluster's run: partitioned Parquet that only one process writes.

    DIR/faces/kind=clip/part-000001.parquet   a row a face; `content` is its file's SHA-256
    DIR/faces/kind=picture/part-000002.parquet
    DIR/files.parquet                          a row a file of the last run
    DIR/failed.csv                             the files that failed, each with its sentence
    DIR/fer-live.ledger                        which contents are done, and in which part

A part is moved into place whole, and then its contents enter the ledger in one transaction. What a
killed run leaves between the two is a part that the ledger does not name: it is removed at the next
start, and its files are done again. So no row is lost and none is there twice.
"""

from __future__ import annotations

import csv
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer_core.commands.ledger import Ledger
from fer_core.commands.sources import CLIP, PICTURE
from fer_core.emotions import CLASSES, UNCERTAIN
from fer_core.errors import OptionError

if TYPE_CHECKING:
    import pyarrow

__all__ = ["Parts", "write_failed", "write_files"]

PART_ROWS = 250_000
PART_FILES = 5_000
PART_SECONDS = 30.0
"""A part is written when it has so many rows or files, or when a file comes so long after the last
part: short files are gathered, and a long clip is safe as soon as it is done."""

_NAME = re.compile(r"part-(\d+)\.parquet")


@dataclass
class _Waiting:
    tables: list[Any] = field(default_factory=list)
    done: dict[str, dict[str, Any]] = field(default_factory=dict)
    rows: int = 0


class Parts:
    """The folder `faces`, with what the ledger knows of it."""

    def __init__(
        self, folder: Path, ledger: Ledger, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Take up what earlier runs left, and remove what they left half done.

        Raises:
            OptionError: the folder holds results of other options, or cannot be written.
        """
        self.folder = folder / "faces"
        self._ledger = ledger
        self._clock = clock
        if any("part" in summary for _, summary in ledger.summaries(others=True)):
            raise OptionError(
                f"{folder} holds results of another model or of other options. Give --out another "
                "folder, or remove this one."
            )
        self.done = {
            content: summary
            for content, summary in ledger.summaries()
            if (self.folder / summary["part"]).is_file()
        }
        """Summary of every file whose rows are in a part, by SHA-256."""
        self._waiting = {kind: _Waiting() for kind in (CLIP, PICTURE)}
        self._last = dict.fromkeys(self._waiting, clock())
        self._number = 0
        try:
            self._remove_leftovers()
        except OSError as error:
            raise _cannot(self.folder, error) from None

    def add(self, kind: str, content: str, summary: Mapping[str, Any], rows: bytes) -> None:
        """Take the rows of a file; the second time the same content comes it is dropped.

        Raises:
            OptionError: a part cannot be written.
        """
        import pyarrow

        waiting = self._waiting[kind]
        if content in self.done or content in waiting.done:
            return
        table = pyarrow.parquet.read_table(pyarrow.BufferReader(rows))
        words = pyarrow.array([content], pyarrow.string()).dictionary_encode()
        # One number a row, all of the same word.
        numbers = pyarrow.nulls(table.num_rows, pyarrow.int32()).fill_null(0)
        column = pyarrow.DictionaryArray.from_arrays(numbers, words.dictionary)
        waiting.tables.append(table.add_column(1, "content", column))
        waiting.done[content] = dict(summary)
        waiting.rows += table.num_rows
        many = waiting.rows >= PART_ROWS or len(waiting.done) >= PART_FILES
        if many or self._clock() - self._last[kind] >= PART_SECONDS:
            self._write(kind)

    def flush(self) -> None:
        """Write all that waits.

        Raises:
            OptionError: a part cannot be written; what is in place stays.
        """
        for kind, waiting in self._waiting.items():
            if waiting.done:
                self._write(kind)

    def _write(self, kind: str) -> None:
        import pyarrow

        waiting = self._waiting[kind]
        table = pyarrow.concat_tables(waiting.tables).unify_dictionaries()
        self._number += 1
        part = f"kind={kind}/part-{self._number:06d}.parquet"
        file = self.folder / part
        _write_whole(table, file)
        done = {content: {**summary, "part": part} for content, summary in waiting.done.items()}
        self._ledger.keep(done.items())
        self.done.update(done)
        self._waiting[kind] = _Waiting()
        self._last[kind] = self._clock()

    def _remove_leftovers(self) -> None:
        named = {summary["part"] for summary in self.done.values()}
        for file in sorted(self.folder.glob("kind=*/part-*.parquet*")):
            match = _NAME.fullmatch(file.name)
            if file.relative_to(self.folder).as_posix() not in named:
                if match or _NAME.fullmatch(file.name.removesuffix(".part")):
                    file.unlink()
            elif match:
                self._number = max(self._number, int(match[1]))


def _write_whole(table: pyarrow.Table, file: Path) -> None:
    """Write Parquet beside `file` and move it into place."""
    import pyarrow.parquet

    beside = file.with_name(file.name + ".part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            pyarrow.parquet.write_table(table, beside, compression="zstd")
            beside.replace(file)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise _cannot(file, error) from None


def write_files(file: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write the table of the files of a run.

    Args:
        file: where it goes; moved into place whole.
        rows: a row a file: `source`, `kind`, `content`, `error`, and its summary.

    Raises:
        OptionError: it cannot be written.
    """
    import pyarrow

    text, whole = pyarrow.string(), pyarrow.int64()
    schema = pyarrow.schema(
        [
            *((name, text) for name in ("source", "kind", "content", "error", "part")),
            ("seconds", pyarrow.float64()),
            *((name, whole) for name in ("width", "height", "frames", "frames_analysed")),
            *((name, whole) for name in ("faces", "people", *CLASSES, UNCERTAIN)),
            ("warnings", pyarrow.list_(text)),
        ]
    )
    flat = [{**row, **row.get("labels", {})} for row in rows]
    table = pyarrow.Table.from_pylist(flat, schema)
    _write_whole(table, file)


def write_failed(file: Path, failed: Iterable[tuple[str, str]]) -> bool:
    """Write name and sentence of every file that failed; without any, an older list is removed.

    Returns:
        Whether there is a list.

    Raises:
        OptionError: it cannot be written.
    """
    rows = list(failed)
    try:
        if not rows:
            file.unlink(missing_ok=True)
            return False
        with file.open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerows([("source", "error"), *rows])
    except OSError as error:
        raise _cannot(file, error) from None
    return True


def _cannot(file: Path, error: OSError) -> OptionError:
    why = error.strerror or str(error)
    return OptionError(f"{file} cannot be written: {why}. Make room or choose another place.")
