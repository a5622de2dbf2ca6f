"""What goes out, as the OpenAPI page shows it. Kept true by the tests, which check every answer."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from fer_core.emotions import CLASSES, UNCERTAIN

__all__ = ["Health", "JobOut", "ModelOut", "ModelsOut", "PictureOut", "Problem"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", protected_namespaces=())


class Problem(_Strict):
    """Every error."""

    detail: str = Field(description="One sentence: what was received and what to do.")


class Health(_Strict):
    """The process is up."""

    status: Literal["ok"]


class FaceOut(_Strict):
    """A face with its expression."""

    box: list[float] = Field(
        min_length=4, max_length=4, description="x0, y0, x1, y1 in pixels of the picture"
    )
    score: float = Field(ge=0, le=1, description="the detector's confidence")
    label: str = Field(json_schema_extra={"enum": [*CLASSES, UNCERTAIN]})
    emoji: str | None = Field(description="of the label; null when it is uncertain")
    confidence: float = Field(ge=0, le=1, description="the highest probability")
    probabilities: dict[str, float] = Field(
        description="by class, calibrated, sum 1",
        json_schema_extra={"required": list(CLASSES)},
    )
    eyes: list[list[float]] | None = Field(
        description="left and right in the picture, x and y; null where the detector has none"
    )


class PictureOut(_Strict):
    """What was found in a picture, from left to right."""

    width: int = Field(ge=1)
    height: int = Field(ge=1)
    model: str
    detector: str
    faces: list[FaceOut]
    timings_ms: dict[str, float] = Field(description="milliseconds a stage")


class ModelOut(_Strict):
    """A network that can be asked for."""

    name: str
    default: bool
    architecture: str
    classes: list[str]
    input_size: int
    parameters: int
    multiply_adds: int
    uncertain_below: float
    figures: dict[str, dict[str, float]] = Field(description="accuracy and more, by split")
    intended_use: str
    out_of_scope: list[str]
    limits: list[str]


class ModelsOut(_Strict):
    """Everything that can be chosen."""

    models: list[ModelOut]
    detectors: list[str] = Field(description="the default first")


class ProgressOut(_Strict):
    """How far a clip is."""

    fraction: float = Field(ge=0, le=1)
    frames: int = Field(ge=0)
    position: float = Field(description="time in the clip, seconds")
    elapsed: float = Field(description="seconds of work")
    seconds_left: float | None


class ReportOut(_Strict):
    """What was found in a clip."""

    width: int
    height: int
    frames: int
    seconds: float
    faces: int
    tracks: int
    label_counts: dict[str, int]
    elapsed: float
    warnings: list[str]


class FilesOut(_Strict):
    """Where the results are; null until the job is done."""

    annotated_mp4: str | None
    faces_csv: str | None
    faces_jsonl: str | None


class JobOut(_Strict):
    """A clip that is annotated."""

    id: str
    state: Literal["waiting", "running", "done", "failed", "cancelled"]
    created: str = Field(json_schema_extra={"format": "date-time"})
    model: str
    detector: str
    progress: ProgressOut | None
    report: ReportOut | None
    error: str | None = Field(description="a sentence, when the state is failed")
    files: FilesOut
