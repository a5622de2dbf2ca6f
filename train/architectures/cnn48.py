"""`cnn48`: four wide convolution blocks and two dense layers, for 48x48 grey faces."""

from __future__ import annotations

from typing import Any

import keras

from train.architectures._pieces import conv_stage, dense, dropped
from train.architectures.base import Architecture, ArchitectureOptions, softmax_head


class Cnn48(Architecture):
    """Blocks of 128, 256, 512 and 512 channels, dense layers of 512 and 256.

    The layout that most public notebooks and hobby apps on FER2013 use; no paper describes it. One
    3x3 convolution, ReLU, 2x2 max-pooling and dropout a block, dropout after each dense layer.

    What differs here: the convolutions keep the size of the picture, where the usual code loses
    its border (so 3x3 places, not 1x1, reach the dense layers), kernels start He-normal, and all
    dropout, 0.2 to 0.4 in the usual code, follows one option: the whole share after the dense
    layers, half of it after the blocks.

    6,329,351 parameters and 429,819,648 multiply-adds at 48x48.
    """

    name = "cnn48"
    source = "layout of many public FER2013 notebooks; no paper"

    widths: tuple[int, ...] = (128, 256, 512, 512)
    hidden: tuple[int, int] = (512, 256)

    def network(self, x: Any, options: ArchitectureOptions, decay: Any) -> Any:
        """See `Architecture.network`."""
        for filters in self.widths:
            x = conv_stage(x, filters, 1, decay, batch_norm=False, dropout=options.dropout / 2)
        x = keras.layers.Flatten()(x)
        x = dropped(dense(x, self.hidden[0], decay), options.dropout)
        x = dense(x, self.hidden[1], decay)
        return softmax_head(x, options, decay)
