"""Results as files: CSV (a row a face) and JSON lines (a line a frame), written as they come.

Both writers write beside the wanted file and move it into place when they are closed, so that a
half-written file never carries the final name.
"""

from __future__ import annotations

import contextlib
import csv
import json
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from fer_core.emotions import CLASSES
from fer_core.errors import OptionError
from fer_core.results import Face, FrameResult

__all__ = ["CSV_COLUMNS", "CsvWriter", "JsonLinesWriter", "ResultWriter", "face_row"]

CSV_COLUMNS: tuple[str, ...] = (
    "frame",
    "seconds",
    "track",
    "x0",
    "y0",
    "x1",
    "y1",
    "detector_score",
    "label",
    "confidence",
    *CLASSES,
)
"""Columns of the CSV. `frame` counts written results from 0, also those without a face; `seconds`
is the frame's own time (empty for pictures); box corners are pixels; the last seven columns are
the probabilities."""


def face_row(frame: int, pts: float | None, face: Face) -> list[str]:
    """The cells of one face, in the order of `CSV_COLUMNS`."""
    return [
        str(frame),
        "" if pts is None else f"{pts:.6f}",
        "" if face.track_id is None else str(face.track_id),
        *(f"{edge:.2f}" for edge in (face.box.x0, face.box.y0, face.box.x1, face.box.y1)),
        f"{face.score:.4f}",
        face.label,
        f"{face.confidence:.6f}",
        *(f"{probability:.6f}" for probability in face.probabilities),
    ]


class ResultWriter:
    """A file that grows by one result at a time.

    As a context manager it finishes the file when the block ends, and removes it when the block
    raises. One instance serves one thread.
    """

    def __init__(self, file: Path) -> None:
        """Start a file.

        Args:
            file: where it will be; an older one is replaced when this one is complete.

        Raises:
            OptionError: the file cannot be created there.
        """
        self.file = Path(file)
        self.written = 0
        self._beside = self.file.with_name(self.file.name + ".part")
        try:
            self._stream: TextIO | None = self._beside.open("w", encoding="utf-8", newline="")
        except OSError as error:
            raise OptionError(
                f"{self.file} cannot be written: {error.strerror}. Choose another place."
            ) from None
        self._start(self._stream)

    def write(self, result: FrameResult) -> None:
        """Append one result.

        Raises:
            OptionError: the file has been closed, or the disk is full.
        """
        if self._stream is None:
            raise OptionError(f"{self.file} has been closed. Start a new file.")
        try:
            self._append(self._stream, result)
        except OSError as error:
            raise self._failed(error) from None
        self.written += 1

    def close(self) -> Path:
        """Finish the file and move it into place; calling it twice is allowed.

        Raises:
            OptionError: the disk is full, or the place is gone.
        """
        if self._stream is not None:
            stream, self._stream = self._stream, None
            try:
                stream.close()
                self._beside.replace(self.file)
            except OSError as error:
                self._beside.unlink(missing_ok=True)
                raise self._failed(error) from None
        return self.file

    def discard(self) -> None:
        """Remove what was written; after `close` it does nothing."""
        if self._stream is not None:
            stream, self._stream = self._stream, None
            with contextlib.suppress(OSError):  # a full disk: the file goes away anyway
                stream.close()
            self._beside.unlink(missing_ok=True)

    def _start(self, stream: TextIO) -> None:
        """Write what stands before the first result."""

    def _append(self, stream: TextIO, result: FrameResult) -> None:
        raise NotImplementedError

    def _failed(self, error: OSError) -> OptionError:
        return OptionError(
            f"{self.file} cannot be written: {error.strerror}. Make room or choose another place."
        )

    def __enter__(self) -> ResultWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()


class CsvWriter(ResultWriter):
    """One row per face, columns as in `CSV_COLUMNS`; a frame without faces has no row."""

    def _start(self, stream: TextIO) -> None:
        self._rows: Any = csv.writer(stream, lineterminator="\n")
        self._rows.writerow(CSV_COLUMNS)

    def _append(self, stream: TextIO, result: FrameResult) -> None:
        self._rows.writerows(face_row(self.written, result.pts, face) for face in result.faces)


class JsonLinesWriter(ResultWriter):
    """One JSON object per frame, also for frames without faces: `FrameResult.to_dict`."""

    def _append(self, stream: TextIO, result: FrameResult) -> None:
        stream.write(json.dumps(result.to_dict(), ensure_ascii=False) + "\n")
