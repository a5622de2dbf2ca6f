"""Score a shipped model folder as a user runs it: its runtime, its temperature, its card."""

from __future__ import annotations

from typing import Any

from fer_core.classifier import Classifier
from fer_core.model_store import model_folder
from train.data import Dataset
from train.evaluation import evaluate_split

_BATCH = 256


def evaluate_folder(name: str, dataset: Dataset, split: str, runtime: str) -> dict[str, Any]:
    """Every figure of one split.

    Args:
        name: of the model folder, or a path to one.
        dataset: to measure on.
        split: name of the split.
        runtime: `auto`, or the name of one in `fer_core.runtimes`.

    Raises:
        ModelError: there is no such folder, or it is damaged.
        DatasetError: the data set has no such split.
    """
    import numpy as np

    part = dataset.split(split)
    classifier = Classifier(model_folder(name), runtime=runtime)
    try:
        parts = [
            classifier.runtime.run(part.images[start : start + _BATCH, ..., None])
            for start in range(0, len(part), _BATCH)
        ]
    finally:
        classifier.close()
    card = classifier.card
    figures = evaluate_split(
        dataset, split, np.concatenate(parts), card.temperature, card.uncertain_below
    )
    return {"model": card.name, "split": split, "runtime": classifier.runtime.name, **figures}
