"""`base`: a plain stack of convolutions, the least that is worth comparing with."""

from __future__ import annotations

from typing import Any

import keras

from train.architectures._pieces import conv_stage, dense
from train.architectures.base import Architecture, ArchitectureOptions, softmax_head


class Base(Architecture):
    """Convolution, ReLU, max-pooling, four times; then two dense layers.

    The classic layout of LeCun et al. (1998) with the ReLU and max-pooling of Krizhevsky et al.
    (2012), in 3x3 kernels. It has no normalisation between its layers and only the dropout before
    the last one: what the other networks gain over it, they gain by what it lacks. He-normal
    kernels (arXiv:1502.01852) are the one thing newer than it.

    979,719 parameters and 33,105,664 multiply-adds at 48x48.
    """

    name = "base"
    source = "plain stack after LeCun et al., 1998, and Krizhevsky et al., 2012"

    widths: tuple[int, ...] = (32, 64, 128, 256)
    hidden = 256

    def network(self, x: Any, options: ArchitectureOptions, decay: Any) -> Any:
        """See `Architecture.network`."""
        for filters in self.widths:
            x = conv_stage(x, filters, 1, decay, batch_norm=False)
        x = keras.layers.Flatten()(x)
        x = dense(x, self.hidden, decay)
        return softmax_head(x, options, decay)
