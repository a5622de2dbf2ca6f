"""What stands in a row of a table: the same columns in CSV, Parquet and pandas."""

from __future__ import annotations

from fer_core.emotions import CLASSES
from fer_core.results import Face

__all__ = ["CSV_COLUMNS", "SOURCE_COLUMN", "face_row"]

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
"""Columns of the tables. `frame` counts written results from 0, also those without a face;
`seconds` is the frame's own time (empty for pictures); box corners are pixels; the last seven
columns are the probabilities."""

SOURCE_COLUMN = "source"
"""The column in front of them in tables of several files: the file's path."""


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
