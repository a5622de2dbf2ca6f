"""`resnet18`: eight residual blocks of two convolutions."""

from __future__ import annotations

from typing import Any, ClassVar

import keras

from train.architectures._pieces import conv_relu, residual_stage
from train.architectures.base import Architecture, ArchitectureOptions, classifier_head


class Resnet18(Architecture):
    """The 18-layer residual network of He et al. (2016, arXiv:1512.03385).

    What differs from the paper: the first convolution is 3x3 at full resolution where the paper has
    7x7 at half, so that a 48x48 face still has 24, 12, 6 and 3 places a side in the four stages,
    not 12 to 2; short cuts average before their 1x1 convolution (He et al., 2019,
    arXiv:1812.01187); and there is dropout before the last layer.

    11,180,871 parameters and 312,757,760 multiply-adds at 48x48.
    """

    name = "resnet18"
    source = "He et al., 2016, arXiv:1512.03385"

    widths: ClassVar[tuple[int, ...]] = (64, 128, 256, 512)
    blocks: ClassVar[tuple[int, ...]] = (2, 2, 2, 2)

    def network(self, x: Any, options: ArchitectureOptions, decay: Any) -> Any:
        """See `Architecture.network`."""
        x = conv_relu(x, self.widths[0], 3, 1, decay)
        x = keras.layers.MaxPooling2D(3, strides=2, padding="same")(x)
        for stage, (channels, blocks) in enumerate(zip(self.widths, self.blocks, strict=True)):
            x = residual_stage(x, channels, blocks, 2 if stage else 1, decay)
        return classifier_head(x, options, decay)
