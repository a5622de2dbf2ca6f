"""A network and options with which a whole run takes seconds, and a kill in the midst of it."""

from __future__ import annotations

from train.architectures.compact48 import Compact48
from train.augmentation import AugmentationOptions
from train.options import TrainOptions
from train.progress import Progress


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


class KillAfter(Progress):
    """Ends the run the hard way after an epoch, as a kill would."""

    def __init__(self, epoch: int) -> None:
        self._epoch = epoch

    def epoch(self, row: dict[str, float], best: bool) -> None:
        if row["epoch"] == self._epoch:
            raise KeyboardInterrupt
