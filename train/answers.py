"""What teachers said of crops that come again: kept in memory, and in files for other runs."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np

from train.batches import Asked
from train.data import Split
from train.options import TrainOptions

_SAME = (
    "seed_of_crops",
    "batch_size",
    "augmentation",
    "mixup",
    "mixup_alpha",
    "cutmix",
    "cutmix_alpha",
    "class_balance",
    "balance_power",
    "distillation_views",
)
"""The options that make the crops of an epoch, and what teachers see of them, what they are."""


class Remembered:
    """Teachers that are asked once about crops which come again.

    Args:
        asked: gives probabilities, (N, C), of crops.
        folder: where they are kept in files too; runs that share it, at the same time or later,
            ask once between them. None for memory alone.
    """

    def __init__(self, asked: Asked, folder: Path | None = None) -> None:
        self._asked = asked
        self._folder = folder
        self._known: dict[tuple[int, int], Any] = {}

    def __call__(self, key: tuple[int, int], crops: Callable[[], Any]) -> Any:
        """Probabilities of what `crops` makes; those of a `key` seen before as they were then."""
        if key not in self._known:
            self._known[key] = self._found(key, crops)
        return self._known[key]

    def _found(self, key: tuple[int, int], crops: Callable[[], Any]) -> Any:
        if self._folder is None:
            return self._asked(key, crops)
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder / f"{key[0]:04d}-{key[1]:04d}.npy"
        if not file.is_file():
            # Runs side by side meet at the same crops: the others wait rather than ask as well.
            with _held(self._folder / "lock"):
                if not file.is_file():
                    return self._written(file, self._asked(key, crops))
        return keras.ops.convert_to_tensor(np.load(file, allow_pickle=False))

    def _written(self, file: Path, found: Any) -> Any:
        beside = file.with_suffix(".part")
        with beside.open("wb") as stream:
            np.save(stream, keras.ops.convert_to_numpy(found))
        beside.replace(file)
        return found


def answers_folder(
    folder: Path, teachers: Sequence[str], training: Split, options: TrainOptions, pieces: str
) -> Path:
    """A folder inside `folder` that only runs with the same crops and teachers have in common.

    Args:
        folder: of the option `answers`.
        teachers: name and checksum of each.
        training: the rows trained on, with images of the network's size.
        options: of the run.
        pieces: how the crops of an epoch are divided and where they are changed, in any words.
    """
    said = {**asdict(options), "seed_of_crops": options.seed_of_crops}
    same = [list(teachers), {name: said[name] for name in _SAME}, pieces]
    digest = hashlib.sha256(json.dumps(same, sort_keys=True).encode())
    for values in (training.images, training.labels, training.rows):
        digest.update(np.ascontiguousarray(values).tobytes())
    return folder / digest.hexdigest()[:16]


@contextmanager
def _held(file: Path) -> Iterator[None]:
    """A lock between processes, given back also when one is killed; none on Windows, where runs
    side by side may ask twice."""
    if sys.platform == "win32":
        yield
        return
    import fcntl

    with file.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield
