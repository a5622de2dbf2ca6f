"""What the library gives back: frozen dataclasses, units and frame of reference stated.

All coordinates are pixels of the source picture, x to the right, y down, origin at its upper left
corner; a box is half-open (x0 <= x < x1). Times are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fer_core.emotions import CLASSES

if TYPE_CHECKING:
    import pandas

    from fer_core.quality import FaceQuality


@dataclass(frozen=True)
class Box:
    """A rectangle in the source picture, float pixels, half-open; may reach beyond the picture."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def width(self) -> float:
        """Width in pixels; 0 when the box is empty or turned round."""
        return max(0.0, self.x1 - self.x0)

    @property
    def height(self) -> float:
        """Height in pixels; 0 when the box is empty or turned round."""
        return max(0.0, self.y1 - self.y0)

    @property
    def area(self) -> float:
        """Area in square pixels."""
        return self.width * self.height

    @property
    def centre(self) -> tuple[float, float]:
        """(x, y) of the middle."""
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2

    @property
    def from_left(self) -> tuple[float, ...]:
        """What boxes are sorted by where they stand from left to right."""
        return (*self.centre, self.x0, self.y0)

    def scaled(self, factor: float) -> Box:
        """The same box in a picture whose sides are `factor` times as long."""
        return Box(self.x0 * factor, self.y0 * factor, self.x1 * factor, self.y1 * factor)

    def iou(self, other: Box) -> float:
        """Intersection over union with `other`, 0 to 1; 0 when both are empty."""
        across = min(self.x1, other.x1) - max(self.x0, other.x0)
        down = min(self.y1, other.y1) - max(self.y0, other.y0)
        if across <= 0 or down <= 0:
            return 0.0
        shared = across * down
        return shared / (self.area + other.area - shared)


@dataclass(frozen=True)
class Eyes:
    """The middles of both eyes in the source picture, pixels. `left` is the one with the smaller x
    in an upright, unmirrored picture of a face (the person's right eye)."""

    left: tuple[float, float]
    right: tuple[float, float]


@dataclass(frozen=True)
class Detection:
    """A face as a detector finds it.

    Attributes:
        box: where it is. Each detector keeps its own framing (Haar's boxes are larger than
            BlazeFace's); `fer_core.crops` knows the difference, through `source`.
        score: the detector's confidence, 0 to 1; 1.0 where the detector gives none (Haar).
        source: name of the detector.
        eyes: eye points, or None where the detector has none (Haar).
    """

    box: Box
    score: float
    source: str
    eyes: Eyes | None = None


@dataclass(frozen=True)
class Face:
    """A face with its expression.

    Attributes:
        box: where it is.
        score: the detector's confidence, 0 to 1.
        probabilities: seven numbers that sum to 1, order of `fer_core.emotions.CLASSES`;
            calibrated, and smoothed over the track where a tracker is at work.
        label: the best class, or `uncertain` when its probability is under the threshold.
        track_id: number of the track, from 1; None for single pictures.
        eyes: eye points, or None.
        quality: how well the face was filmed, where that was measured (`fer_core.quality`).
    """

    box: Box
    score: float
    probabilities: tuple[float, ...]
    label: str
    track_id: int | None = None
    eyes: Eyes | None = None
    quality: FaceQuality | None = None

    @property
    def top(self) -> str:
        """Name of the class with the highest probability, also when the label is `uncertain`."""
        return CLASSES[max(range(len(CLASSES)), key=self.probabilities.__getitem__)]

    @property
    def confidence(self) -> float:
        """The highest of the seven probabilities, 0 to 1."""
        return max(self.probabilities)

    def to_dict(self) -> dict[str, Any]:
        """A plain dictionary that `json` can write; `quality` is in it where it was measured."""
        data: dict[str, Any] = {
            "box": [self.box.x0, self.box.y0, self.box.x1, self.box.y1],
            "score": self.score,
            "label": self.label,
            "confidence": self.confidence,
            "probabilities": dict(zip(CLASSES, self.probabilities, strict=True)),
            "track_id": self.track_id,
            "eyes": None if self.eyes is None else [list(self.eyes.left), list(self.eyes.right)],
        }
        if self.quality is not None:
            data["quality"] = self.quality.to_dict()
        return data

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Face:
        """The face that `to_dict` made `data` of."""
        from fer_core.quality import FaceQuality

        eyes, quality = data["eyes"], data.get("quality")
        return cls(
            box=Box(*data["box"]),
            score=data["score"],
            probabilities=tuple(data["probabilities"][name] for name in CLASSES),
            label=data["label"],
            track_id=data["track_id"],
            eyes=None if eyes is None else Eyes(*((x, y) for x, y in eyes)),
            quality=None if quality is None else FaceQuality.from_dict(quality),
        )


@dataclass(frozen=True)
class FrameResult:
    """Everything found in one picture or video frame.

    Attributes:
        width, height: of the source picture, pixels.
        faces: from left to right for single pictures; by track number for video.
        pts: presentation time of the frame, seconds from the start of the clip or stream; None for
            a single picture.
        timings: milliseconds per stage, keys `detect`, `crop`, `classify`, `track`.
    """

    width: int
    height: int
    faces: tuple[Face, ...]
    pts: float | None = None
    timings: dict[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """A plain dictionary that `json` can write."""
        return {
            "width": self.width,
            "height": self.height,
            "pts": self.pts,
            "faces": [face.to_dict() for face in self.faces],
            "timings_ms": dict(self.timings),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> FrameResult:
        """The result that `to_dict` made `data` of, such as a line of a JSON-lines file."""
        return cls(
            width=data["width"],
            height=data["height"],
            faces=tuple(Face.from_dict(face) for face in data["faces"]),
            pts=data["pts"],
            timings=dict(data["timings_ms"]),
        )

    def to_pandas(self) -> pandas.DataFrame:
        """A table with a row a face, columns as in `fer_core.exports.CSV_COLUMNS`.

        >>> with Analyzer() as analyzer:
        ...     table = analyzer.analyze("portrait.jpg").to_pandas()
        >>> table[["label", "confidence"]].shape
        (1, 2)

        `fer_core.to_pandas` makes one table of many results.

        Raises:
            PackageMissingError: pandas is not installed.
        """
        from fer_core.exports import to_pandas

        return to_pandas([self])

    def to_supervision(self) -> Any:
        """The faces as `supervision.Detections`; see `fer_core.exports.to_supervision`.

        Raises:
            PackageMissingError: supervision is not installed.
        """
        from fer_core.exports import to_supervision

        return to_supervision(self)
