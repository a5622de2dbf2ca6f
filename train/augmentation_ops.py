"""The changes of `train.augmentation`, made on the device in Keras' own operations.

The random choices are the same `Plan` that the host would follow, so a crop looks the same wherever
it is changed, but for how the two round. All shapes are constant: a backend compiles each operation
once.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from keras import ops

from train.augmentation import Damage, Plan
from train.mixing import Mixing

Floats = npt.NDArray[np.float32]

# Everything is made a tensor first: not every backend takes an array from NumPy beside one.
_tensor = ops.convert_to_tensor


def augment_on_device(crops: Any, plans: Sequence[Plan]) -> Any:
    """Changed copies of `crops`.

    Args:
        crops: tensor (N, size, size) of grey values 0 to 255.
        plans: of the batches that the crops are made of, in order.

    Returns:
        Tensor (N, size, size, 1) of float32, grey values 0 to 255.
    """
    size = crops.shape[1]
    out = ops.cast(crops, "float32")
    out = _warp(out, np.concatenate([plan.matrices for plan in plans]), size)
    if any(plan.damages for plan in plans):
        out = _damage(out, plans, size)
    middle = ops.mean(out, axis=(1, 2), keepdims=True)
    gain = _tensor(np.concatenate([plan.gain for plan in plans]))
    lift = _tensor(np.concatenate([plan.lift for plan in plans]))
    out = ops.clip((out - middle) * gain + middle + lift, 0.0, 255.0)
    out = _erase(out, plans, size)
    return ops.expand_dims(out, -1)


def mix_on_device(crops: Any, mixings: Sequence[Mixing]) -> Any:
    """Mixed crops; see `train.mixing`.

    Args:
        crops: tensor (N, size, size, 1).
        mixings: of the batches that the crops are made of, in order.
    """
    sizes = [len(mixing.partner) for mixing in mixings]
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    partner = np.concatenate(
        [mixing.partner + start for mixing, start in zip(mixings, starts, strict=True)]
    )
    shares = _tensor(np.concatenate([mixing.shares for mixing in mixings])[..., None])
    others = ops.take(crops, _tensor(partner.astype(np.int32)), axis=0)
    return shares * crops + (1 - shares) * others


def _warp(crops: Any, matrices: Floats, size: int) -> Any:
    """Bilinear, with the edge repeated outwards.

    Element by element rather than with a library's affine transform: that one makes its places by
    a matrix product, which graphics processors round to three digits.
    """
    turn = np.linalg.inv(matrices[:, :, :2].astype(np.float64))
    back = np.concatenate([turn, -turn @ matrices[:, :, 2:]], axis=2).astype(np.float32)
    parts = [back[:, row, column, None, None] for row in range(2) for column in range(3)]
    across = _tensor(np.arange(size, dtype=np.float32)[None, None, :])
    down = _tensor(np.arange(size, dtype=np.float32)[None, :, None])
    a, b, c, d, e, f = (_tensor(part) for part in parts)
    x = ops.clip(a * across + b * down + c, 0.0, size - 1.0)
    y = ops.clip(d * across + e * down + f, 0.0, size - 1.0)
    left, top = ops.floor(x), ops.floor(y)
    right, bottom = ops.minimum(left + 1, size - 1.0), ops.minimum(top + 1, size - 1.0)
    flat = ops.reshape(crops, (-1, size * size))

    def at(row: Any, column: Any) -> Any:
        places = ops.cast(row * size + column, "int32")
        taken = ops.take_along_axis(flat, ops.reshape(places, (-1, size * size)), axis=1)
        return ops.reshape(taken, (-1, size, size))

    over, under = x - left, y - top
    upper = (1 - over) * at(top, left) + over * at(top, right)
    lower = (1 - over) * at(bottom, left) + over * at(bottom, right)
    return (1 - under) * upper + under * lower


def _damage(crops: Any, plans: Sequence[Plan], size: int) -> Any:
    """Blur and coarseness are a matrix on either side of the crop; noise is added."""
    count = sum(len(plan.gain) for plan in plans)
    sides = np.broadcast_to(np.eye(size, dtype=np.float32), (count, size, size)).copy()
    noise = np.zeros((count, size, size), np.float32)
    start = 0
    for plan in plans:
        for damage in plan.damages:
            if damage.noise is not None:
                noise[start + damage.index] = damage.noise * damage.strength
            else:
                sides[start + damage.index] = _side(damage, size)
        start += len(plan.gain)
    side = _tensor(sides)
    return ops.matmul(ops.matmul(side, crops), ops.transpose(side, (0, 2, 1))) + _tensor(noise)


def _side(damage: Damage, size: int) -> Floats:
    if damage.kind == "coarse":
        return _coarse(int(damage.strength), size)
    columns = cv2.getGaussianKernel(round(damage.strength * 8 + 1) | 1, damage.strength, cv2.CV_32F)
    unit = np.eye(size, dtype=np.float32)
    return np.asarray(
        cv2.sepFilter2D(unit, cv2.CV_32F, np.ones(1, np.float32), columns), np.float32
    )


@lru_cache(maxsize=256)
def _coarse(small: int, size: int) -> Floats:
    unit = np.eye(size, dtype=np.float32)
    down = cv2.resize(unit, (size, small), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(down, (size, size), interpolation=cv2.INTER_LINEAR), np.float32)


def _erase(crops: Any, plans: Sequence[Plan], size: int) -> Any:
    def column(name: str) -> Any:
        values = np.concatenate([getattr(plan, name) for plan in plans])
        return _tensor(values.astype(np.float32)[:, None, None])

    across = _tensor(np.arange(size, dtype=np.float32)[None, None, :])
    down = _tensor(np.arange(size, dtype=np.float32)[None, :, None])
    top, left = column("top"), column("left")
    rows = ops.logical_and(down >= top, down < top + column("height"))
    columns = ops.logical_and(across >= left, across < left + column("width"))
    return ops.where(ops.logical_and(rows, columns), column("grey"), crops)
