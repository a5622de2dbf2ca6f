"""Probabilities of many crops from a Keras network."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from train.architectures.base import OUTPUT

_AT_ONCE = 2048
"""Crops: enough to keep a GPU busy, and a gigabyte or so of intermediate results at 48x48."""


def probabilities_on_device(model: keras.Model, crops: Any) -> npt.NDArray[np.float32]:
    """What a network says of crops that are already on the device, float32 (N, C).

    Args:
        model: for use.
        crops: tensor (N, size, size, 1), grey values 0 to 255, at least one.
    """
    parts = [
        model.predict_on_batch(crops[start : start + _AT_ONCE])
        for start in range(0, len(crops), _AT_ONCE)
    ]
    return np.concatenate(parts).astype(np.float32)


def probabilities_of(
    model: keras.Model, crops: npt.NDArray[Any], batch_size: int
) -> npt.NDArray[np.float32]:
    """What a network says, float32 (N, C).

    Args:
        model: for use or for training.
        crops: (N, size, size, 1), grey values 0 to 255, at least one.
        batch_size: crops a call.
    """
    count = len(crops)
    if keras.backend.backend() == "jax":
        # Batches of one size: each other size would be compiled anew, and a batch that is divided
        # between devices has to divide.
        batch_size = min(batch_size, 32 * math.ceil(count / 32))
        missing = -count % batch_size
        crops = np.concatenate([crops, np.repeat(crops[:1], missing, axis=0)])
    found = model.predict(crops, batch_size=batch_size, verbose=0)
    own = found[OUTPUT] if isinstance(found, dict) else found
    return np.asarray(own, np.float32)[:count]
