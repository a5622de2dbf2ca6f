"""The evaluation of a network: every split, calibrated on PublicTest alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fer_core.errors import ModelError
from fer_core.model_store import ModelCard
from train.corruptions import Run, corruption_figures
from train.curves import macro_auc, precision_recall_curves, roc_curves
from train.data import SPLITS, Dataset, Split
from train.metrics import (
    fit_temperature,
    measure,
    reliability_bins,
    shown_above,
    threshold_for,
    with_temperature,
)
from train.mistakes import confident_mistakes
from train.views import views

EVALUATION_FILE = "evaluation.json"

Probabilities = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Calibration:
    """What is chosen on PublicTest after training.

    Attributes:
        temperature: the probabilities are raised to 1 / temperature and scaled to sum to 1.
        threshold: the best probability under which an answer is called uncertain.
    """

    temperature: float
    threshold: float


def calibrated_on(split: Split, probabilities: Probabilities) -> Calibration:
    """Temperature and threshold that fit a split, which should be PublicTest."""
    temperature = round(fit_temperature(probabilities, split.labels), 4)
    scaled = with_temperature(probabilities, temperature)
    return Calibration(temperature, threshold_for(scaled, split.labels))


def evaluate_splits(
    dataset: Dataset, run: Run, calibration: Calibration | None = None
) -> tuple[dict[str, Any], Calibration]:
    """Every figure but those of damaged images, by split, and the calibration behind them.

    Args:
        dataset: with PublicTest where no calibration is given, and Training to know what leaked.
        run: the network itself, before temperature scaling.
        calibration: None to choose it on PublicTest.

    Raises:
        ModelError: the network gives numbers that are no probabilities.
    """
    probabilities = {
        name: run(dataset.split(name).images) for name in SPLITS if name in dataset.splits
    }
    if not all(np.isfinite(found).all() for found in probabilities.values()):
        raise ModelError(
            "The network gives numbers that are not probabilities (NaN or infinite). Train it "
            "again with a lower --learning-rate."
        )
    if calibration is None:
        calibration = calibrated_on(dataset.split("PublicTest"), probabilities["PublicTest"])
    evaluation = {}
    for name, found in probabilities.items():
        evaluation[name] = evaluate_split(dataset, name, found, calibration)
        evaluation[name] |= details(dataset, name, found, calibration)
    return evaluation, calibration


def add_corruptions(
    evaluation: dict[str, Any], dataset: Dataset, run: Run, said: Callable[[str], None]
) -> None:
    """Add `corruptions` and `corruption_mean` to each test split of an evaluation.

    Args:
        evaluation: of `evaluate_splits`.
        dataset, run: as there.
        said: is told of each split; its images are run 18 times.
    """
    for name in evaluation:
        if name != "Training":
            said(f"Scoring damaged images of {name} ...")
            split = dataset.split(name)
            figures, mean = corruption_figures(split.images, split.labels, run)
            evaluation[name] |= {"corruptions": figures, "corruption_mean": mean}


def add_views(
    evaluation: dict[str, Any], dataset: Dataset, run: Run, calibration: Calibration, kind: str
) -> None:
    """Add `test_time_augmentation` to each test split of an evaluation; no other figure changes.

    Args:
        evaluation: of `evaluate_splits`.
        dataset, run: as there.
        calibration: as chosen for one pass.
        kind: see `train.views`.
    """
    for name in evaluation:
        if name != "Training":
            found = mean_of_views(dataset.split(name).images, run, kind)
            figures = evaluate_split(dataset, name, found, calibration)
            evaluation[name]["test_time_augmentation"] = {"views": kind, **figures}


def mean_of_views(images: npt.NDArray[np.uint8], run: Run, kind: str) -> Probabilities:
    """The mean of what the network says of the views of each image, see `train.views`."""
    return np.asarray(np.mean([run(seen) for seen in views(images, kind)], axis=0))


def cost_of(card: ModelCard) -> dict[str, Any]:
    """What stands beside the splits under `network`: size, cost and training, as on the card."""
    return {
        "parameters": card.parameters,
        "multiply_adds": card.multiply_adds,
        "bytes": {name: file["bytes"] for name, file in card.files.items()},
        "seconds_trained": card.training.get("seconds"),
        "device": card.training.get("device"),
    }


def evaluate_split(
    dataset: Dataset, name: str, probabilities: Probabilities, calibration: Calibration
) -> dict[str, Any]:
    """The figures of one split that fit on a page.

    Args:
        dataset: what the network was trained and is measured on.
        name: of the split.
        probabilities: of the network itself, (N, C), before temperature scaling.
        calibration: as chosen on PublicTest.
    """
    split = dataset.split(name)
    scaled = with_temperature(probabilities, calibration.temperature)
    figures = measure(scaled, split.labels, split.classes)
    figures["macro_auc"] = macro_auc(roc_curves(scaled, split.labels, split.classes))
    before = measure(probabilities, split.labels, split.classes)
    figures["expected_calibration_error_before"] = before["expected_calibration_error"]
    figures["uncertain"] = shown_above(scaled, split.labels, calibration.threshold)
    if name != "Training":
        fresh = ~seen_in_training(dataset, split)
        right = probabilities.argmax(axis=1) == split.labels
        figures["without_leaked"] = {
            "images": int(fresh.sum()),
            "accuracy": float(right[fresh].mean()) if fresh.any() else 0.0,
        }
    return figures


def details(
    dataset: Dataset, name: str, probabilities: Probabilities, calibration: Calibration
) -> dict[str, Any]:
    """What charts are drawn from: curves, reliability, and the most confident mistakes.

    Args:
        dataset, name, probabilities, calibration: see `evaluate_split`.

    Returns:
        `roc`, `precision_recall`, `reliability` and, where the layout of the data set keeps its
        rows, `mistakes`.
    """
    split = dataset.split(name)
    scaled = with_temperature(probabilities, calibration.temperature)
    found: dict[str, Any] = {
        "roc": roc_curves(scaled, split.labels, split.classes),
        "precision_recall": precision_recall_curves(scaled, split.labels, split.classes),
        "reliability": {
            "before": reliability_bins(probabilities, split.labels),
            "after": reliability_bins(scaled, split.labels),
        },
    }
    # Files in folders are numbered in their own order: those numbers mean nothing to a reader with
    # another copy.
    if dataset.layout != "folders":
        found["mistakes"] = confident_mistakes(scaled, split.labels, split.rows, split.classes)
    return found


def evaluation_text(evaluation: dict[str, Any]) -> str:
    """The content of `evaluation.json` as its text: a line for each list, not for each number."""
    return _text(evaluation, 0) + "\n"


def _text(value: Any, depth: int) -> str:
    if not isinstance(value, dict) or not any(isinstance(v, dict | list) for v in value.values()):
        return json.dumps(value, allow_nan=False)
    inner = " " * (depth + 1)
    lines = [f"{inner}{json.dumps(key)}: {_text(item, depth + 1)}" for key, item in value.items()]
    return "{\n" + ",\n".join(lines) + "\n" + " " * depth + "}"


def seen_in_training(dataset: Dataset, split: Split) -> npt.NDArray[np.bool_]:
    """Mask of the images of `split` that stand, pixel for pixel, in the training split too."""
    known = {image.tobytes() for image in dataset.split("Training").images}
    return np.array([image.tobytes() in known for image in split.images], bool)
