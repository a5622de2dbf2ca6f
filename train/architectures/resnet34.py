"""`resnet34`: sixteen residual blocks of two convolutions."""

from __future__ import annotations

from train.architectures.resnet18 import Resnet18


class Resnet34(Resnet18):
    """The 34-layer residual network of He et al. (2016, arXiv:1512.03385).

    What differs from the paper is what differs in `Resnet18`.

    21,296,455 parameters and 652,496,384 multiply-adds at 48x48.
    """

    name = "resnet34"

    blocks = (3, 4, 6, 3)
