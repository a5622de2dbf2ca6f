"""A network and options with which a whole run takes seconds."""

from __future__ import annotations

from train.architectures.compact48 import Compact48
from train.augmentation import AugmentationOptions
from train.options import TrainOptions


class Tiny(Compact48):
    """The same blocks with a hundredth of the work."""

    name = "tiny"
    stages = ((8, 1), (8, 1))
    stem = 4


QUICK = TrainOptions(
    architecture="tiny",
    epochs=3,
    batch_size=28,
    learning_rate=0.05,
    warmup_epochs=0.5,
    precision="float32",
    weight_decay=0.0,
    augmentation=AugmentationOptions(flip=0.5, shift=0.02, rotation=2, zoom=0.02, erasing=0.1),
)
