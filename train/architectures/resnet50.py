"""`resnet50`: sixteen bottleneck blocks of three convolutions."""

from __future__ import annotations

from typing import Any

from train.architectures._applications import application_trunk
from train.architectures.base import Architecture, ArchitectureOptions, classifier_head


class Resnet50(Architecture):
    """The 50-layer residual network of He et al. (2016, arXiv:1512.03385), Keras's own.

    What differs from the paper: the first convolution keeps full resolution (stride 1, not 2), so
    that a 48x48 face still has 24, 12, 6 and 3 places a side in the four stages, not 12 to 2; its
    7x7 kernels and all others are as published, so weights made for ImageNet fit. There is dropout
    before the last layer.

    23,595,783 parameters and 693,794,816 multiply-adds at 48x48.
    """

    name = "resnet50"
    source = "He et al., 2016, arXiv:1512.03385"
    application = "ResNet50"
    # The average of the three channels' means: grey faces have but one.
    application_scale = (114.8, 1.0)

    def network(self, x: Any, options: ArchitectureOptions, decay: Any) -> Any:
        """See `Architecture.network`."""
        features = application_trunk("ResNet50", x, decay, first_stride=1)[0]
        return classifier_head(features, options, decay)
