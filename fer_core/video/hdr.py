"""High dynamic range to what screens and networks expect: BT.709 colours, 8 bits.

Transfer functions: SMPTE ST 2084 (PQ) and ARIB STD-B67 (HLG), both as in ITU-R BT.2100; white of
ordinary pictures lies at 203 cd/m2 (ITU-R BT.2408). Up to the knee light is kept as it is, so that
faces are as bright as they were; above it highlights are pressed together.
"""

from __future__ import annotations

import functools

import cv2
import numpy as np
import numpy.typing as npt

from fer_core.detectors.base import Picture

__all__ = ["HLG", "PQ", "to_sdr"]

PQ, HLG = 16, 18
"""Numbers of the transfer functions (ITU-T H.273)."""
BT709_PRIMARIES = 1

WHITE = 203.0
PEAK = 1000.0
"""cd/m2; what is brighter is clipped, as nearly all clips are made for this."""
KNEE = 0.7
"""Of the white."""
STRIP = 1 << 16
"""Pixels that are converted at a time: they stay in the processor's cache."""

_2020_TO_709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]],
    np.float32,
)
"""Linear light, ITU-R BT.2087."""


def to_sdr(picture: npt.NDArray[np.uint16], transfer: int, primaries: int) -> Picture:
    """The picture for an ordinary screen.

    Args:
        picture: RGB uint16 (height, width, 3), full range, as coded with `transfer`.
        transfer: `PQ` or `HLG`.
        primaries: of the picture, as in H.273; all but BT.709's are taken for BT.2020's.

    Returns:
        RGB uint8 (height, width, 3), BT.709.
    """
    light, shown = _light(transfer), _shown()
    height, width = picture.shape[:2]
    out = np.empty((height, width, 3), np.uint8)
    rows = max(1, STRIP // width)
    for top in range(0, height, rows):
        # Scaled so that the peak is the largest index of the second table.
        linear = np.take(light, picture[top : top + rows])
        if primaries != BT709_PRIMARIES:
            linear = np.asarray(cv2.transform(linear, _2020_TO_709), dtype=np.float32)
        np.clip(linear, 0, 65535, out=linear)
        np.take(shown, linear.astype(np.uint16), out=out[top : top + rows])
    return out


@functools.cache
def _light(transfer: int) -> npt.NDArray[np.float32]:
    """Coded value -> light, 65535 for the peak."""
    value = np.arange(65536) / 65535
    if transfer == HLG:
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        scene = np.where(value <= 0.5, value**2 / 3, (np.exp((value - c) / a) + b) / 12)
        candelas = PEAK * scene**1.2
    else:
        m1, m2 = 2610 / 16384, 2523 / 4096 * 128
        c1, c2, c3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
        root = value ** (1 / m2)
        candelas = 10_000 * (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1)
    return (np.minimum(candelas / PEAK, 1) * 65535).astype(np.float32)


@functools.cache
def _shown() -> npt.NDArray[np.uint8]:
    """Light, 65535 for the peak -> 8-bit value of an ordinary screen (sRGB's curve)."""
    light = np.arange(65536) / 65535 * PEAK / WHITE
    room = 1 - KNEE
    pressed = KNEE + room * (1 - np.exp(-(light - KNEE) / room))
    light = np.where(light < KNEE, light, pressed)
    coded = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(np.clip(coded, 0, 1) * 255), dtype=np.uint8)
