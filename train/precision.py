"""Which number format a run computes in: bfloat16 only where the machine is quicker in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import keras

from train.devices import has_accelerator
from train.options import TrainOptions

_CPU_FILE = Path("/proc/cpuinfo")
_TILES = "amx_bf16"
_PAIRS = "avx512_bf16"
"""A processor with either multiplies bfloat16; any other takes it apart and puts it together again,
which was measured to take more than ten times the processor time of float32: 16.4 s against 1.5 s
a step of 128 images (`compact48`, AVX2). Intel's multiply pairs at no more than the pace of
float32, so that on those without tiles (a virtual machine may hide them) the way to bfloat16 and
back is lost: 277 against 410 images a second of `compact48`'s step, two cores."""

_INTEL = "GenuineIntel"

_TENSOR_CORES = 8
"""NVIDIA's cards multiply bfloat16 from compute capability 8.0 on."""


def with_precision(options: TrainOptions) -> TrainOptions:
    """The options with `auto` replaced by the precision that this machine is quick in."""
    if options.precision != "auto":
        return options
    return replace(options, precision="bfloat16" if has_fast_bfloat16() else "float32")


def slow_precision(options: TrainOptions) -> str:
    """A sentence where the precision asked for is a slow one here; else empty."""
    if options.precision != "bfloat16" or has_fast_bfloat16():
        return ""
    return (
        "This machine is slower in bfloat16 than in float32, many times so where it does not "
        "multiply it itself. Start again with --precision auto, unless that is what you want."
    )


@lru_cache(maxsize=1)
def has_fast_bfloat16() -> bool:
    """Whether the device that the backend works on is quicker in bfloat16 than in float32."""
    if not has_accelerator():
        flags = _cpu_words("flags")
        return _TILES in flags or (_PAIRS in flags and _INTEL not in _cpu_words("vendor_id"))
    capability = _compute_capability()
    return capability is None or capability >= _TENSOR_CORES


def fast_copy(model: keras.Model) -> keras.Model:
    """A finished network as this device is quick in: in bfloat16 on a GPU that multiplies it.

    Elsewhere, and for a network with others inside it, `model` itself. The last two layers stay
    float32, so that the answers are those of `model` to about a hundredth.
    """
    if not (has_accelerator() and has_fast_bfloat16()):
        return model
    return in_bfloat16(model)


def in_bfloat16(model: keras.Model) -> keras.Model:
    """A copy of a finished network that computes in bfloat16 but for its last two layers."""
    if any(isinstance(layer, keras.Model) for layer in model.layers):
        return model
    last = model.layers[-2:]

    def lowered(layer: keras.layers.Layer) -> keras.layers.Layer:
        config = layer.get_config()
        if layer not in last:
            config["dtype"] = "mixed_bfloat16"
        return layer.__class__.from_config(config)

    copy = keras.models.clone_model(model, clone_function=lowered)
    copy.set_weights(model.get_weights())
    return copy


@contextmanager
def exact_products() -> Iterator[None]:
    """Within the block float32 is multiplied as float32.

    JAX lets NVIDIA's cards round the factors to ten bits: measured, one answer in two thousand is
    another then than the same network gives on a processor, which is what people will run.
    """
    if keras.backend.backend() != "jax":
        yield
        return
    import jax

    with jax.default_matmul_precision("highest"):
        yield


def _compute_capability() -> int | None:
    """The first number of an NVIDIA card's compute capability; None for other devices."""
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        said = getattr(jax.devices()[0], "compute_capability", None)
        return None if said is None else int(str(said).partition(".")[0])
    if backend == "torch":
        import torch

        return int(torch.cuda.get_device_capability()[0])
    import tensorflow as tf

    first = tf.config.list_physical_devices("GPU")[0]
    found = tf.config.experimental.get_device_details(first).get("compute_capability")
    return None if found is None else int(found[0])


def _cpu_words(name: str) -> frozenset[str]:
    """What Linux says of the processor under `name`; nothing elsewhere."""
    try:
        text = _CPU_FILE.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return frozenset()
    lines = (line.partition(":") for line in text.splitlines())
    return frozenset(
        word for key, _, words in lines if key.strip() == name for word in words.split()
    )
