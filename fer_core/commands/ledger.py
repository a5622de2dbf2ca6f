"""What a run has done so far, in one file beside its results: so that a killed run goes on.

The ledger is a SQLite database. A file's results enter it in one transaction, when the file is
done, and under the SHA-256 of its content: a run that is killed leaves whole files or nothing of
them, and a file that was renamed is known again. The tables that people read are written from it.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fer_core.errors import OptionError
from fer_core.results import FrameResult

__all__ = ["LEDGER_FILE", "Entry", "Ledger", "LedgerError", "Record"]

LEDGER_FILE = "fer-live.ledger"
LAYOUT = 1
FRAMES_A_PART = 256
_LASTING = 0x46455231
"""Mark, in SQLite's header, of a ledger that a run over a folder wants to find again."""

_TABLES = """
CREATE TABLE sources (
    id INTEGER PRIMARY KEY, content TEXT NOT NULL, settings TEXT NOT NULL,
    summary TEXT NOT NULL, thumbnails TEXT, UNIQUE (content, settings));
CREATE TABLE frames (
    source INTEGER NOT NULL, part INTEGER NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (source, part)) WITHOUT ROWID;
CREATE TABLE copies (
    path BLOB PRIMARY KEY, content TEXT NOT NULL, settings TEXT NOT NULL, file BLOB NOT NULL);
"""


class LedgerError(OptionError):
    """The ledger cannot be used, so that nothing more can be kept."""


@dataclass(frozen=True)
class Record:
    """What is known of a file that is done.

    Attributes:
        number: the ledger's own.
        summary: what is printed about the file.
        thumbnails: pairs of a caption and a JPEG in base64; None where none were asked for.
    """

    number: int
    summary: dict[str, Any]
    thumbnails: tuple[tuple[str, str], ...] | None


class Entry:
    """A file that is being done: takes its frames one by one."""

    def __init__(self, database: sqlite3.Connection, number: int) -> None:
        self._database = database
        self._number = number
        self._lines: list[str] = []
        self._part = 0

    def add(self, index: int, result: FrameResult) -> None:
        """Append the result of frame `index`."""
        self._lines.append(json.dumps([index, result.to_dict()], separators=(",", ":")))
        if len(self._lines) >= FRAMES_A_PART:
            self.flush()

    def flush(self) -> None:
        """Hand over what waits."""
        if self._lines:
            data = zlib.compress("\n".join(self._lines).encode(), 1)
            self._database.execute(
                "INSERT INTO frames VALUES (?, ?, ?)", (self._number, self._part, data)
            )
            self._lines.clear()
            self._part += 1


