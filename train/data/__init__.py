"""FER2013 in its public layouts, as arrays."""

from __future__ import annotations

from train.data.dataset import SPLITS, Dataset, Split
from train.data.load import load_dataset

__all__ = ["SPLITS", "Dataset", "Split", "load_dataset"]
