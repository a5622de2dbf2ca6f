"""Results as the objects that other libraries work with: pandas and supervision."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_core.emotions import CLASSES
from fer_core.errors import PackageMissingError
from fer_core.exports.rows import CSV_COLUMNS
from fer_core.results import FrameResult

if TYPE_CHECKING:
    import pandas

__all__ = ["UNCERTAIN_ID", "to_pandas", "to_supervision"]

UNCERTAIN_ID = len(CLASSES)
"""`class_id` of the label `uncertain`, after those of the seven classes, 0 to 6."""


def to_pandas(results: Iterable[FrameResult]) -> pandas.DataFrame:
    """A table with a row a face, columns as in `CSV_COLUMNS`.

    >>> with Analyzer() as analyzer:
    ...     table = to_pandas(analyzer.analyze_video("clip.mp4"))
    >>> float(table["seconds"].iloc[0])
    0.0

    Args:
        results: frames in their order; `frame` counts them from 0, also those without a face.

    Returns:
        A data frame; `seconds` is NaN and `track` missing for pictures. Without any face it has
        the same columns and no row.

    Raises:
        PackageMissingError: pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError:
        raise PackageMissingError(
            "Tables are made by the package pandas, which is not installed. "
            "Run `pip install pandas`."
        ) from None
    rows = [
        (
            number,
            result.pts,
            face.track_id,
            *(face.box.x0, face.box.y0, face.box.x1, face.box.y1),
            face.score,
            face.label,
            face.confidence,
            *face.probabilities,
        )
        for number, result in enumerate(results)
        for face in result.faces
    ]
    kinds = {"frame": "int64", "track": "Int64", "label": "object"}
    table = pd.DataFrame.from_records(rows, columns=list(CSV_COLUMNS))
    return table.astype({name: kinds.get(name, "float64") for name in CSV_COLUMNS})


def to_supervision(result: FrameResult) -> Any:
    """The faces of a frame as `supervision.Detections`, for its annotators, zones and sinks.

    Returns:
        `xyxy` float32 (N, 4) pixels; `confidence` float32 (N,), that of the expression;
        `class_id` int (N,), the class's code 0 to 6, `UNCERTAIN_ID` for `uncertain`; `tracker_id`
        int (N,), or None where faces are not numbered; `data`: `class_name` (N,),
        `probabilities` float32 (N, 7), `detector_score` float32 (N,).

    Raises:
        PackageMissingError: supervision is not installed.
    """
    try:
        supervision: Any = import_module("supervision")
    except ImportError:
        raise PackageMissingError(
            "Detections are a class of the package supervision, which is not installed. "
            "Run `pip install supervision`."
        ) from None
    faces = result.faces
    codes = {name: code for code, name in enumerate(CLASSES)}
    numbers = [face.track_id for face in faces]
    numbered = bool(faces) and all(number is not None for number in numbers)
    return supervision.Detections(
        xyxy=np.array(
            [(face.box.x0, face.box.y0, face.box.x1, face.box.y1) for face in faces], np.float32
        ).reshape(len(faces), 4),
        confidence=np.array([face.confidence for face in faces], np.float32),
        class_id=np.array([codes.get(face.label, UNCERTAIN_ID) for face in faces], int),
        tracker_id=np.array(numbers, int) if numbered else None,
        data={
            "class_name": np.array([face.label for face in faces], dtype=str),
            "probabilities": np.array([face.probabilities for face in faces], np.float32).reshape(
                len(faces), len(CLASSES)
            ),
            "detector_score": np.array([face.score for face in faces], np.float32),
        },
    )
