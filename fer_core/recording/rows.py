"""A row for every face and frame, in three files that grow together."""

from __future__ import annotations

import contextlib
import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from fer_core.exports.rows import CSV_COLUMNS, face_row
from fer_core.recording.parts import ParquetParts
from fer_core.results import Face, FrameResult

__all__ = ["RECORD_COLUMNS", "RecordedFrame", "RowFiles"]

RECORD_COLUMNS: tuple[str, ...] = ("time", *CSV_COLUMNS, "quality", "marker")
"""Columns of a recording. `time` is the wall clock, UTC, ISO 8601 with milliseconds; `seconds`
counts from the start of the recording and of its clip; `quality` lists what is wrong with the
picture of the face, separated by semicolons, and is empty for a good one; `marker` is the viewer's
note, `-` for a marker without one, and stands in the first row of its frame. A marked frame
without a face has a row whose other cells are empty."""


@dataclass(frozen=True)
class RecordedFrame:
    """One frame to be written.

    Attributes:
        number: from 0.
        time: wall clock, UTC, ISO 8601.
        seconds: from the start of the recording.
        result: what was found.
        markers: notes of the viewer, given since the frame before.
    """

    number: int
    time: str
    seconds: float
    result: FrameResult
    markers: tuple[str, ...] = ()


class RowFiles:
    """`faces.csv` (a row a face), `frames.jsonl` (a line a frame) and `faces.parquet` in a folder.

    One thread. `sync` once a second makes them whole up to then.
    """

    def __init__(self, folder: Path) -> None:
        """Begin the files.

        Raises:
            OSError: they cannot be created there.
        """
        self._streams: list[IO[str]] = []
        try:
            self._csv = self._open(folder / "faces.csv")
            self._lines = self._open(folder / "frames.jsonl")
            self._parts = ParquetParts(folder / "faces.parquet")
        except BaseException:
            self.abandon()
            raise
        self._writer = csv.writer(self._csv, lineterminator="\n")
        self._writer.writerow(RECORD_COLUMNS)

    @property
    def bytes(self) -> int:
        """Written so far, roughly."""
        return sum(stream.tell() for stream in self._streams) + self._parts.bytes

    def write(self, frame: RecordedFrame) -> None:
        """Append one frame.

        Raises:
            OSError: the disk is full or the place is gone.
        """
        note = "; ".join(note or "-" for note in frame.markers)
        rows = [_cells(frame, face, note if at == 0 else "") for at, face in _faces(frame)]
        self._writer.writerows(rows)
        self._parts.write([_typed(row) for row in rows])
        line = {
            "frame": frame.number,
            "time": frame.time,
            "seconds": round(frame.seconds, 6),
            "markers": list(frame.markers),
            **frame.result.to_dict(),
        }
        self._lines.write(json.dumps(line, ensure_ascii=False) + "\n")

    def sync(self) -> None:
        """Hand everything over to the operating system.

        Raises:
            OSError: the disk is full or the place is gone.
        """
        for stream in self._streams:
            stream.flush()
        self._parts.sync()

    def close(self) -> None:
        """Finish the files.

        Raises:
            OSError: the disk is full or the place is gone.
        """
        try:
            for stream in self._streams:
                stream.flush()
            self._parts.close()
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Let go of the files as they are; calling it twice is allowed."""
        for stream in self._streams:
            with contextlib.suppress(OSError):
                stream.close()

    def _open(self, file: Path) -> IO[str]:
        self._streams.append(file.open("w", encoding="utf-8", newline=""))
        return self._streams[-1]


def _faces(frame: RecordedFrame) -> list[tuple[int, Face | None]]:
    faces: Sequence[Face | None] = frame.result.faces
    return list(enumerate(faces or ([None] if frame.markers else [])))


def _cells(frame: RecordedFrame, face: Face | None, note: str) -> list[str]:
    if face is None:
        blank = [""] * (len(CSV_COLUMNS) - 2)
        return [frame.time, str(frame.number), f"{frame.seconds:.6f}", *blank, "", note]
    quality = "" if face.quality is None else ";".join(face.quality.problems)
    return [frame.time, *face_row(frame.number, frame.seconds, face), quality, note]


_WORDS = frozenset({"time", "label", "quality", "marker"})
_WHOLE = frozenset({"frame", "track"})


def _typed(row: Sequence[str]) -> tuple[Any, ...]:
    values: list[Any] = []
    for name, cell in zip(RECORD_COLUMNS, row, strict=True):
        if name in _WORDS:
            values.append(cell or None if name != "quality" else cell)
        elif cell == "":
            values.append(None)
        else:
            values.append(int(cell) if name in _WHOLE else float(cell))
    return tuple(values)
