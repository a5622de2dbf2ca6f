"""One epoch of training batches: order, targets and augmentation, all from the seed."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from fer_core.emotions import CLASSES
from train.augmentation import augment
from train.data import Split
from train.options import TrainOptions


def soft_targets(split: Split, options: TrainOptions) -> npt.NDArray[np.float32]:
    """What the network is asked for, float32 (N, 7), rows sum to 1.

    Most of the weight lies on the label of FER2013, `vote_smoothing` of it follows the FER+ votes
    of the same image, and `label_smoothing` of it is spread evenly (Szegedy et al., 2016).
    """
    own = np.eye(len(CLASSES), dtype=np.float32)[split.labels]
    votes, even = options.vote_smoothing, options.label_smoothing
    mixed = (1 - votes - even) * own + votes * split.vote_shares() + even / len(CLASSES)
    return mixed.astype(np.float32)


class EpochBatches(keras.utils.PyDataset):  # type: ignore[misc] # keras ships no types
    """The batches of one epoch; batch `i` depends on (seed, epoch, i) only.

    Each image is drawn once; a last batch that would be smaller is filled up with images from the
    start of the order, so that no step has another shape (nor noisier batch statistics).
    """

    def __init__(
        self,
        images: npt.NDArray[np.uint8],
        targets: npt.NDArray[np.float32],
        options: TrainOptions,
        epoch: int,
        **loading: Any,
    ) -> None:
        super().__init__(**loading)
        self._images = images
        self._targets = targets
        self._options = options
        self._epoch = epoch
        self._order = np.random.default_rng([options.seed, epoch]).permutation(len(images))

    def __len__(self) -> int:
        return math.ceil(len(self._order) / self._options.batch_size)

    def __getitem__(self, index: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        size = self._options.batch_size
        chosen = self._order[np.arange(index * size, (index + 1) * size) % len(self._order)]
        random = np.random.default_rng([self._options.seed, self._epoch, index + 1])
        crops = augment(self._images[chosen], self._options.augmentation, random)
        return crops, self._targets[chosen]
