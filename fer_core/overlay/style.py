"""What can be chosen about the overlay, and its measures in a frame of a given size."""

from __future__ import annotations

from dataclasses import dataclass

from fer_core.errors import OptionError

__all__ = ["OverlayOptions", "Style", "style_for"]


@dataclass(frozen=True)
class OverlayOptions:
    """What is drawn for each face.

    Attributes:
        boxes: an outline in the colour of the label.
        labels: a plate with the drawn icon, the label and its confidence.
        confidence: whether the plate shows the confidence, per cent.
        numbers: whether the plate shows the track number.
        bars: a panel with a bar for each class; a row of bars where there is no room for a panel.
        eyes: a dot on each eye point, where the detector has them.
        hints: what is wrong with the picture of a face, where its quality was measured.
        privacy: faces are blurred beyond recognition; everything else is drawn as before.
        scale: makes text and lines larger or smaller, 0.25 to 4.
    """

    boxes: bool = True
    labels: bool = True
    confidence: bool = True
    numbers: bool = False
    bars: bool = False
    eyes: bool = False
    hints: bool = True
    privacy: bool = False
    scale: float = 1.0

    def __post_init__(self) -> None:
        if not 0.25 <= self.scale <= 4:
            raise OptionError(f"scale must be from 0.25 to 4. Received: {self.scale}.")


@dataclass(frozen=True)
class Style:
    """Measures in pixels.

    Attributes:
        text: height of the label's font.
        small: height of the font in the panel of bars.
        line: width of the coloured outline; the dark one is wider by `edge` on each side.
        edge: see `line`.
        pad: space inside a plate.
        gap: space between a box and its plate.
    """

    text: int
    small: int
    line: int
    edge: int
    pad: int
    gap: int


def style_for(width: int, height: int, scale: float = 1.0) -> Style:
    """Measures that stay readable from 320x240 (12 pixels) to 1920x1080 (34 pixels) and beyond."""
    reference = min(height, width * 3 / 4) * scale
    text = round(min(120.0, max(12.0 * min(1.0, scale), reference * 0.034)))
    return Style(
        text=max(6, text),
        small=max(6, round(text * 0.8)),
        line=max(1, round(reference / 240)),
        edge=max(1, round(reference / 480)),
        pad=max(2, round(text * 0.25)),
        gap=max(1, round(text * 0.2)),
    )
