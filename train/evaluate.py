"""Score a shipped model folder as a user runs it: its runtime, its temperature, its card."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fer_core.classifier import Classifier
from fer_core.model_store import load_card, model_folder
from train.batches import resized
from train.data import Dataset
from train.data.prepare import prepare
from train.evaluation import evaluate_split
from train.recipe import CONTEMPT, RecipeOptions
from train.views import views

_BATCH = 256


def evaluate_folder(
    name: str, dataset: Dataset, split: str, runtime: str, tta: str = "off"
) -> dict[str, Any]:
    """Every figure of one split.

    Args:
        name: of the model folder, or a path to one.
        dataset: to measure on.
        split: name of the split.
        runtime: `auto`, or the name of one in `fer_core.runtimes`.
        tta: test-time augmentation, see `train.views`; its figures stand apart, under
            `test_time_augmentation`, beside those of one pass.

    Raises:
        ModelError: there is no such folder, or it is damaged.
        DatasetError: the data set has no such split.
    """
    folder = model_folder(name)
    dataset = _with_classes(dataset, load_card(folder).classes)
    part = dataset.split(split)
    classifier = Classifier(folder, runtime=runtime)
    card = classifier.card

    def figures_of(kind: str) -> dict[str, Any]:
        images = resized(part.images, card.input_size)
        mean = np.mean([_run(classifier, seen) for seen in views(images, kind)], axis=0)
        return evaluate_split(dataset, split, mean, card.temperature, card.uncertain_below)

    try:
        result = {
            "model": card.name,
            "split": split,
            "runtime": classifier.runtime.name,
            **figures_of("off"),
        }
        if tta != "off":
            result["test_time_augmentation"] = {"views": tta, **figures_of(tta)}
    finally:
        classifier.close()
    return result


def _run(classifier: Classifier, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    parts = [
        classifier.runtime.run(np.ascontiguousarray(images[start : start + _BATCH, ..., None]))
        for start in range(0, len(images), _BATCH)
    ]
    return np.concatenate(parts)


def _with_classes(dataset: Dataset, classes: tuple[str, ...]) -> Dataset:
    """The data set with the labels that a model was trained for."""
    labels = "ferplus" if CONTEMPT in classes else "fer2013"
    return prepare(dataset, RecipeOptions(labels=labels, classes=classes))
