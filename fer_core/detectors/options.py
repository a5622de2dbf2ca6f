"""What can be chosen when a detector is made."""

from __future__ import annotations

import math
from dataclasses import dataclass

from fer_core.errors import OptionError

__all__ = ["RANGES", "DetectorOptions"]

RANGES: tuple[str, ...] = ("auto", "both", "full", "short")


@dataclass(frozen=True)
class DetectorOptions:
    """What can be chosen when a detector is made; each detector ignores what it does not have.

    Attributes:
        min_score: faces with a lower score are left out, 0 to 1; None for the detector's own
            default. Haar has no scores.
        min_face: faces whose box is narrower than this share of the picture's longer side are left
            out, 0 to 1; None for the detector's own default. Larger is faster for Haar.
        max_faces: at most so many, the highest scores first.
        range: which of BlazeFace's networks: `short` for faces close to the camera (up to about
            2 m), `full` for up to 5 m, `both` for all that either finds, and `auto` for `short`
            alone where all it finds are people close by, `both` otherwise. `auto` is made for a
            webcam; with it, someone far behind a person who is close may be left out.
        fine: BlazeFace runs both networks and also looks through overlapping windows of the
            picture, for faces too small for one look at the whole. Meant for photos: it costs
            several times as much.
        threads: processor threads of a network; None for up to two, as many as there are cores
            that no other session's detector works on just then.
    """

    min_score: float | None = None
    min_face: float | None = None
    max_faces: int = 100
    range: str = "auto"
    fine: bool = False
    threads: int | None = None

    def __post_init__(self) -> None:
        for name, value in (("min_score", self.min_score), ("min_face", self.min_face)):
            if value is not None and not (math.isfinite(value) and 0 <= value <= 1):
                raise OptionError(f"{name} must be from 0 to 1, or None. Received: {value!r}.")
        if self.max_faces < 1:
            raise OptionError(f"max_faces must be at least 1. Received: {self.max_faces!r}.")
        if self.range not in RANGES:
            known = ", ".join(RANGES)
            raise OptionError(f"Unknown range. Received: {self.range!r}. Known: {known}.")
        if self.threads is not None and self.threads < 1:
            raise OptionError(f"threads must be at least 1, or None. Received: {self.threads!r}.")
