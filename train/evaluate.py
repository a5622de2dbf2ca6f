"""Score a shipped model folder as a user runs it: its runtime, its temperature, its card."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fer_core.classifier import Classifier
from fer_core.emotions import CLASSES
from fer_core.errors import OptionError
from fer_core.model_store import ModelCard, load_card, model_folder, verify_model
from train.batches import resized
from train.data import Dataset
from train.data.prepare import prepare
from train.evaluation import evaluate_split
from train.recipe import CONTEMPT, RecipeOptions
from train.views import views

_BATCH = 256

Run = Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.float32]]


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
    card = load_card(folder)
    dataset = _with_classes(dataset, card.classes)
    part = dataset.split(split)
    images = resized(part.images, card.input_size)

    with _opened(folder, card, runtime) as (used, run):

        def figures_of(kind: str) -> dict[str, Any]:
            mean = np.mean([_run(run, seen) for seen in views(images, kind)], axis=0)
            return evaluate_split(dataset, split, mean, card.temperature, card.uncertain_below)

        result = {"model": card.name, "split": split, "runtime": used, **figures_of("off")}
        if tta != "off":
            result["test_time_augmentation"] = {"views": tta, **figures_of(tta)}
    return result


@contextmanager
def _opened(folder: Path, card: ModelCard, runtime: str) -> Iterator[tuple[str, Run]]:
    """The name of the runtime that is used, and what runs the network.

    The app's runtimes know the seven classes alone; a network of others is run by Keras.
    """
    if card.classes != CLASSES:
        if runtime not in ("auto", "keras"):
            raise OptionError(
                f"A network of {', '.join(card.classes)} is scored by Keras. Leave out --runtime."
            )
        import keras

        verify_model(folder, only="model.keras")
        model = keras.saving.load_model(folder / "model.keras", compile=False, safe_mode=True)
        yield "keras", model.predict_on_batch
        return
    classifier = Classifier(folder, runtime=runtime)
    try:
        yield classifier.runtime.name, classifier.runtime.run
    finally:
        classifier.close()


def _run(run: Run, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    parts = [
        run(np.ascontiguousarray(images[start : start + _BATCH, ..., None]))
        for start in range(0, len(images), _BATCH)
    ]
    return np.concatenate(parts)


def _with_classes(dataset: Dataset, classes: tuple[str, ...]) -> Dataset:
    """The data set with the labels that a model was trained for."""
    labels = "ferplus" if CONTEMPT in classes else "fer2013"
    return prepare(dataset, RecipeOptions(labels=labels, classes=classes))
