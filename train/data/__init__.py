"""What a run learns from: FER2013, which `fer_core.fer2013` reads, prepared as its options say."""

from __future__ import annotations

from fer_core.fer2013 import FERPLUS_VOTES, SPLITS, VOTE_OF_CLASS, Dataset, Split, load_dataset

__all__ = ["FERPLUS_VOTES", "SPLITS", "VOTE_OF_CLASS", "Dataset", "Split", "load_dataset"]
