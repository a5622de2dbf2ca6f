"""FER2013 in its public layouts, as arrays: what training learns from and the page shows."""

from __future__ import annotations

from fer_core.fer2013.dataset import FERPLUS_VOTES, SPLITS, VOTE_OF_CLASS, Dataset, Split
from fer_core.fer2013.load import load_dataset

__all__ = ["FERPLUS_VOTES", "SPLITS", "VOTE_OF_CLASS", "Dataset", "Split", "load_dataset"]
