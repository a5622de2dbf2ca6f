"""Batches whose images live on the device and are changed there, which keeps a GPU busy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from keras import ops

from train.augmentation import draw_plan
from train.augmentation_ops import augment_on_device, mix_on_device
from train.batches import EpochBatches, Floats
from train.mixing import Mixing, draw_mixing

_CHUNK = 4096
"""Crops that are changed at once: enough that calling the operations costs nothing, and at 48x48 a
hundred megabytes or so of intermediate results."""


class DeviceBatches(EpochBatches):
    """The batches of `EpochBatches`, the same to the rounding, made some thousand crops at a time.

    `resident` is the tensor that `on_device` made of the training images.
    """

    def __init__(self, resident: Any, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._resident = resident
        batches = len(self)
        chunks = math.ceil(batches * self._options.batch_size / _CHUNK)
        # All chunks are of one size: a backend compiles its operations for each shape it meets.
        self._per_chunk = math.ceil(batches / max(1, chunks))
        self._made: tuple[int, Any, list[Mixing | None], Floats | None] | None = None

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        number, place = divmod(index, self._per_chunk)
        if self._made is None or self._made[0] != number:
            self._made = (number, *self._chunk(number))
        _, crops, mixings, asked = self._made
        size = self._options.batch_size
        told = None if asked is None else asked[place * size : (place + 1) * size]
        return self._batch(crops[place], self._chosen(index), mixings[place], told)

    def _chunk(self, number: int) -> tuple[Any, list[Mixing | None], Floats | None]:
        first = number * self._per_chunk
        indices = [min(first + item, len(self) - 1) for item in range(self._per_chunk)]
        size, side = self._options.batch_size, self._images.shape[1]
        plans, mixings = [], []
        for index in indices:
            random = self._random(index)
            plans.append(draw_plan(size, side, self._options.augmentation, random))
            mixings.append(draw_mixing(size, side, self._options, random))
        rows = np.concatenate([self._chosen(index) for index in indices]).astype(np.int32)
        crops = ops.take(self._resident, on_device(rows), axis=0)
        crops = augment_on_device(crops, plans)
        drawn = [mixing for mixing in mixings if mixing is not None]
        if drawn:
            crops = mix_on_device(crops, drawn)
        asked = None if self._teachers is None else self._teachers((self._epoch, number), crops)
        return ops.reshape(crops, (self._per_chunk, size, side, side, 1)), mixings, asked


def on_device(images: Any) -> Any:
    """Images, uint8 (N, size, size), as a tensor on the backend's device."""
    return ops.convert_to_tensor(images)
