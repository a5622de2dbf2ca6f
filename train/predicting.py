"""Probabilities of many crops from a Keras network."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from train.architectures.base import OUTPUT
from train.batches import resized

_AT_ONCE = 2048
"""Crops: enough to keep a GPU busy, and a gigabyte or so of intermediate results at 48x48."""


def forward(model: keras.Model) -> Callable[[Any], Any]:
    """A function from crops on the device, (N, size, size, 1), to what `model` says, (N, C).

    Under JAX it answers with a tensor that is still being computed, so that nobody waits for it.

    Args:
        model: for use; its weights are those that it has at each call.
    """
    call = model.predict_on_batch
    if keras.backend.backend() == "jax":
        import jax

        @jax.jit
        def run(trained: Any, fixed: Any, crops: Any) -> Any:
            return model.stateless_call(trained, fixed, crops, training=False)[0]

        def call(crops: Any) -> Any:
            return run(
                values(model.trainable_variables), values(model.non_trainable_variables), crops
            )

    def all_of(crops: Any) -> Any:
        starts = range(0, len(crops), _AT_ONCE)
        parts = [call(crops[start : start + _AT_ONCE]) for start in starts]
        return keras.ops.concatenate([keras.ops.convert_to_tensor(part) for part in parts])

    return all_of


def values(variables: Sequence[Any]) -> list[Any]:
    """What variables hold, as the backend's tensors."""
    return [variable.value for variable in variables]


def main_output(found: Any) -> Any:
    """The output that counts, of what a network with or without auxiliary classifiers says."""
    return found[OUTPUT] if isinstance(found, dict) else found


def predict(
    model: keras.Model, images: npt.NDArray[np.uint8], batch_size: int = 256
) -> npt.NDArray[np.float32]:
    """Probabilities, float32 (N, 7), of grey crops, uint8 (N, size, size), resized if need be."""
    crops = resized(images, model.input_shape[1])[..., None].astype(np.float32)
    return probabilities_of(model, crops, batch_size)


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
        return np.asarray(main_output(found), np.float32)[:count]
    # `predict` builds a pipeline at every call, which takes longer than a small batch itself.
    batches = (crops[start : start + batch_size] for start in range(0, count, batch_size))
    parts = [main_output(model.predict_on_batch(batch)) for batch in batches]
    return np.concatenate(parts).astype(np.float32)
