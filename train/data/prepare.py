"""From a data set as it was read to the one that a run trains on and is scored on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from fer_core.errors import DatasetError
from fer_core.model_store import ModelCard
from train.card_options import labels_of
from train.data import FERPLUS_VOTES, VOTE_OF_CLASS, Dataset, Split
from train.recipe import RecipeOptions


def prepare(dataset: Dataset, options: RecipeOptions) -> Dataset:
    """The data set with the labels and the classes of a run, in every split.

    Args:
        dataset: as it was read, with the classes of FER2013.
        options: of the run.

    Raises:
        DatasetError: there are no votes for the labels asked for, or a split lacks a class.
    """
    names = options.class_names
    splits = dict(dataset.splits)
    if options.labels == "ferplus":
        splits = {
            name: _by_votes(split, majority=name != "Training") for name, split in splits.items()
        }
    splits = {name: select_classes(split, names) for name, split in splits.items()}
    for name, split in splits.items():
        missing = [key for key, count in split.counts().items() if count == 0]
        if missing:
            there = ", ".join(key for key in names if key not in missing)
            raise DatasetError(
                f"The split {name} has no image of: {', '.join(missing)}. Give a data set that has "
                f"some, or leave the class out, with --classes {there} say."
            )
    return replace(dataset, splits=splits)


def prepared_for(card: ModelCard, dataset: Dataset) -> Dataset:
    """The data set with the labels and the classes that a finished network was trained for.

    Args:
        card: of the network.
        dataset: as it was read.

    Raises:
        DatasetError: there are no votes for these labels, or a split lacks a class.
    """
    return prepare(dataset, RecipeOptions(labels=labels_of(card), classes=card.classes))


def training_rows(dataset: Dataset, options: RecipeOptions, *, drop_not_a_face: bool) -> Split:
    """The training split without the rows that a run leaves out, with the labels it learns.

    Args:
        dataset: of `prepare`.
        options: of the run.
        drop_not_a_face: leave out the rows that FER+ calls not a face.

    Raises:
        DatasetError: there are no votes for the targets asked for, or nothing is left.
    """
    training = dataset.split("Training")
    keep = np.ones(len(training), bool)
    if drop_not_a_face:
        keep &= ~training.not_a_face()
    if options.drop_leaked:
        keep &= ~leaked(dataset)
    training = training.take(keep)
    if len(training) == 0:
        raise DatasetError("No training row is left after dropping non-faces and leaked rows.")
    if options.ferplus_targets != "off":
        shares = _votes_needed(training).vote_shares()
        if options.ferplus_targets == "majority":
            # A tie keeps the label of FER2013 where that is among the best.
            own = shares[np.arange(len(training)), training.labels]
            tied = own >= shares.max(axis=1)
            labels = np.where(tied, training.labels, shares.argmax(axis=1)).astype(np.int64)
            training = replace(training, labels=labels)
    return training


def leaked(dataset: Dataset) -> npt.NDArray[np.bool_]:
    """Mask of the training rows that stand, pixel for pixel, in another split too."""
    others = {
        image.tobytes()
        for name, split in dataset.splits.items()
        if name != "Training"
        for image in split.images
    }
    return np.array([image.tobytes() in others for image in dataset.split("Training").images], bool)


def select_classes(split: Split, names: tuple[str, ...]) -> Split:
    """The rows of the classes in `names`, labelled by their place in it."""
    if split.classes == names:
        return split
    place = np.array([names.index(name) if name in names else -1 for name in split.classes])
    labels = place[split.labels]
    kept = split.take(labels >= 0)
    return replace(kept, labels=labels[labels >= 0].astype(np.int64), classes=names)


def class_weights(split: Split, power: float) -> npt.NDArray[np.float32]:
    """What each class counts for, float32 (C,), so that the rows of the split weigh 1 on average.

    Args:
        split: whose counts decide.
        power: 1 for full balance, 0 for none.
    """
    counts = np.bincount(split.labels, minlength=len(split.classes)).astype(np.float64)
    weights = np.where(counts > 0, np.maximum(counts, 1), np.inf) ** -power
    weights *= len(split) / (weights * counts).sum()
    return weights.astype(np.float32)


def _votes_needed(split: Split) -> Split:
    if split.votes is None:
        raise DatasetError(
            "Targets from FER+ need its votes. Give --ferplus FILE (fer2013new.csv)."
        )
    return split


def _by_votes(split: Split, *, majority: bool) -> Split:
    """Eight classes by most votes; a row is dropped where `unknown` or not-a-face has most.

    With `majority` by the rule of FER+'s authors: a class that one person alone voted for does not
    count, and the winner needs more than half of the votes left. Source: the mode `majority` of
    Barsoum et al.'s own reader (github.com/microsoft/FERPlus, src/ferplus.py), with which they
    score validation and test whatever a network was trained on.
    """
    votes = _votes_needed(split).votes
    assert votes is not None
    if majority:
        votes = np.where(votes > 1, votes, 0)
    needed = votes.sum(axis=1) / 2 if majority else 0
    names = tuple(VOTE_OF_CLASS)
    columns = [FERPLUS_VOTES.index(vote) for vote in VOTE_OF_CLASS.values()]
    columns += [FERPLUS_VOTES.index("unknown"), FERPLUS_VOTES.index("NF")]
    labels = votes[:, columns].argmax(axis=1)
    keep = (labels < len(names)) & (votes.max(axis=1) > needed)
    kept = split.take(keep)
    return replace(kept, labels=labels[keep].astype(np.int64), classes=names)
