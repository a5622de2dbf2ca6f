"""What the network of a run is fed: rows, targets, teachers, and where the crops are changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np

from fer_core.errors import DatasetError
from train.answers import Remembered, answers_folder
from train.batches import Asked, EpochBatches, soft_targets
from train.data import Split
from train.device_batches import DeviceBatches, on_device
from train.devices import has_accelerator
from train.losses import joined
from train.options import TrainOptions
from train.recipe import PER_CROP
from train.seen import write_sheet
from train.teachers import Taught, Teachers, taught

_WORKERS = 8
_SHOWN = 64


class Feed:
    """The batches of every epoch of a run.

    Args:
        training: the rows to train on, with images of the network's size.
        options: of the run.
        folder: where what the teachers say of the clean images is kept for a resumed run.
        original: the same rows with images of the data set's size, for the teachers.

    Attributes:
        fast: whether there is a GPU.
        on_device: whether the crops are changed on the device.

    Raises:
        DatasetError, ModelError, OptionError: the teachers, or what they said, do not fit.
    """

    def __init__(
        self, training: Split, options: TrainOptions, folder: Path, original: Split
    ) -> None:
        counts = training.counts()
        missing = [name for name, count in counts.items() if count == 0]
        if missing and options.class_balance != "off":
            raise DatasetError(
                f"Classes cannot be balanced: no training row is of {', '.join(missing)}."
            )
        self._training = training
        self._options = options
        self._ask: Asked | None = None
        self._targets = soft_targets(training, options)
        self.fast = has_accelerator()
        place = options.augment_on
        self.on_device = place == "device" or (place == "auto" and self.fast)
        self._resident = on_device(training.images) if self.on_device else None
        if options.distillation:
            self._add_teachers(original, folder)

    def batches(self, epoch: int, outputs: tuple[str, ...]) -> EpochBatches:
        """The batches of one epoch.

        Args:
            epoch: from 1.
            outputs: names of the network's outputs where there are several.
        """
        if rounds := self._options.distillation_rounds:
            epoch = (epoch - 1) % rounds + 1
        arguments = (self._training, self._targets, self._options, epoch, outputs, self._ask)
        if self.on_device:
            return DeviceBatches(self._resident, *arguments, workers=1, max_queue_size=8)
        # One thread is enough beside a CPU that trains; and Keras' networks are asked from one.
        workers = _WORKERS if self.fast and self._ask is None else 1
        return EpochBatches(*arguments, workers=workers, max_queue_size=2 * _WORKERS)

    def write_seen(self, file: Path) -> None:
        """Write a picture of the first crops that the network will see.

        Raises:
            TrainingError: it cannot be written.
        """
        crops = keras.ops.convert_to_numpy(self.batches(1, ())[0][0])
        write_sheet(np.asarray(crops)[:_SHOWN, ..., 0], file, columns=8)

    def _add_teachers(self, original: Split, folder: Path) -> None:
        options = self._options
        if options.teacher_probabilities:
            known = Taught.load(Path(options.teacher_probabilities))
        else:
            teachers = Teachers(options.teachers, options.class_names)
            if options.distillation_views in PER_CROP:
                self._ask = self._remembered(teachers)
                return
            known = taught(teachers, original, folder / "teachers.npz")
        self._targets = joined(self._targets, known.of(original), options)

    def _remembered(self, teachers: Teachers) -> Asked:
        options = self._options

        def asked(key: tuple[int, int], crops: Callable[[], Any]) -> Any:
            return teachers.of_crops(crops())

        if not options.distillation_rounds:
            return asked
        if not options.answers:
            return Remembered(asked)
        pieces = "chunks on the device" if self.on_device else "batches on the host"
        folder = Path(options.answers)
        return Remembered(
            asked, answers_folder(folder, teachers.names, self._training, options, pieces)
        )
