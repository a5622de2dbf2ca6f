"""The changes of `train.augmentation`, made on the device in Keras' own operations.

The random choices are the same `Plan` that the host would follow, so a crop looks the same wherever
it is changed, but for how the two round. All shapes are constant: a backend compiles each operation
once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from keras import ops

from train.augmentation import Plan
from train.damage_ops import damage_on_device, joined_damages
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
        counted = [(len(plan.gain), plan.damages) for plan in plans]
        out = damage_on_device(out, joined_damages(counted))
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
    size = crops.shape[1]
    blend = _column([mixing.blend for mixing in mixings])
    top, left, side = (
        _column([getattr(mixing, name) for mixing in mixings]) for name in ("top", "left", "side")
    )
    shares = ops.where(_inside(size, top, left, side, side), 0.0, blend)
    shares = ops.expand_dims(shares, -1)
    return shares * crops + (1 - shares) * ops.take(crops, _partners(mixings), axis=0)


def mix_targets_on_device(values: Any, mixings: Sequence[Mixing]) -> Any:
    """Targets, or weights, of the mixed crops, (N, K), from those of the crops."""
    own = _tensor(np.concatenate([mixing.own for mixing in mixings]))
    return own * values + (1 - own) * ops.take(values, _partners(mixings), axis=0)


def _partners(mixings: Sequence[Mixing]) -> Any:
    """Who each crop is mixed with, as a tensor (N,) of places among all crops."""
    sizes = [len(mixing.partner) for mixing in mixings]
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    partner = np.concatenate(
        [mixing.partner + start for mixing, start in zip(mixings, starts, strict=True)]
    )
    return _tensor(partner.astype(np.int32))


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


def _erase(crops: Any, plans: Sequence[Plan], size: int) -> Any:
    top, left, height, width, grey = (
        _column([getattr(plan, name) for plan in plans])
        for name in ("top", "left", "height", "width", "grey")
    )
    return ops.where(_inside(size, top, left, height, width), grey, crops)


def _column(parts: Sequence[npt.NDArray[Any]]) -> Any:
    """Numbers of crops, parts of which are (n,), as a tensor (N, 1, 1) of float32."""
    return _tensor(np.concatenate(parts).astype(np.float32)[:, None, None])


def _inside(size: int, top: Any, left: Any, height: Any, width: Any) -> Any:
    """Which pixels lie in a rectangle of each crop, (N, size, size)."""
    across = _tensor(np.arange(size, dtype=np.float32)[None, None, :])
    down = _tensor(np.arange(size, dtype=np.float32)[None, :, None])
    rows = ops.logical_and(down >= top, down < top + height)
    return ops.logical_and(rows, ops.logical_and(across >= left, across < left + width))
