"""`mini_xception`: separable convolutions with short cuts, in sixty thousand parameters."""

from __future__ import annotations

from typing import Any, ClassVar

import keras

from train.architectures._pieces import conv, conv_relu, dropped, normalised
from train.architectures.base import OUTPUT, Architecture, ArchitectureOptions


class MiniXception(Architecture):
    """The real-time network of Arriaga et al. (2017, arXiv:1710.07557).

    Two 3x3 convolutions of 8 channels, then four modules of two separable convolutions with a
    strided 1x1 short cut, after Xception (Chollet, 2017, arXiv:1610.02357). A last 3x3 convolution
    has a channel a class, and its average over all places goes into the softmax: there is no dense
    layer.

    What differs from the paper: the input is 48x48, as FER2013 has it, where the authors' code
    enlarges it to 64x64; the first two convolutions keep the size of the picture; and there is
    dropout before the last convolution.

    58,423 parameters and 6,332,544 multiply-adds at 48x48.
    """

    name = "mini_xception"
    source = "Arriaga et al., 2017, arXiv:1710.07557"

    stem = 8
    widths: ClassVar[tuple[int, ...]] = (16, 32, 64, 128)

    def network(self, x: Any, options: ArchitectureOptions, decay: Any) -> Any:
        """See `Architecture.network`."""
        for _ in range(2):
            x = conv_relu(x, self.stem, 3, 1, decay)
        for filters in self.widths:
            short = normalised(conv(x, filters, 1, 2, decay))
            x = keras.layers.ReLU()(normalised(_separable(x, filters, decay)))
            x = normalised(_separable(x, filters, decay))
            x = keras.layers.MaxPooling2D(3, strides=2, padding="same")(x)
            x = keras.layers.Add()([x, short])
        x = dropped(x, options.dropout)
        x = conv(x, options.classes, 3, 1, decay, bias=True)
        x = keras.layers.GlobalAveragePooling2D(dtype="float32", name="logits")(x)
        return keras.layers.Softmax(dtype="float32", name=OUTPUT)(x)


def _separable(x: Any, filters: int, decay: Any) -> Any:
    return keras.layers.SeparableConv2D(
        filters,
        3,
        padding="same",
        use_bias=False,
        depthwise_initializer="he_normal",
        pointwise_initializer="he_normal",
        depthwise_regularizer=decay,
        pointwise_regularizer=decay,
    )(x)
