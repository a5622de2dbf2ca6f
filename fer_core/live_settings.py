"""What a viewer may change while a live stream runs, and what is asked of the camera."""

from __future__ import annotations

import math
from dataclasses import dataclass

from fer_core.errors import OptionError
from fer_core.smoothing import SmoothingOptions

__all__ = ["FACINGS", "FRAME_RATES", "WIDTHS", "CameraWish", "LiveSettings"]

FACINGS: tuple[str, ...] = ("user", "environment")
"""Where a phone's camera looks, in the words of the W3C's Media Capture and Streams (4.3.8)."""

WIDTHS: tuple[int, ...] = (320, 480, 640, 960, 1280)
"""Pixels; a browser gives the nearest that the camera has."""

FRAME_RATES: tuple[int, ...] = (10, 15, 30)
"""Frames a second. 15 is safe on two cores that the browser shares; more may outrun the server's
encoder there, and frames then queue up without bound."""

MOST_SMOOTHING = 3.0
"""Seconds; beyond it a change of expression would come after the next one."""


@dataclass(frozen=True)
class CameraWish:
    """What is asked of the camera when the stream starts; the browser comes as near as it can.

    Attributes:
        width: pixels, one of `WIDTHS`; the height follows at 4:3, and at 16:9 from 960 on.
        facing: one of `FACINGS`; None leaves the choice to the browser and SELECT DEVICE.
        frame_rate: at most so many frames a second.
    """

    width: int = 640
    facing: str | None = None
    frame_rate: int = 15

    def __post_init__(self) -> None:
        if self.width not in WIDTHS:
            raise OptionError(f"width must be one of {WIDTHS}. Received: {self.width!r}.")
        if self.facing is not None and self.facing not in FACINGS:
            raise OptionError(f"facing must be one of {FACINGS}. Received: {self.facing!r}.")
        if not 1 <= self.frame_rate <= 60:
            raise OptionError(f"frame_rate must be from 1 to 60. Received: {self.frame_rate!r}.")

    @property
    def height(self) -> int:
        """Pixels."""
        return self.width * 9 // 16 if self.width >= 960 else self.width * 3 // 4

    def constraints(self) -> dict[str, object]:
        """The wish as `MediaStreamConstraints` of the browser's `getUserMedia`; no sound."""
        video: dict[str, object] = {
            "width": {"ideal": self.width},
            "height": {"ideal": self.height},
            "frameRate": {"ideal": self.frame_rate, "max": self.frame_rate},
        }
        if self.facing is not None:
            video["facingMode"] = {"ideal": self.facing}
        return {"video": video, "audio": False}


@dataclass(frozen=True)
class LiveSettings:
    """Everything a viewer may change while the stream runs.

    Attributes:
        detector: a name in `fer_core.detectors.DETECTORS`.
        model: name of a model folder; None for the default one.
        runtime: a name in `fer_core.runtimes.RUNTIMES`, or `auto`.
        mirror: whether the picture is turned left to right, as in a mirror; text is not.
        min_confidence: labels whose best probability is under this, 0 to 1, read `uncertain`;
            None for the threshold in the model's card.
        smoothing: time constant of the probabilities, seconds, 0 to 3; 0 shows each frame's own.
        boxes: whether each face is outlined.
        labels: whether icon, label and confidence stand at each face.
        bars: whether a bar per class is drawn beside each face.
        numbers: whether the track's number stands before the label.
        eyes: whether the eye points are drawn, where the detector has them.
        hints: whether a face whose picture is poor is told why.
        privacy: whether faces are blurred; labels stay.
    """

    detector: str = "blazeface"
    model: str | None = None
    runtime: str = "auto"
    mirror: bool = True
    min_confidence: float | None = None
    smoothing: float = SmoothingOptions.seconds
    boxes: bool = True
    labels: bool = True
    bars: bool = False
    numbers: bool = False
    eyes: bool = False
    hints: bool = True
    privacy: bool = False

    def __post_init__(self) -> None:
        if self.min_confidence is not None and not 0.0 <= self.min_confidence <= 1.0:
            raise OptionError(
                f"min_confidence is {self.min_confidence!r}. Give a number from 0 to 1, or None."
            )
        if not (math.isfinite(self.smoothing) and 0.0 <= self.smoothing <= MOST_SMOOTHING):
            raise OptionError(
                f"smoothing is {self.smoothing!r}. Give seconds from 0 to {MOST_SMOOTHING:.0f}."
            )

    def needs_another_analyzer(self, other: LiveSettings) -> bool:
        """Whether going from here to `other` takes another detector or network."""
        mine = (self.detector, self.model, self.runtime)
        return mine != (other.detector, other.model, other.runtime)
