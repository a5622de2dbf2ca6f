"""All results of the Photo tab as files: CSV, a row a face, and JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from fer_core.exports.rows import CSV_COLUMNS, SOURCE_COLUMN, face_row
from ui.choices import Choice
from ui.photo_work import Photo


def csv_table(photos: Sequence[Photo]) -> bytes:
    """A row a face: the file's name, then `fer_core.exports.CSV_COLUMNS`."""
    held = io.StringIO(newline="")
    rows = csv.writer(held, lineterminator="\n")
    rows.writerow([SOURCE_COLUMN, *CSV_COLUMNS])
    for number, photo in enumerate(photos):
        if photo.result is not None:
            rows.writerows([photo.name, *face_row(number, None, f)] for f in photo.result.faces)
    return held.getvalue().encode("utf-8")


def json_table(photos: Sequence[Photo], choice: Choice) -> bytes:
    """Every picture with its faces, or with the sentence that says why there are none."""
    pictures: list[dict[str, Any]] = []
    for photo in photos:
        if photo.result is None:
            pictures.append({SOURCE_COLUMN: photo.name, "error": photo.error})
        else:
            pictures.append({SOURCE_COLUMN: photo.name, **photo.result.to_dict()})
    whole = {
        "detector": choice.detector,
        "model": choice.model,
        "uncertain_below": choice.min_confidence,
        "pictures": pictures,
    }
    return json.dumps(whole, ensure_ascii=False, indent=1).encode("utf-8")
