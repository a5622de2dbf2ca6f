"""`cnn56`: four normalised convolution blocks for 56x56 grey faces."""

from __future__ import annotations

from typing import Any

import keras

from train.architectures._pieces import conv_stage, dense
from train.architectures.base import Architecture, ArchitectureOptions, softmax_head


class Cnn56(Architecture):
    """Convolution, batch normalisation, ReLU, max-pooling and dropout, four times.

    A 56x56 input instead of 48x48, which the first pooling steps leave at 28, 14 and 7, and kernels
    held small by weight decay: train it with `--weight-decay` above 0. The layout is that of public
    FER2013 projects, no paper describes it; its normalisation is that of Ioffe and Szegedy (2015,
    arXiv:1502.03167).

    The dropout option counts in full before the last layer and by half after the blocks.

    2,735,175 parameters and 176,396,032 multiply-adds at 56x56.
    """

    name = "cnn56"
    default_input_size = 56
    source = "layout of public FER2013 projects, after arXiv:1502.03167"

    widths: tuple[int, ...] = (64, 128, 256, 512)
    hidden = 256

    def network(self, x: Any, options: ArchitectureOptions, decay: Any) -> Any:
        """See `Architecture.network`."""
        for filters in self.widths:
            x = conv_stage(x, filters, 1, decay, dropout=options.dropout / 2)
        x = keras.layers.Flatten()(x)
        x = dense(x, self.hidden, decay, batch_norm=True)
        return softmax_head(x, options, decay)
