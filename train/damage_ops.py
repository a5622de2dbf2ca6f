"""The damage of `train.damage`, done on the device in Keras' own operations.

Blur, coarseness and JPEG's cosine transform are a matrix on either side of the crop. Only numbers
of matrices, and the noise of those crops that get some, are sent to the device: to send a matrix
and a noise for each crop took longer than to train on them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from keras import ops

from train.damage import BLUR_STEP, MOST_BLUR, Damage

Floats = npt.NDArray[np.float32]

_tensor = ops.convert_to_tensor

_NOISES = 256
_BLOCK = 8

_LUMINANCE = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ]
)
"""Steps of the coefficients at quality 50 (ITU-T T.81, table K.1)."""


def damage_on_device(crops: Any, damages: Sequence[Damage]) -> Any:
    """Damaged copies of crops.

    Args:
        crops: tensor (N, size, size) of float32, grey values 0 to 255.
        damages: of some of them, `index` counted over all N.

    Returns:
        Tensor likewise; noise and blur may lead out of 0 to 255.
    """
    size = crops.shape[1]
    out = _matrices_and_noise(crops, damages, size)
    # A kind that did not come in this piece is done all the same, by nothing: every piece is the
    # same work, compiled once.
    out = _lit(out, damages)
    return _coded(out, damages, size)


def joined_damages(parts: Sequence[tuple[int, Sequence[Damage]]]) -> list[Damage]:
    """Damages of several batches, each of so many crops, counted over all of them."""
    found, start = [], 0
    for count, damages in parts:
        found += [replace(damage, index=start + damage.index) for damage in damages]
        start += count
    return found


def _matrices_and_noise(crops: Any, damages: Sequence[Damage], size: int) -> Any:
    which = np.zeros(len(crops), np.int32)
    noisy = np.zeros(len(crops), np.int32)
    noises = [np.zeros((size, size), np.float32)]
    for damage in damages:
        if damage.noise is not None:
            noisy[damage.index] = len(noises)
            noises.append(damage.noise * np.float32(damage.strength))
        elif damage.kind in ("blur", "coarse"):
            which[damage.index] = _number(damage, size)
    # Room for more than there are: each other number of noises would be compiled anew.
    room = _NOISES * math.ceil(len(noises) / _NOISES)
    noises += noises[:1] * (room - len(noises))
    side = ops.take(_tensor(_sides(size)), _tensor(which), axis=0)
    noise = ops.take(_tensor(np.stack(noises)), _tensor(noisy), axis=0)
    return ops.matmul(ops.matmul(side, crops), ops.transpose(side, (0, 2, 1))) + noise


def _lit(crops: Any, damages: Sequence[Damage]) -> Any:
    light = np.ones((len(crops), 1, 1), np.float32)
    for damage in damages:
        if damage.kind == "light":
            light[damage.index] = damage.strength
    light = _tensor(light)
    return ops.where(light != 1, ops.clip(crops * light, 0.0, 255.0), crops)


def _coded(crops: Any, damages: Sequence[Damage], size: int) -> Any:
    """As JPEG gives them back: cosines of blocks of 8x8 pixels, rounded to steps."""
    quality = np.zeros(len(crops), np.int32)
    for damage in damages:
        if damage.kind == "jpeg":
            quality[damage.index] = round(damage.strength)
    blocks = math.ceil(size / _BLOCK)
    padded = np.minimum(np.arange(blocks * _BLOCK), size - 1).astype(np.int32)
    grey = ops.clip(ops.round(crops), 0.0, 255.0) - 128.0
    # The last pixels are repeated up to whole blocks.
    grey = ops.take(ops.take(grey, _tensor(padded), axis=1), _tensor(padded), axis=2)
    cosines = _tensor(np.kron(np.eye(blocks, dtype=np.float32), _cosines()))
    back = ops.transpose(cosines)
    steps = ops.tile(ops.take(_tensor(_steps()), _tensor(quality), axis=0), (1, blocks, blocks))
    rounded = steps * ops.round(ops.matmul(ops.matmul(cosines, grey), back) / steps)
    found = ops.matmul(ops.matmul(back, rounded), cosines)[:, :size, :size] + 128.0
    found = ops.clip(ops.round(found), 0.0, 255.0)
    return ops.where(_tensor(quality[:, None, None]) > 0, found, crops)


def _number(damage: Damage, size: int) -> int:
    """The place of a damage's matrix in `_sides`."""
    if damage.kind == "coarse":
        return 1 + int(damage.strength)
    return 1 + size + 1 + round(damage.strength / BLUR_STEP)


@lru_cache(maxsize=4)
def _sides(size: int) -> Floats:
    """Matrices (M, size, size): none, of each coarseness, of each blur."""
    coarse = [_coarse(max(small, 1), size) for small in range(size + 1)]
    blurred = [_blurred(step * BLUR_STEP, size) for step in range(round(MOST_BLUR / BLUR_STEP) + 1)]
    return np.stack([np.eye(size, dtype=np.float32), *coarse, *blurred])


def _blurred(sigma: float, size: int) -> Floats:
    unit = np.eye(size, dtype=np.float32)
    if not sigma:
        return unit
    columns = cv2.getGaussianKernel(round(sigma * 8 + 1) | 1, sigma, cv2.CV_32F)
    return np.asarray(
        cv2.sepFilter2D(unit, cv2.CV_32F, np.ones(1, np.float32), columns), np.float32
    )


def _coarse(small: int, size: int) -> Floats:
    unit = np.eye(size, dtype=np.float32)
    down = cv2.resize(unit, (size, small), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(down, (size, size), interpolation=cv2.INTER_LINEAR), np.float32)


def _cosines() -> Floats:
    """The cosine transform of 8 values, (8, 8); its inverse is its transpose."""
    return np.asarray(cv2.dct(np.eye(_BLOCK, dtype=np.float32), flags=cv2.DCT_ROWS).T, np.float32)


@lru_cache(maxsize=1)
def _steps() -> Floats:
    """Steps of the coefficients, (101, 8, 8), by quality, as libjpeg scales them; of 0 all ones."""
    found = np.ones((101, _BLOCK, _BLOCK), np.float32)
    for quality in range(1, 101):
        percent = 5000 // quality if quality < 50 else 200 - 2 * quality
        found[quality] = np.clip((_LUMINANCE * percent + 50) // 100, 1, 255)
    return found
