"""`vgg16`: five blocks of two or three 3x3 convolutions."""

from __future__ import annotations

from typing import Any

from train.architectures._applications import application_trunk
from train.architectures.base import ArchitectureOptions
from train.architectures.vgg13 import Vgg13


class Vgg16(Vgg13):
    """Configuration D of Simonyan and Zisserman (2015, arXiv:1409.1556), with a small-image head.

    What differs from the paper is what differs in `Vgg13`. With ImageNet weights there is no batch
    normalisation, as in the paper: it would undo what the weights expect of one another.

    14,992,455 parameters and 702,303,744 multiply-adds at 48x48.
    """

    name = "vgg16"
    application = "VGG16"
    # The average of the three channels' means: grey faces have but one.
    application_scale = (114.8, 1.0)

    blocks = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))

    def features(self, x: Any, options: ArchitectureOptions, decay: Any) -> Any:
        """The convolutions, (N, h, w, C)."""
        if options.pretrained:
            return application_trunk("VGG16", x, decay)[0]
        return super().features(x, options, decay)