class Ledger:
    """The ledger of one folder of results, for one way of analysing."""

    def __init__(self, file: Path, settings: str, lasting: bool) -> None:
        """Open or begin a ledger.

        Args:
            file: where it lies.
            settings: fingerprint of everything that the results depend on; what was done with
                other settings is left alone and not found.
            lasting: whether it stays when all is done, for later runs over the same folder.

        Raises:
            LedgerError: another run holds it, it is another kind of file, or it cannot be written.
        """
        self.file = file
        self._settings = settings
        self._lasting = lasting
        with self._sentences():
            self._database = sqlite3.connect(file, timeout=1.0, isolation_level=None)
            try:
                self._open()
            except BaseException:
                self._database.close()
                raise

    def find(self, content: str) -> Record | None:
        """What is known of the file whose content has this SHA-256."""
        with self._sentences():
            row = self._database.execute(
                "SELECT id, summary, thumbnails FROM sources WHERE content = ? AND settings = ?",
                (content, self._settings),
            ).fetchone()
        if row is None:
            return None
        pairs = None if row[2] is None else tuple((a, b) for a, b in json.loads(row[2]))
        return Record(row[0], json.loads(row[1]), pairs)

    @contextlib.contextmanager
    def entry(self, content: str) -> Iterator[Entry]:
        """A transaction for one file; what is not finished with `finish` leaves no trace."""
        with self._sentences():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                old = (content, self._settings)
                self._database.execute(
                    "DELETE FROM frames WHERE source IN "
                    "(SELECT id FROM sources WHERE content = ? AND settings = ?)",
                    old,
                )
                self._database.execute(
                    "DELETE FROM sources WHERE content = ? AND settings = ?", old
                )
                cursor = self._database.execute(
                    "INSERT INTO sources (content, settings, summary) VALUES (?, ?, '')", old
                )
                yield Entry(self._database, cursor.lastrowid or 0)
            finally:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")

    def finish(
        self,
        entry: Entry,
        content: str,
        summary: dict[str, Any],
        thumbnails: tuple[tuple[str, str], ...] | None,
        copy: tuple[str, str, str] | None,
    ) -> None:
        """Keep what was entered.

        Args:
            entry: what `entry` gave.
            content: SHA-256 of the file.
            summary: what is printed about it.
            thumbnails: see `Record`.
            copy: the file's path, what its annotated copy depends on, and the copy's path.
        """
        with self._sentences():
            entry.flush()
            self._database.execute(
                "UPDATE sources SET summary = ?, thumbnails = ? WHERE content = ? AND settings = ?",
                (
                    json.dumps(summary),
                    None if thumbnails is None else json.dumps(thumbnails),
                    content,
                    self._settings,
                ),
            )
            if copy is not None:
                self._database.execute(
                    "INSERT OR REPLACE INTO copies VALUES (?, ?, ?, ?)",
                    (_key(copy[0]), content, self._settings + copy[1], os.fsencode(copy[2])),
                )
            self._database.execute("COMMIT")

    def keep(self, done: Iterable[tuple[str, dict[str, Any]]]) -> None:
        """Keep the SHA-256 and summary of files whose frames lie elsewhere: of all, or of none."""
        with self._sentences():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                self._database.executemany(
                    "INSERT OR REPLACE INTO sources (content, settings, summary) VALUES (?, ?, ?)",
                    [(content, self._settings, json.dumps(summary)) for content, summary in done],
                )
                self._database.execute("COMMIT")
            finally:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")

    def summaries(self, *, others: bool = False) -> Iterator[tuple[str, dict[str, Any]]]:
        """SHA-256 and summary of every file that is done; `others`: of those with other settings.

        The ledger must not be written to before the last one has been taken.
        """
        sign = "!=" if others else "="
        with self._sentences():
            rows = self._database.execute(
                f"SELECT content, summary FROM sources WHERE settings {sign} ? ORDER BY id",
                (self._settings,),
            )
            for content, summary in rows:
                yield content, json.loads(summary)

    def frames(self, record: Record) -> Iterator[tuple[int, FrameResult]]:
        """Index and result of every analysed frame, in order."""
        with self._sentences():
            parts = self._database.execute(
                "SELECT data FROM frames WHERE source = ? ORDER BY part", (record.number,)
            )
            for (data,) in parts:
                for line in zlib.decompress(data).decode().split("\n"):
                    index, result = json.loads(line)
                    yield index, FrameResult.from_dict(result)

    def copy_of(self, path: str) -> str | None:
        """Where the annotated copy of this file was written, by whichever run."""
        with self._sentences():
            row = self._database.execute(
                "SELECT file FROM copies WHERE path = ?", (_key(path),)
            ).fetchone()
        return None if row is None else os.fsdecode(row[0])

    def has_copy(self, path: str, content: str, depends_on: str, copy: str) -> bool:
        """Whether `copy` is there and was made of this file, this content, and in this way."""
        with self._sentences():
            row = self._database.execute(
                "SELECT file FROM copies WHERE path = ? AND content = ? AND settings = ?",
                (_key(path), content, self._settings + depends_on),
            ).fetchone()
        return row is not None and os.fsdecode(row[0]) == copy and Path(copy).is_file()

    def copies(self) -> list[str]:
        """All annotated copies that any run wrote."""
        with self._sentences():
            return [
                os.fsdecode(row[0]) for row in self._database.execute("SELECT file FROM copies")
            ]

    def close(self, complete: bool = False) -> None:
        """Let go of the file; it is removed when the work is complete and no run wants it to last.

        Calling it twice is allowed.
        """
        self._database.close()
        if complete and not self._lasting:
            self.file.unlink(missing_ok=True)

    def _open(self) -> None:
        # One run at a time: whoever comes second gets a sentence, not half of the rows.
        self._database.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.execute("BEGIN EXCLUSIVE")
        (layout,) = self._database.execute("PRAGMA user_version").fetchone()
        if layout == 0:
            for statement in _TABLES.split(";\n"):
                self._database.execute(statement)
            self._database.execute(f"PRAGMA user_version = {LAYOUT}")
        (lasting,) = self._database.execute("PRAGMA application_id").fetchone()
        self._lasting = self._lasting or lasting == _LASTING
        if self._lasting and layout in (0, LAYOUT):
            self._database.execute(f"PRAGMA application_id = {_LASTING}")
        self._database.execute("COMMIT")
        if layout not in (0, LAYOUT):
            raise LedgerError(
                f"The ledger {self.file} was written by another version (layout {layout}, this one "
                f"is {LAYOUT}). Remove it, or write the results into another folder."
            )

    @contextlib.contextmanager
    def _sentences(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise LedgerError(self._sentence(error)) from None

    def _sentence(self, error: sqlite3.Error) -> str:
        text = str(error)
        if "locked" in text:
            return (
                f"Another run is writing results here (it holds {self.file}). Wait until it has "
                "ended, or write into another folder."
            )
        if "not a database" in text or "malformed" in text or "already exists" in text:
            return (
                f"{self.file} is not a ledger of this program, or it is damaged. Remove it, or "
                "write the results into another folder."
            )
        return (
            f"The ledger {self.file} cannot be written: {text}. Make room or choose another folder."
        )


def _key(path: str) -> bytes:
    return os.fsencode(os.path.normpath(Path(path).absolute()))
