"""Random changes to training crops, in NumPy and OpenCV, so that every Keras backend sees the same.

Everything random is drawn from a generator that the caller seeds with (seed, epoch, batch): the
same batch looks the same whether training was interrupted before it or not.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fer_core.errors import OptionError


@dataclass(frozen=True)
class AugmentationOptions:
    """How strongly training crops are changed. Zero switches a change off.

    Attributes:
        flip: share of crops mirrored left to right.
        rotation: largest turn, degrees either way.
        shift: largest shift, as a share of the side, each way.
        zoom: largest change of scale, as a share, in or out.
        contrast: largest change of contrast, as a share.
        brightness: largest change of brightness, as a share of the grey range.
        erasing: share of crops from which a rectangle is erased (Zhong et al., 2017).
        erasing_area: (smallest, largest) share of the crop that is erased.
        degrade: share of crops that are blurred, made noisy or coarse as a webcam would.
    """

    flip: float = 0.5
    rotation: float = 10.0
    shift: float = 0.08
    zoom: float = 0.1
    contrast: float = 0.25
    brightness: float = 0.1
    erasing: float = 0.3
    erasing_area: tuple[float, float] = (0.02, 0.2)
    degrade: float = 0.0

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name == "erasing_area":
                low, high = value
                if not 0 <= low <= high <= 1:
                    raise OptionError(
                        f"erasing_area must be 0 <= low <= high <= 1. Received: {value}."
                    )
            elif not 0 <= value <= (180 if item.name == "rotation" else 1):
                raise OptionError(f"{item.name} is out of range. Received: {value}.")

    def to_dict(self) -> dict[str, Any]:
        """A plain dictionary, for config files."""
        return asdict(self)


def augment(
    crops: npt.NDArray[np.uint8],
    options: AugmentationOptions,
    random: np.random.Generator,
) -> npt.NDArray[np.float32]:
    """Changed copies of `crops`.

    Args:
        crops: uint8 (N, size, size), grey.
        options: how strongly.
        random: where every draw comes from.

    Returns:
        float32 (N, size, size, 1), grey values 0 to 255.
    """
    count, size = crops.shape[0], crops.shape[1]
    out = np.empty((count, size, size), np.float32)
    turns = _affine(count, size, options, random)
    for index in range(count):
        # The edge is repeated outwards, as `fer_core.crops` does at the border of a picture.
        out[index] = cv2.warpAffine(
            crops[index],
            turns[index],
            (size, size),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
    _degrade(out, options, random)
    gain = 1 + options.contrast * random.uniform(-1, 1, (count, 1, 1)).astype(np.float32)
    lift = 255 * options.brightness * random.uniform(-1, 1, (count, 1, 1)).astype(np.float32)
    middle = out.mean(axis=(1, 2), keepdims=True)
    out = (out - middle) * gain + middle + lift
    np.clip(out, 0, 255, out=out)
    _erase(out, options, random)
    return np.asarray(out[..., None], np.float32)


def _affine(
    count: int, size: int, options: AugmentationOptions, random: np.random.Generator
) -> npt.NDArray[np.float32]:
    """Matrices (N, 2, 3) that flip, turn, scale about the middle, and shift."""
    angle = np.deg2rad(options.rotation) * random.uniform(-1, 1, count)
    scale = 1 + options.zoom * random.uniform(-1, 1, count)
    flip = np.where(random.random(count) < options.flip, -1.0, 1.0)
    shift = options.shift * size * random.uniform(-1, 1, (count, 2))
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    middle = (size - 1) / 2
    matrix = np.empty((count, 2, 3), np.float32)
    matrix[:, 0, 0], matrix[:, 0, 1] = cos * flip, -sin
    matrix[:, 1, 0], matrix[:, 1, 1] = sin * flip, cos
    centre = np.array([middle, middle], np.float32)
    matrix[:, :, 2] = centre + shift - matrix[:, :, :2] @ centre
    return matrix


def _degrade(
    out: npt.NDArray[np.float32], options: AugmentationOptions, random: np.random.Generator
) -> None:
    """Blur, noise, or fewer pixels, one of the three for each chosen crop, in place."""
    if not options.degrade:
        return
    size = out.shape[1]
    for index in np.flatnonzero(random.random(len(out)) < options.degrade):
        kind, strength = random.integers(3), random.random()
        if kind == 0:
            out[index] = cv2.GaussianBlur(out[index], (0, 0), 0.4 + 1.1 * strength)
        elif kind == 1:
            noise = random.standard_normal((size, size), np.float32)
            out[index] += noise * np.float32(4 + 16 * strength)
        else:
            small = round(size * (1 - 0.5 * strength))
            coarse = cv2.resize(out[index], (small, small), interpolation=cv2.INTER_AREA)
            out[index] = cv2.resize(coarse, (size, size), interpolation=cv2.INTER_LINEAR)


def _erase(
    out: npt.NDArray[np.float32], options: AugmentationOptions, random: np.random.Generator
) -> None:
    """Fill a random rectangle of each chosen crop with one random grey, in place."""
    count, size = len(out), out.shape[1]
    chosen = random.random(count) < options.erasing
    low, high = options.erasing_area
    area = (low + (high - low) * random.random(count)) * size * size
    aspect = np.exp(random.uniform(np.log(0.4), np.log(2.5), count))
    height = np.minimum(np.sqrt(area * aspect), size).astype(int)
    width = np.minimum(np.sqrt(area / aspect), size).astype(int)
    top = (random.random(count) * (size - height + 1)).astype(int)
    left = (random.random(count) * (size - width + 1)).astype(int)
    grey = 255 * random.random(count)
    for index in np.flatnonzero(chosen):
        rows = slice(top[index], top[index] + height[index])
        columns = slice(left[index], left[index] + width[index])
        out[index, rows, columns] = grey[index]
