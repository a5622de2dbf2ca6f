"""Which devices a run uses."""

from __future__ import annotations

import keras

from fer_core.errors import OptionError


def has_accelerator() -> bool:
    """Whether the backend works on a GPU (or TPU)."""
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        return bool(jax.default_backend() != "cpu")
    if backend == "torch":
        import torch

        return bool(torch.cuda.is_available())
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))


def use_devices(which: str, batch_size: int) -> int:
    """Train on one device, or divide every batch between all of them.

    Args:
        which: `one` or `all`.
        batch_size: of the run; must divide by the number of devices.

    Returns:
        The number of devices.

    Raises:
        OptionError: the backend cannot divide batches, or the batch does not divide.
    """
    if which == "one":
        return 1
    # Keras 3 distributes models under JAX; under its other backends it does not, or not yet.
    if keras.backend.backend() != "jax":
        raise OptionError(
            "--devices all is done by Keras under JAX alone. Received: backend "
            f"{keras.backend.backend()}. Set KERAS_BACKEND=jax, or leave the option out."
        )
    found = keras.distribution.list_devices()
    if batch_size % len(found):
        raise OptionError(
            f"batch_size {batch_size} cannot be divided between {len(found)} devices. "
            "Choose a multiple."
        )
    if len(found) > 1:
        keras.distribution.set_distribution(keras.distribution.DataParallel(devices=found))
    return len(found)


def device_in_words() -> str:
    """The device that a run trains on, for cards."""
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        found = jax.devices()
        return f"{len(found)} x {found[0].device_kind}" if has_accelerator() else "CPU"
    if backend == "torch" and has_accelerator():
        import torch

        return str(torch.cuda.get_device_name(0))
    return "GPU" if has_accelerator() else "CPU"
