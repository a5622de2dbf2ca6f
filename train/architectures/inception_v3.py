"""`inception_v3`: factorised inception modules, and an auxiliary classifier in training."""

from __future__ import annotations

from typing import Any

import keras

from train.architectures._applications import application_trunk
from train.architectures._pieces import auxiliary_output, conv_relu
from train.architectures.base import (
    OUTPUT,
    Architecture,
    ArchitectureOptions,
    classifier_head,
)


class InceptionV3(Architecture):
    """Inception v3 of Szegedy et al. (2016, arXiv:1512.00567), Keras's own trunk.

    In training a classifier on the last 17x17 grid of the paper (7x7 here) has a loss that counts
    for 0.3, the share of the paper's predecessor; it is gone from the network for use.

    What differs from the paper: the first convolution keeps full resolution (stride 1, not 2), so
    that the modules see 16, 7 and 3 places a side of a 75x75 face, not 7, 3 and 1; its kernels are
    as published, so weights made for ImageNet fit. The auxiliary classifier keeps the size of its
    grid and averages over it last, since the paper's 5x5 steps do not fit on it. Faces of 48x48 are
    enlarged to 75x75.

    21,816,551 parameters and 1,059,492,640 multiply-adds at 75x75.
    """

    name = "inception_v3"
    default_input_size = 75
    source = "Szegedy et al., 2016, arXiv:1512.00567"
    auxiliary_weight = 0.3
    application = "InceptionV3"
    application_scale = (127.5, 127.5)

    def network(self, x: Any, options: ArchitectureOptions, decay: Any) -> Any:
        """See `Architecture.network`."""
        top, grid = application_trunk("InceptionV3", x, decay, first_stride=1, taps=("mixed7",))
        side = conv_relu(conv_relu(grid, 128, 1, 1, decay), 768, 5, 1, decay)
        side = keras.layers.GlobalAveragePooling2D()(side)
        return {
            OUTPUT: classifier_head(top, options, decay),
            "auxiliary_1": auxiliary_output(side, options, decay, "auxiliary_1"),
        }
