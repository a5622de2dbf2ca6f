"""What a loaded data set is, whatever layout it came in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fer_core.emotions import CLASSES
from fer_core.errors import DatasetError

SPLITS = ("Training", "PublicTest", "PrivateTest")
"""FER2013's own names: training, validation (everything is chosen on it) and test."""

FERPLUS_VOTES = (
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
    "unknown",
    "NF",
)
"""Columns of the FER+ votes (Barsoum et al., 2016, arXiv:1608.01041); NF: not a face."""

VOTE_OF_CLASS = {
    "angry": "anger",
    "disgust": "disgust",
    "fear": "fear",
    "happy": "happiness",
    "sad": "sadness",
    "surprise": "surprise",
    "neutral": "neutral",
    "contempt": "contempt",
}
"""Which FER+ column speaks of which class; `unknown` and `NF` speak of none."""

_NOT_A_FACE = FERPLUS_VOTES.index("NF")


@dataclass(frozen=True)
class Split:
    """One part of a data set.

    Attributes:
        images: uint8 (N, 48, 48), grey.
        labels: int64 (N,), places in `classes`.
        rows: int64 (N,), number of the row in the source, or of the file in sorted order.
        votes: float32 (N, 10) FER+ votes in the order of `FERPLUS_VOTES`, or None without them.
        classes: what the labels count through.
    """

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int64]
    votes: npt.NDArray[np.float32] | None = None
    classes: tuple[str, ...] = CLASSES

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, where: npt.NDArray[Any]) -> Split:
        """The rows that `where` (a mask or indices) names."""
        votes = None if self.votes is None else self.votes[where]
        return Split(self.images[where], self.labels[where], self.rows[where], votes, self.classes)

    def and_also(self, other: Split) -> Split:
        """These rows and then those of `other`, of the same classes; with votes where both have."""
        votes = None
        if self.votes is not None and other.votes is not None:
            votes = np.concatenate([self.votes, other.votes])
        return Split(
            np.concatenate([self.images, other.images]),
            np.concatenate([self.labels, other.labels]),
            np.concatenate([self.rows, other.rows]),
            votes,
            self.classes,
        )

    def counts(self) -> dict[str, int]:
        """Number of images of each class."""
        found = np.bincount(self.labels, minlength=len(self.classes))
        return {name: int(count) for name, count in zip(self.classes, found, strict=True)}

    def not_a_face(self) -> npt.NDArray[np.bool_]:
        """Mask of the rows that FER+ calls not a face; all False without votes."""
        if self.votes is None:
            return np.zeros(len(self), bool)
        return np.asarray(self.votes[:, _NOT_A_FACE] > self.votes.sum(axis=1) / 2, dtype=bool)

    def vote_shares(self) -> npt.NDArray[np.float32]:
        """Share of the FER+ votes for each class, float32 (N, C), rows sum to 1.

        A row without a vote for any of these classes gets its own label, as does every row of a
        data set without votes.
        """
        own = np.eye(len(self.classes), dtype=np.float32)[self.labels]
        if self.votes is None:
            return own
        shares = self.votes[:, [FERPLUS_VOTES.index(VOTE_OF_CLASS[name]) for name in self.classes]]
        total = shares.sum(axis=1, keepdims=True)
        return np.where(total > 0, shares / np.maximum(total, 1), own).astype(np.float32)


@dataclass(frozen=True)
class Dataset:
    """The splits of a data set, by name.

    Attributes:
        splits: by FER2013's names; a split that the source lacks is absent.
        layout: `csv`, `folders` or `npz`.
        notes: sentences about what was assumed while reading.
    """

    splits: Mapping[str, Split]
    layout: str
    notes: tuple[str, ...] = ()

    def split(self, name: str) -> Split:
        """The split called `name`.

        Raises:
            DatasetError: this data set has none of that name, or it is empty.
        """
        part = self.splits.get(name)
        if part is None or len(part) == 0:
            known = ", ".join(f"{key} ({len(value):,})" for key, value in self.splits.items())
            raise DatasetError(
                f"The data set has no images of the split {name!r}. It has: {known or 'none'}."
            )
        return part
