"""Teachers: model folders whose averaged probabilities a student learns from."""

from __future__ import annotations

import contextlib
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from fer_core.errors import DatasetError, OptionError, TrainingError
from fer_core.model_store import ModelCard
from train.batches import resized
from train.checkpoint import one_line
from train.data import Split
from train.finished import FILE, open_finished
from train.metrics import with_temperature
from train.precision import fast_copy
from train.predicting import forward, probabilities_of

Floats = npt.NDArray[np.float32]

_BATCH = 512


@dataclass(frozen=True)
class Taught:
    """What teachers say of images.

    Attributes:
        probabilities: float32 (N, C).
        rows: int64 (N,), of the data set.
        classes: C names.
        teachers: name and checksum of each.
    """

    probabilities: Floats
    rows: npt.NDArray[np.int64]
    classes: tuple[str, ...]
    teachers: tuple[str, ...]

    def save(self, file: Path) -> None:
        """Write as `.npz`, beside and moved into place.

        Raises:
            TrainingError: it cannot be written.
        """
        beside = file.with_name(file.stem + ".part.npz")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            np.savez_compressed(
                beside,
                probabilities=self.probabilities,
                rows=self.rows,
                classes=np.array(self.classes),
                teachers=np.array(self.teachers),
            )
            beside.replace(file)
        except OSError as error:
            with contextlib.suppress(OSError):
                beside.unlink(missing_ok=True)
            raise TrainingError(
                f"The teachers' probabilities {file} cannot be written: {one_line(error)}. "
                "Make room, or choose another folder."
            ) from None

    @classmethod
    def load(cls, file: Path) -> Taught:
        """Read what `save` wrote.

        Raises:
            DatasetError: it is missing, damaged, or another kind of file.
        """
        try:
            with np.load(file, allow_pickle=False) as arrays:
                return cls(
                    arrays["probabilities"].astype(np.float32),
                    arrays["rows"].astype(np.int64),
                    tuple(arrays["classes"].tolist()),
                    tuple(arrays["teachers"].tolist()),
                )
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise DatasetError(
                f"The teachers' probabilities {file} cannot be read: {error}. "
                "Write them again with `python -m train teach`."
            ) from None

    def of(self, split: Split) -> Floats:
        """Probabilities of the rows of a split, (N, C).

        Raises:
            DatasetError: the classes are others, or a row is missing.
        """
        if self.classes != split.classes:
            raise DatasetError(
                f"The teachers' probabilities are of {', '.join(self.classes)}; this run has "
                f"{', '.join(split.classes)}."
            )
        order = np.argsort(self.rows)
        place = np.searchsorted(self.rows, split.rows, sorter=order)
        found = order[np.minimum(place, len(order) - 1)]
        missing = int((self.rows[found] != split.rows).sum())
        if missing:
            raise DatasetError(
                f"The teachers' probabilities lack {missing:,} of {len(split):,} training rows. "
                "Write them again from this data set with `python -m train teach`."
            )
        asked: Floats = self.probabilities[found]
        return asked


class Teachers:
    """Several networks that answer as one: the mean of their calibrated probabilities.

    Args:
        names: of model folders, or paths to them.
        classes: that the student tells apart. A teacher may know more: what it says of these is
            scaled to sum to 1.

    Raises:
        ModelError: a folder is missing or damaged.
        OptionError: a teacher does not know one of the classes.
    """

    def __init__(self, names: Sequence[str], classes: tuple[str, ...]) -> None:
        self._classes = classes
        self._models: list[tuple[keras.Model, Callable[[Any], Any], ModelCard]] = []
        for name in names:
            model, card = open_finished(name)
            if not set(classes) <= set(card.classes):
                raise OptionError(_other(name, classes, card))
            fast = fast_copy(model)
            self._models.append((fast, forward(fast), card))

    @property
    def names(self) -> tuple[str, ...]:
        """Name and checksum of each teacher."""
        return tuple(f"{card.name} {card.files[FILE]['sha256']}" for *_, card in self._models)

    def of_images(self, images: npt.NDArray[np.uint8]) -> Floats:
        """Probabilities of clean images, each seen as it is and mirrored.

        Args:
            images: uint8 (N, size, size).
        """
        total = np.zeros((len(images), len(self._classes)), np.float64)
        for model, _, card in self._models:
            crops = resized(images, card.input_size)
            for seen in (crops, crops[:, :, ::-1]):
                found = probabilities_of(model, seen[..., None], _BATCH)
                total += with_temperature(found[:, self._places(card)], card.temperature)
        return (total / (2 * len(self._models))).astype(np.float32)

    def of_crops(self, crops: Any) -> Any:
        """Probabilities of the very crops that a student is given.

        Args:
            crops: float32 (N, size, size, 1), grey values 0 to 255, an array or a tensor.

        Returns:
            Tensor of float32, (N, C).
        """
        crops = ops.convert_to_tensor(crops)
        total = ops.zeros((len(crops), len(self._classes)), "float32")
        for _, asked, card in self._models:
            seen = crops
            if crops.shape[1] != card.input_size:
                side = (card.input_size, card.input_size)
                seen = ops.image.resize(crops, side, "bicubic", antialias=True)
            found = ops.cast(asked(seen), "float32")
            if card.classes != self._classes:
                found = ops.take(found, self._places(card), axis=1)
            # Raised to 1 / temperature and scaled to sum to 1, as `train.metrics` does.
            total += ops.softmax(ops.log(ops.maximum(found, 1e-30)) / card.temperature)
        return total / len(self._models)

    def _places(self, card: ModelCard) -> list[int]:
        """Where the student's classes stand among those of a teacher."""
        return [card.classes.index(label) for label in self._classes]


def _other(name: str, classes: tuple[str, ...], card: ModelCard) -> str:
    return (
        f"The teacher {name} tells apart {', '.join(card.classes)}; the student "
        f"{', '.join(classes)}. Choose another teacher or other --classes."
    )


def taught(teachers: Teachers, split: Split, kept: Path) -> Taught:
    """What teachers say of a split, asked once: later calls read the file `kept`.

    Args:
        teachers: to ask.
        split: whose images they see.
        kept: written, or read where the same teachers saw the same rows.
    """
    if kept.is_file():
        known = Taught.load(kept)
        if known.teachers == teachers.names and np.array_equal(known.rows, split.rows):
            return known
    found = Taught(teachers.of_images(split.images), split.rows, split.classes, teachers.names)
    found.save(kept)
    return found
