"""`plain48`: the project's own stack of 3x3 convolutions, `vgg13` at a quarter of its cost."""

from __future__ import annotations

from typing import ClassVar

from train.architectures.vgg13 import Vgg13


class Plain48(Vgg13):
    """`vgg13` with half the channels, and three quarters of them in the last block.

    Without short cuts, and pooled by the largest value, a network learned FER2013 better than
    residual ones that trained as long (`train/LOG.md`). At 3x3 places a convolution costs next to
    nothing, so that is where most of the parameters are.

    3,540,007 parameters and 137,505,408 multiply-adds at 48x48.
    """

    name = "plain48"
    source = "own design; after Simonyan and Zisserman, 2015, arXiv:1409.1556"

    blocks: ClassVar[tuple[tuple[int, int], ...]] = (
        (32, 2),
        (64, 2),
        (128, 2),
        (256, 2),
        (384, 2),
    )
    hidden = 384
