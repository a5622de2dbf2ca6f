"""Probabilities of many crops from a Keras network."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from train.architectures.base import OUTPUT


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
