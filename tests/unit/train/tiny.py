"""A network and options with which a whole run takes seconds, and a kill in the midst of it."""

from __future__ import annotations

from pathlib import Path

import keras

from fer_core.emotions import CLASSES
from fer_core.model_store import ModelCard, write_card
from train.architectures import ArchitectureOptions
from train.architectures.compact48 import Compact48
from train.augmentation import AugmentationOptions
from train.export import files_of, save_keras
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


class Told(Progress):
    """Keeps the messages of a run."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def message(self, text: str) -> None:
        self.said.append(text)


def teacher_folder(folder: Path, seed: int, classes: tuple[str, ...] = CLASSES) -> Path:
    """A model folder of an untrained network, enough to be asked."""
    folder.mkdir(parents=True)
    keras.utils.set_random_seed(seed)
    save_keras(Tiny().build(ArchitectureOptions(classes=len(classes))), folder)
    write_card(ModelCard(folder.name, "tiny", 48, classes, files=files_of(folder)), folder)
    return folder
