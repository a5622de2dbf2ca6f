"""`vgg13`: five blocks of two 3x3 convolutions."""

from __future__ import annotations

from typing import Any, ClassVar

import keras

from train.architectures._pieces import conv_stage, dense
from train.architectures.base import Architecture, ArchitectureOptions, softmax_head


class Vgg13(Architecture):
    """Configuration B of Simonyan and Zisserman (2015, arXiv:1409.1556), with a small-image head.

    What differs from the paper: batch normalisation after each convolution (Ioffe and Szegedy,
    2015, arXiv:1502.03167), without which so deep a stack learns slowly or not at all from scratch;
    and one dense layer of 512 for the two of 4,096, since five pooling steps leave a single place
    of a 48x48 picture: the paper's head alone would hold 19 million parameters there.

    9,678,919 parameters and 511,200,768 multiply-adds at 48x48.
    """

    name = "vgg13"
    source = "Simonyan and Zisserman, 2015, arXiv:1409.1556"

    # (channels, convolutions) of the blocks.
    blocks: ClassVar[tuple[tuple[int, int], ...]] = (
        (64, 2),
        (128, 2),
        (256, 2),
        (512, 2),
        (512, 2),
    )
    hidden = 512

    def network(self, x: Any, options: ArchitectureOptions, decay: Any) -> Any:
        """See `Architecture.network`."""
        x = keras.layers.GlobalAveragePooling2D()(self.features(x, options, decay))
        return softmax_head(dense(x, self.hidden, decay), options, decay)

    def features(self, x: Any, options: ArchitectureOptions, decay: Any) -> Any:
        """The convolutions, (N, h, w, C)."""
        for filters, count in self.blocks:
            x = conv_stage(x, filters, count, decay)
        return x
