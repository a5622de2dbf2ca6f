"""Trunks of `keras.applications`, fitted to small pictures so that ImageNet weights still fit."""

from __future__ import annotations

from typing import Any

import keras

from fer_core.errors import OptionError
from train.architectures._pieces import MOMENTUM

TRUNK = "trunk"
"""Name of the layer, a network within the network, that takes ImageNet weights."""


def application_trunk(
    name: str, x: Any, decay: Any, *, first_stride: int | None = None, taps: tuple[str, ...] = ()
) -> list[Any]:
    """The network `name` of `keras.applications` without its top, as one layer called `trunk`.

    Strides do not show in the shapes of kernels, so weights made for ImageNet fit whatever
    `first_stride` is.

    Args:
        name: of the function in `keras.applications`.
        x: what its first convolution sees.
        decay: the regulariser of kernels, or None.
        first_stride: of its first convolution; None leaves it as published.
        taps: names of inner layers whose outputs are wanted too.

    Returns:
        The last feature map, then those of `taps`.

    Raises:
        OptionError: the input is too small for this network.
    """
    plain = untrained(name, x.shape[-1])
    inner = [plain.get_layer(tap).output for tap in taps]
    wanted = [plain.output, *inner] if inner else plain.output
    first = next(layer for layer in plain.layers if isinstance(layer, keras.layers.Conv2D))

    def adapted(layer: keras.layers.Layer) -> keras.layers.Layer:
        config = layer.get_config()
        if isinstance(layer, keras.layers.Conv2D):
            config["kernel_regularizer"] = decay
            config["kernel_initializer"] = "he_normal"
            if layer is first and first_stride is not None:
                config["strides"] = first_stride
        if isinstance(layer, keras.layers.BatchNormalization):
            config["momentum"] = MOMENTUM
        return type(layer).from_config(config)

    try:
        trunk = keras.models.clone_model(
            keras.Model(plain.inputs[0], wanted, name=TRUNK),
            input_tensors=keras.Input(x.shape[1:]),
            clone_function=adapted,
        )
        # Keras unwraps a list of one output at some calls and not at others.
        maps = list(keras.tree.flatten(trunk(x)))
    except ValueError as error:
        raise _too_small(name, x) from error
    # Keras before 3.13 goes on with feature maps of nothing.
    if any(min(grid.shape[1:3]) < 1 for grid in maps):
        raise _too_small(name, x)
    return maps


def _too_small(name: str, x: Any) -> OptionError:
    return OptionError(f"input_size is too small for {name}. Received: {x.shape[1]}.")


def untrained(name: str, channels: int, weights: str | None = None) -> keras.Model:
    """The network `name` of `keras.applications` without its top, for pictures of any size.

    Args:
        name: of the function in `keras.applications`.
        channels: of the pictures.
        weights: None, `imagenet`, or a file; what Keras raises for them comes through.
    """
    picture = keras.Input((None, None, channels))
    return getattr(keras.applications, name)(
        include_top=False, weights=weights, input_tensor=picture
    )
