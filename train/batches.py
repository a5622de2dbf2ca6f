"""One epoch of training batches: order, targets and augmentation, all from the seed."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import cv2
import keras
import numpy as np
import numpy.typing as npt

from train.augmentation import Plan, draw_plan, follow
from train.data import Split
from train.data.prepare import class_weights
from train.losses import joined
from train.mixing import draw_mixing
from train.options import TrainOptions

Floats = npt.NDArray[np.float32]
Asked = Callable[[tuple[int, int], Callable[[], Any]], Any]
"""From a key, the same for the same crops, and what makes the crops, float32 (N, size, size, 1), to
the teachers' probabilities, (N, C), an array or a tensor. Of known answers no crops are made."""


def soft_targets(split: Split, options: TrainOptions) -> npt.NDArray[np.float32]:
    """What the labels ask of the network, float32 (N, C), rows sum to 1.

    Most of the weight lies on the label, `vote_smoothing` of it follows the FER+ votes of the same
    image, and `label_smoothing` of it is spread evenly (Szegedy et al., 2016).
    """
    count = len(split.classes)
    own = np.eye(count, dtype=np.float32)[split.labels]
    shares = split.vote_shares()
    if options.ferplus_targets == "soft":
        own = shares
    votes, even = options.vote_smoothing, options.label_smoothing
    mixed = (1 - votes - even) * own + votes * shares + even / count
    return mixed.astype(np.float32)


def resized(images: npt.NDArray[np.uint8], size: int) -> npt.NDArray[np.uint8]:
    """Grey crops, uint8 (N, h, w), as (N, size, size); the same array where that is their size.

    FER2013's crops are 48x48; a network with another input is trained and scored on these.
    """
    if images.shape[1:] == (size, size):
        return images
    # Averaging keeps what a smaller picture can hold; cubic keeps edges where it grows.
    how = cv2.INTER_AREA if images.shape[1] > size else cv2.INTER_CUBIC
    out = np.empty((len(images), size, size), np.uint8)
    for index, image in enumerate(images):
        out[index] = cv2.resize(image, (size, size), interpolation=how)
    return out


def epoch_order(split: Split, options: TrainOptions, epoch: int) -> npt.NDArray[np.int64]:
    """The rows of one epoch in order: each once, or rare classes more often."""
    random = np.random.default_rng([options.seed_of_crops, epoch])
    if options.class_balance != "sampling":
        return random.permutation(len(split))
    weights = class_weights(split, options.balance_power)
    parts = []
    for label, weight in enumerate(weights):
        rows = np.flatnonzero(split.labels == label)
        if len(rows) == 0:
            continue
        # Whole rounds first, so that no image of a class comes twice before all came once.
        wanted = round(float(weight) * len(rows))
        rounds = [random.permutation(rows) for _ in range(math.ceil(wanted / len(rows)))]
        parts.append(np.concatenate([*rounds, rows[:0]])[:wanted])
    return random.permutation(np.concatenate(parts))


class EpochBatches(keras.utils.PyDataset):  # type: ignore[misc] # keras ships no types
    """The batches of one epoch; batch `i` depends on (seed, epoch, i) only.

    Each image is drawn once (but for balanced sampling); a last batch that would be smaller is
    filled up with images from the start of the order, so that no step has another shape (nor
    noisier batch statistics).
    """

    def __init__(
        self,
        training: Split,
        targets: Floats,
        options: TrainOptions,
        epoch: int,
        outputs: tuple[str, ...] = (),
        teachers: Asked | None = None,
        **loading: Any,
    ) -> None:
        """Batches of one epoch.

        Args:
            training: the rows to train on, images of the network's size.
            targets: float32 (N, K), see `train.losses`.
            options: of the run.
            epoch: from 1.
            outputs: names of the network's outputs where there are several; each gets the targets.
            teachers: gives the probabilities of the crops of a batch, where the teachers are to
                see what the network sees; `targets` are then of the labels alone.
            loading: how Keras loads them, see `keras.utils.PyDataset`.
        """
        super().__init__(**loading)
        self._images = training.images
        self._targets = targets
        self._options = options
        self._epoch = epoch
        self._outputs = outputs
        self._teachers = teachers
        self._weights: Floats | None = None
        if options.class_balance == "weights":
            self._weights = class_weights(training, options.balance_power)[training.labels]
        self._order = epoch_order(training, options, epoch)

    def __len__(self) -> int:
        return math.ceil(len(self._order) / self._options.batch_size)

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        chosen, random = self._chosen(index), self._random(index)
        images = self._images[chosen]
        count, size = images.shape[:2]
        plan = draw_plan(count, size, self._options.augmentation, random)
        mixing = draw_mixing(count, size, self._options, random)

        def made(plan: Plan) -> Floats:
            crops = follow(images, plan)
            return crops if mixing is None else mixing.crops(crops)

        crops = made(plan)
        asked = None
        if self._teachers is not None:
            undamaged = self.teachers_see_undamaged
            asked = self._teachers(
                (self._epoch, index), lambda: made(plan.undamaged()) if undamaged else crops
            )
        targets = self._targets[chosen]
        weights = None if self._weights is None else self._weights[chosen]
        if mixing is not None:
            targets = mixing.targets(targets)
            weights = None if weights is None else mixing.targets(weights[:, None])[:, 0]
        if asked is not None:
            # On the host as everything here: not every backend adds an array and a tensor.
            told = keras.ops.convert_to_numpy(asked)
            targets = joined(targets, told, self._options)
        return self.parts(crops, targets, weights)

    @property
    def teachers_see_undamaged(self) -> bool:
        """Whether the teachers see other crops than the network, those before the damage."""
        options = self._options
        return options.distillation_views == "undamaged" and options.augmentation.degrade > 0

    def parts(self, crops: Any, targets: Any, weights: Any) -> tuple[Any, ...]:
        """Crops, targets and, unless None, the weight of each crop, as Keras takes them."""
        parts = [targets] if weights is None else [targets, weights]
        if self._outputs:
            return crops, *(dict.fromkeys(self._outputs, part) for part in parts)
        return crops, *parts

    def _chosen(self, index: int) -> npt.NDArray[np.int64]:
        size = self._options.batch_size
        places = np.arange(index * size, (index + 1) * size) % len(self._order)
        chosen: npt.NDArray[np.int64] = self._order[places]
        return chosen

    def _random(self, index: int) -> np.random.Generator:
        return np.random.default_rng([self._options.seed_of_crops, self._epoch, index + 1])
