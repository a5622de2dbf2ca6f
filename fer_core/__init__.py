"""FER Live's library: faces and their expressions in pictures, clips and live video.

>>> from fer_core import Analyzer
>>> with Analyzer() as analyzer:
...     result = analyzer.analyze("portrait.jpg")
>>> result.faces[0].label in (*CLASSES, UNCERTAIN)
True

The public names are looked up when they are first used, so that `import fer_core` costs next to
nothing; what a name needs (OpenCV, LiteRT, ...) is imported then.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fer_core.analyzer import Analyzer, AnalyzerOptions
    from fer_core.classifier import Classifier
    from fer_core.emotions import CLASSES, EMOTIONS, UNCERTAIN, Emotion
    from fer_core.errors import FerError
    from fer_core.exports import (
        CsvWriter,
        JsonLinesWriter,
        ParquetWriter,
        to_pandas,
        to_supervision,
    )
    from fer_core.overlay import OverlayOptions, draw
    from fer_core.pictures import load_picture
    from fer_core.results import Box, Detection, Eyes, Face, FrameResult
    from fer_core.smoothing import SmoothingOptions
    from fer_core.tracking import TrackerOptions

__all__ = [
    "CLASSES",
    "EMOTIONS",
    "UNCERTAIN",
    "Analyzer",
    "AnalyzerOptions",
    "Box",
    "Classifier",
    "CsvWriter",
    "Detection",
    "Emotion",
    "Eyes",
    "Face",
    "FerError",
    "FrameResult",
    "JsonLinesWriter",
    "OverlayOptions",
    "ParquetWriter",
    "SmoothingOptions",
    "TrackerOptions",
    "draw",
    "load_picture",
    "to_pandas",
    "to_supervision",
]

_ROOMS = {
    "analyzer": ("Analyzer", "AnalyzerOptions"),
    "classifier": ("Classifier",),
    "emotions": ("CLASSES", "EMOTIONS", "UNCERTAIN", "Emotion"),
    "errors": ("FerError",),
    "exports": (
        "CsvWriter",
        "JsonLinesWriter",
        "ParquetWriter",
        "to_pandas",
        "to_supervision",
    ),
    "overlay": ("OverlayOptions", "draw"),
    "pictures": ("load_picture",),
    "results": ("Box", "Detection", "Eyes", "Face", "FrameResult"),
    "smoothing": ("SmoothingOptions",),
    "tracking": ("TrackerOptions",),
}
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> Any:
    room = _ROOM_OF.get(name)
    if room is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{room}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
