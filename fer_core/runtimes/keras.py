"""Keras on whichever backend it is set to (TensorFlow, JAX, PyTorch), and the GPU if it has one."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from fer_core.emotions import CLASSES
from fer_core.errors import ModelError, OptionError, RuntimeMissingError
from fer_core.runtimes.base import Crops, Probabilities
from fer_core.runtimes.batches import check_crops, next_power_of_two, pad_crops

__all__ = ["KerasRuntime"]

Forward = Callable[[Any], Any]
"""From uint8 crops (N, size, size, 1) to the backend's tensor (N, 7)."""


class KerasRuntime:
    """Runs `model.keras`, compiled once per padded batch size.

    Batches are padded to the next power of two and cut at `largest_batch`, so that a changing
    number of faces compiles a handful of shapes, each once; those for up to eight faces when it is
    opened, so that no frame of a stream waits for one. Calling the network directly this way
    takes a tenth of the time of Keras's `predict`, which also leaks.

    The file is loaded in Keras's safe mode: no code from the file is run. `create_runtime` checks
    its SHA-256 before.

    An instance may be shared between threads: calls take turns.
    """

    name = "keras"
    file_name = "model.keras"
    ready_sizes = (1, 2, 4, 8)
    """The first frame with more faces would stand still for each: 0.1 to 1.3 s with TensorFlow, 0.4
    with JAX (two cores). To open a network takes seconds anyway."""

    def __init__(self, file: Path, size: int, threads: int | None = None) -> None:
        """Load a network and run it at every size of `ready_sizes`, so that no frame waits.

        Args:
            file: a `.keras` file, float32 (N, size, size, 1) to (N, 7).
            size: side of the crops, pixels.
            threads: CPU threads of one call; heeded by TensorFlow while nothing else in this
                process has used it, and by PyTorch. None leaves the backend's own choice.

        Raises:
            OptionError: `threads` is not positive.
            RuntimeMissingError: Keras or its backend cannot be imported.
            ModelError: the file is not a Keras network of that shape.
        """
        if threads is not None and threads < 1:
            raise OptionError(f"threads must be at least 1. Received: {threads}.")
        keras = _import_keras()
        self.backend: str = keras.backend.backend()
        self._size = size
        self._lock = threading.Lock()
        gpu = _GPU_NAMES[self.backend](threads) if self.backend in _GPU_NAMES else None
        self.on_gpu = gpu is not None
        self.device = f"GPU: {gpu}" if gpu else "CPU"
        self.largest_batch = 4096 if self.on_gpu else 32
        try:
            model = keras.saving.load_model(file, compile=False, safe_mode=True)
        except Exception as error:  # Keras raises many kinds for a bad file
            raise ModelError(
                f"{file} cannot be loaded by Keras ({self.backend}): {_first_line(error)}. "
                "Export the model again with `python -m train export`."
            ) from None
        wanted = ((None, size, size, 1), (None, len(CLASSES)))
        if (model.input_shape, model.output_shape) != wanted:
            raise ModelError(
                f"{file} must map {wanted[0]} to {wanted[1]}. It maps {model.input_shape} to "
                f"{model.output_shape}. Export the model again with `python -m train export`."
            )
        self._forward: Forward | None = _FORWARDS.get(self.backend, _plain)(model)
        self._to_numpy: Callable[[Any], Any] = keras.ops.convert_to_numpy
        for count in self.ready_sizes:
            self.run(np.zeros((count, size, size, 1), np.uint8))

    def run(self, crops: Crops) -> Probabilities:
        """The network's own probabilities; see `Runtime.run`."""
        check_crops(crops, self._size)
        probabilities = np.empty((len(crops), len(CLASSES)), np.float32)
        with self._lock:
            if self._forward is None:
                raise ModelError("This runtime has been closed. Make a new one.")
            for start in range(0, len(crops), self.largest_batch):
                part = crops[start : start + self.largest_batch]
                padded = pad_crops(part, next_power_of_two(len(part)))
                answer = self._to_numpy(self._forward(padded))
                probabilities[start : start + len(part)] = answer[: len(part)]
        return probabilities

    def close(self) -> None:
        """Let the network go; calling it twice is allowed."""
        with self._lock:
            self._forward = None


def _import_keras() -> Any:
    # TensorFlow greets with a page of notices on standard error; errors still come through.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        import keras
    except ImportError as error:
        raise RuntimeMissingError(
            f"The runtime keras needs Keras and its backend, which cannot be imported ({error}). "
            "Install requirements.txt, or choose the runtime litert."
        ) from None
    return keras


def _tensorflow_gpu(threads: int | None) -> str | None:
    import tensorflow as tf

    cards = tf.config.list_physical_devices("GPU")
    try:
        if threads is not None:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
        for card in cards:
            # Else TensorFlow takes the whole card from everyone else on the machine.
            tf.config.experimental.set_memory_growth(card, True)
    except RuntimeError:
        pass  # TensorFlow is already running; its settings are fixed by now
    if not cards:
        return None
    return str(tf.config.experimental.get_device_details(cards[0]).get("device_name", "GPU"))


def _jax_gpu(_threads: int | None) -> str | None:
    import jax

    device = jax.devices()[0]
    return str(device.device_kind) if device.platform in ("gpu", "cuda", "rocm") else None


def _torch_gpu(threads: int | None) -> str | None:
    import torch

    if threads is not None:
        torch.set_num_threads(threads)
    return str(torch.cuda.get_device_name(0)) if torch.cuda.is_available() else None


# Crops go to the device as they are and become float32 there: a quarter of the bytes to move, and
# nothing to convert by the one thread that feeds the card.


def _tensorflow_forward(model: Any) -> Forward:
    import tensorflow as tf

    compiled = tf.function(lambda crops: model(tf.cast(crops, tf.float32), training=False))

    @cache
    def of_size(count: int) -> Any:
        # Asked for by size: called with one size after the other, TensorFlow warns of each.
        shape = (count, *model.input_shape[1:])
        return compiled.get_concrete_function(tf.TensorSpec(shape, tf.uint8))

    return lambda crops: of_size(len(crops))(tf.constant(crops))


def _jax_forward(model: Any) -> Forward:
    import jax
    import jax.numpy as jnp

    trained = [variable.value for variable in model.trainable_variables]
    fixed = [variable.value for variable in model.non_trainable_variables]

    def stateless(trained: Any, fixed: Any, crops: Any) -> Any:
        crops = crops.astype(jnp.float32)
        return model.stateless_call(trained, fixed, crops, training=False)[0]

    compiled = jax.jit(stateless)
    return lambda crops: compiled(trained, fixed, crops)


def _torch_forward(model: Any) -> Forward:
    import torch

    plain = _plain(model)

    def forward(crops: Any) -> Any:
        with torch.inference_mode():
            return plain(crops)

    return forward


def _plain(model: Any) -> Forward:
    from keras import ops

    return lambda crops: model(ops.cast(ops.convert_to_tensor(crops), "float32"), training=False)


_GPU_NAMES: dict[str, Callable[[int | None], str | None]] = {
    "tensorflow": _tensorflow_gpu,
    "jax": _jax_gpu,
    "torch": _torch_gpu,
}
_FORWARDS: dict[str, Callable[[Any], Forward]] = {
    "tensorflow": _tensorflow_forward,
    "jax": _jax_forward,
    "torch": _torch_forward,
}


def _first_line(error: Exception) -> str:
    text = str(error).strip()
    return text.splitlines()[0].rstrip(".") if text else type(error).__name__
