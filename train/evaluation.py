"""The evaluation of a network: every split, calibrated on PublicTest alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from train.data import SPLITS, Dataset, Split
from train.metrics import fit_temperature, measure, shown_above, threshold_for, with_temperature

Probabilities = npt.NDArray[np.float32]


def evaluate_splits(
    dataset: Dataset, probabilities: dict[str, Probabilities]
) -> tuple[dict[str, Any], float, float]:
    """The content of `evaluation.json`, the temperature, and the threshold for `uncertain`.

    Args:
        dataset: must have PublicTest, on which temperature and threshold are chosen.
        probabilities: of the network itself, by split, (N, C).
    """
    public = dataset.split("PublicTest")
    temperature = round(fit_temperature(probabilities["PublicTest"], public.labels), 4)
    scaled_public = with_temperature(probabilities["PublicTest"], temperature)
    threshold = threshold_for(scaled_public, public.labels)
    evaluation = {}
    for name in SPLITS:
        if name in probabilities:
            evaluation[name] = evaluate_split(
                dataset, name, probabilities[name], temperature, threshold
            )
    return evaluation, temperature, threshold


def evaluate_split(
    dataset: Dataset,
    name: str,
    probabilities: Probabilities,
    temperature: float,
    threshold: float,
) -> dict[str, Any]:
    """Every figure of one split.

    Args:
        dataset: what the network was trained and is measured on.
        name: of the split.
        probabilities: of the network itself, (N, C), before temperature scaling.
        temperature, threshold: as chosen on PublicTest.
    """
    split = dataset.split(name)
    scaled = with_temperature(probabilities, temperature)
    figures = measure(scaled, split.labels, split.classes)
    before = measure(probabilities, split.labels, split.classes)
    figures["expected_calibration_error_before"] = before["expected_calibration_error"]
    figures["uncertain"] = shown_above(scaled, split.labels, threshold)
    if name != "Training":
        fresh = ~seen_in_training(dataset, split)
        right = probabilities.argmax(axis=1) == split.labels
        figures["without_leaked"] = {
            "images": int(fresh.sum()),
            "accuracy": float(right[fresh].mean()) if fresh.any() else 0.0,
        }
    return figures


def seen_in_training(dataset: Dataset, split: Split) -> npt.NDArray[np.bool_]:
    """Mask of the images of `split` that stand, pixel for pixel, in the training split too."""
    known = {image.tobytes() for image in dataset.split("Training").images}
    return np.array([image.tobytes() in known for image in split.images], bool)
