"""Damage that webcams do to crops in training: blur, noise, light, JPEG, few pixels.

What a network bears of it afterwards is measured by `train.corruptions`, with kinds and strengths
of their own. Here a strength is drawn anew for each crop, from hardly any to about the worst that a
face survives.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

KINDS = ("blur", "noise", "coarse", "light", "jpeg")

LEAST_BLUR, MOST_BLUR = 0.4, 1.8
"""Sigma of a blur, pixels."""

BLUR_STEP = 1 / 32
"""Blurs are drawn in steps, so that all of them can be held ready on a device."""

LEAST_NOISE, MOST_NOISE = 4.0, 28.0
"""Deviation, grey values."""

FEWEST_PIXELS = 1 / 3
"""Share of the pixels a side that are left of the coarsest crops."""

LEAST_LIGHT, MOST_LIGHT = 0.2, 2.4
"""Factors on the grey values; what is brighter than white is cut off there."""

LEAST_QUALITY, MOST_QUALITY = 8, 50
"""Of JPEG."""


@dataclass(frozen=True)
class Damage:
    """What one crop suffers.

    Attributes:
        index: of the crop.
        kind: `blur` (strength: sigma, pixels), `noise` (strength: deviation, grey values), `coarse`
            (strength: pixels a side that are left), `light` (strength: factor) or `jpeg` (strength:
            quality).
        strength: see `kind`.
        noise: float32 (size, size) of deviation 1, for `noise` only.
    """

    index: int
    kind: str
    strength: float
    noise: npt.NDArray[np.float32] | None = None


def draw_damages(
    count: int, size: int, share: float, random: np.random.Generator
) -> tuple[Damage, ...]:
    """Damages of a `share` of `count` crops, one kind for each of them.

    Args:
        count, size: of the crops.
        share: of them that are damaged; nothing is drawn where it is 0.
        random: where every draw comes from.
    """
    if not share:
        return ()
    damages = []
    for index in np.flatnonzero(random.random(count) < share).tolist():
        kind, place = KINDS[random.integers(len(KINDS))], random.random()
        noise = random.standard_normal((size, size), np.float32) if kind == "noise" else None
        damages.append(Damage(index, kind, _strength(kind, place, size), noise))
    return tuple(damages)


def damaged(crop: npt.NDArray[np.float32], damage: Damage) -> npt.NDArray[Any]:
    """A damaged copy of a crop, float32 (size, size), grey values 0 to 255."""
    if damage.noise is not None:
        return crop + damage.noise * np.float32(damage.strength)
    if damage.kind == "blur":
        return np.asarray(cv2.GaussianBlur(crop, (0, 0), damage.strength))
    if damage.kind == "light":
        return np.asarray(np.clip(crop * np.float32(damage.strength), 0, 255))
    if damage.kind == "jpeg":
        grey = np.clip(np.rint(crop), 0, 255).astype(np.uint8)
        _, data = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, int(damage.strength)])
        return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.float32)
    small, size = int(damage.strength), len(crop)
    coarse = cv2.resize(crop, (small, small), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(coarse, (size, size), interpolation=cv2.INTER_LINEAR))


def _strength(kind: str, place: float, size: int) -> float:
    """From mild, `place` 0, to strong, 1; of light from dark to bright."""
    if kind == "blur":
        sigma = LEAST_BLUR + (MOST_BLUR - LEAST_BLUR) * place
        return BLUR_STEP * round(sigma / BLUR_STEP)
    if kind == "noise":
        return LEAST_NOISE + (MOST_NOISE - LEAST_NOISE) * place
    if kind == "coarse":
        return float(round(size - 1 - (size - 1 - size * FEWEST_PIXELS) * place))
    if kind == "light":
        # By ratio: half the light is as far from the crop as twice the light.
        return float(LEAST_LIGHT * (MOST_LIGHT / LEAST_LIGHT) ** place)
    return float(round(MOST_QUALITY - (MOST_QUALITY - LEAST_QUALITY) * place))
