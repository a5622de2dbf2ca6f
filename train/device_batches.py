"""Batches whose images live on the device and are changed there, which keeps a GPU busy."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops

from train.augmentation import Plan, draw_plan
from train.augmentation_ops import augment_on_device, mix_on_device, mix_targets_on_device
from train.batches import EpochBatches
from train.losses import joined
from train.mixing import Mixing, draw_mixing

_CHUNK = 4096
"""Crops that are changed at once: enough that calling the operations costs nothing, and at 48x48 a
hundred megabytes or so of intermediate results."""


@dataclass(frozen=True)
class Chunk:
    """Several batches in one piece, on the device.

    Attributes:
        crops: tensor (P, B, size, size, 1), grey values 0 to 255, of P batches.
        targets: tensor (P, B, K).
        weights: tensor (P, B) of each crop's weight, or None.
        first: index of the first batch within the epoch.
        count: so many of the P batches are of this epoch; what follows only fills up.
    """

    crops: Any
    targets: Any
    weights: Any
    first: int
    count: int


class DeviceBatches(EpochBatches):
    """The batches of `EpochBatches`, the same to the rounding, made some thousand crops at a time.

    `resident` is the tensor that `on_device` made of the training images.
    """

    def __init__(self, resident: Any, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._resident = resident
        self._wanted = on_device(self._targets)
        batches = len(self)
        chunks = math.ceil(batches * self._options.batch_size / _CHUNK)
        # All chunks are of one size: a backend compiles its operations for each shape it meets.
        self._per_chunk = math.ceil(batches / max(1, chunks))
        self._made: tuple[int, Chunk] | None = None

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        number, place = divmod(index, self._per_chunk)
        if self._made is None or self._made[0] != number:
            self._made = (number, self._chunk(number))
        chunk = self._made[1]
        weights = None if chunk.weights is None else chunk.weights[place]
        return self.parts(chunk.crops[place], chunk.targets[place], weights)

    def chunks(self) -> Iterator[Chunk]:
        """All batches of the epoch in order, in pieces of one shape."""
        for number in range(math.ceil(len(self) / self._per_chunk)):
            yield self._chunk(number)

    def _chunk(self, number: int) -> Chunk:
        first = number * self._per_chunk
        indices = [min(first + item, len(self) - 1) for item in range(self._per_chunk)]
        size, side = self._options.batch_size, self._images.shape[1]
        plans, drawn = [], []
        for index in indices:
            random = self._random(index)
            plans.append(draw_plan(size, side, self._options.augmentation, random))
            drawn.append(draw_mixing(size, side, self._options, random))
        chosen = np.concatenate([self._chosen(index) for index in indices])
        mixings = [mixing for mixing in drawn if mixing is not None]
        rows = on_device(chosen.astype(np.int32))

        def made(plans: list[Plan]) -> Any:
            crops = augment_on_device(ops.take(self._resident, rows, axis=0), plans)
            return mix_on_device(crops, mixings) if mixings else crops

        crops = made(plans)
        targets = _mixed(ops.take(self._wanted, rows, axis=0), mixings)
        if self._teachers is not None:
            undamaged = self.teachers_see_undamaged
            asked = self._teachers(
                (self._epoch, number),
                lambda: made([plan.undamaged() for plan in plans]) if undamaged else crops,
            )
            targets = on_device(joined(targets, asked, self._options))
        weights = None
        if self._weights is not None:
            column = on_device(self._weights[chosen][:, None].astype(np.float32))
            weights = ops.reshape(_mixed(column, mixings), (self._per_chunk, size))
        return Chunk(
            ops.reshape(crops, (self._per_chunk, size, side, side, 1)),
            ops.reshape(targets, (self._per_chunk, size, targets.shape[-1])),
            weights,
            first,
            min(self._per_chunk, len(self) - first),
        )


def on_device(values: Any) -> Any:
    """Numbers, such as images, uint8 (N, size, size), as a tensor on the backend's device."""
    return ops.convert_to_tensor(values)


def _mixed(values: Any, mixings: list[Mixing]) -> Any:
    return mix_targets_on_device(values, mixings) if mixings else values
