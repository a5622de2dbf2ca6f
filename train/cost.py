"""What a network costs: parameters and multiply-adds of one crop."""

from __future__ import annotations

import math
from dataclasses import dataclass

import keras


@dataclass(frozen=True)
class Cost:
    """Size and work of a network for one crop.

    Attributes:
        parameters: trainable or not.
        multiply_adds: of convolutions and dense layers; what else there is costs next to nothing
            in arithmetic.
    """

    parameters: int
    multiply_adds: int


def count_cost(model: keras.Model) -> Cost:
    """Count by the shapes of the built layers, whatever the image data format."""
    return Cost(int(model.count_params()), sum(_multiply_adds(layer) for layer in model.layers))


def _multiply_adds(layer: keras.layers.Layer) -> int:
    if isinstance(layer, keras.Model):
        return sum(_multiply_adds(inner) for inner in layer.layers)
    if isinstance(layer, keras.layers.Dense):
        return int(math.prod(layer.kernel.shape))
    if isinstance(layer, keras.layers.SeparableConv2D):
        places = _places(layer)
        kernels = (layer.depthwise_kernel, layer.pointwise_kernel)
        return int(sum(places * math.prod(kernel.shape) for kernel in kernels))
    if isinstance(layer, (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)):
        return int(_places(layer) * math.prod(layer.kernel.shape))
    return 0


def _places(layer: keras.layers.Layer) -> int:
    """Number of positions that the kernel is applied at."""
    shape = layer.output.shape
    if layer.data_format == "channels_first":
        return int(shape[2] * shape[3])
    return int(shape[1] * shape[2])
