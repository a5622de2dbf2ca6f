"""`dcnn`: a deep sequential network, 5x5 then 3x3 convolutions with batch normalisation."""

from __future__ import annotations

from typing import Any

import keras

from train.architectures._pieces import conv_stage, dense
from train.architectures.base import Architecture, ArchitectureOptions, softmax_head


class Dcnn(Architecture):
    """Two 5x5 convolutions of 64 channels, two 3x3 of 128, two 3x3 of 256, one dense layer.

    The "deep convolutional network" of public notebooks, put together from three papers: batch
    normalisation (Ioffe and Szegedy, 2015, arXiv:1502.03167), ELU (Clevert et al., 2016,
    arXiv:1511.07289) and He-normal kernels (He et al., 2015, arXiv:1502.01852). It is usually
    trained with Nadam: `--optimiser nadam --learning-rate 0.001`.

    What differs here: normalisation stands before the activation, as in its paper, not after it;
    all dropout, 0.4 to 0.6 in the usual code, follows one option, the same share everywhere.

    2,394,567 parameters and 495,600,512 multiply-adds at 48x48.
    """

    name = "dcnn"
    source = "public notebooks, after arXiv:1502.03167, arXiv:1511.07289, arXiv:1502.01852"

    # (channels, kernel size) of the blocks of two convolutions.
    blocks: tuple[tuple[int, int], ...] = ((64, 5), (128, 3), (256, 3))
    hidden = 128

    def network(self, x: Any, options: ArchitectureOptions, decay: Any) -> Any:
        """See `Architecture.network`."""
        for filters, size in self.blocks:
            x = conv_stage(
                x, filters, 2, decay, size=size, activation="elu", dropout=options.dropout
            )
        x = keras.layers.Flatten()(x)
        x = dense(x, self.hidden, decay, activation="elu", batch_norm=True)
        return softmax_head(x, options, decay)
