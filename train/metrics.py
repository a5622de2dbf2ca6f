"""Figures from probabilities and labels. Pure NumPy; nothing here runs a network."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32] | npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

_Z95 = 1.959964


def measure(probabilities: Floats, labels: Labels, classes: tuple[str, ...]) -> dict[str, Any]:
    """Every figure of one split, as a dictionary that `json` can write.

    Args:
        probabilities: (N, C), rows sum to 1, calibrated.
        labels: (N,), the truth.
        classes: C names.
    """
    predicted = probabilities.argmax(axis=1)
    correct = int((predicted == labels).sum())
    count = len(labels)
    confusion = confusion_matrix(labels, predicted, len(classes))
    per_class = class_figures(confusion, classes)
    own = probabilities[np.arange(count), labels]
    order = np.argsort(probabilities, axis=1)[:, -2:]
    return {
        "images": count,
        "accuracy": correct / count,
        "accuracy_interval": list(wilson_interval(correct, count)),
        "macro_f1": float(np.mean([row["f1"] for row in per_class.values()])),
        "top2_accuracy": float((order == labels[:, None]).any(axis=1).mean()),
        "loss": float(-np.log(np.maximum(own, 1e-9)).mean()),
        "expected_calibration_error": calibration_error(probabilities, labels),
        "classes": list(classes),
        "per_class": per_class,
        "confusion_matrix": confusion.tolist(),
    }


def confusion_matrix(labels: Labels, predicted: npt.NDArray[Any], classes: int) -> Labels:
    """Counts (C, C): rows are the truth, columns the prediction."""
    flat = np.bincount(labels * classes + predicted, minlength=classes * classes)
    return flat.reshape(classes, classes).astype(np.int64)


def class_figures(confusion: Labels, classes: tuple[str, ...]) -> dict[str, dict[str, float]]:
    """Precision, recall, F1, support, true- and false-positive rate of each class.

    A share of nothing is 0. The true-positive rate is the recall, under its other name.
    """
    hits = np.diag(confusion).astype(float)
    predicted, present = confusion.sum(axis=0), confusion.sum(axis=1)
    count = int(confusion.sum())
    figures = {}
    for index, name in enumerate(classes):
        precision = hits[index] / predicted[index] if predicted[index] else 0.0
        recall = hits[index] / present[index] if present[index] else 0.0
        others = count - present[index]
        alarms = predicted[index] - hits[index]
        both = precision + recall
        figures[name] = {
            "precision": float(precision),
            "recall": float(recall),
            "f1": float(2 * precision * recall / both) if both else 0.0,
            "support": int(present[index]),
            "true_positive_rate": float(recall),
            "false_positive_rate": float(alarms / others) if others else 0.0,
        }
    return figures


def wilson_interval(correct: int, count: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson, 1927)."""
    if count == 0:
        return 0.0, 1.0
    share = correct / count
    spread = _Z95 * math.sqrt(share * (1 - share) / count + _Z95**2 / (4 * count**2))
    middle = share + _Z95**2 / (2 * count)
    scale = 1 + _Z95**2 / count
    return (middle - spread) / scale, (middle + spread) / scale


def reliability_bins(
    probabilities: Floats, labels: Labels, bins: int = 15
) -> list[dict[str, float | None]]:
    """How sure the answers were, and how many of them right, in bins of equal width.

    Returns:
        For each bin `low` and `high` (the confidence from and to), `images`, and the mean
        `confidence` and the `accuracy` of those, None where there is no image.
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    rows: list[dict[str, float | None]] = []
    for index in range(bins):
        inside = place == index
        some = bool(inside.any())
        rows.append(
            {
                "low": index / bins,
                "high": (index + 1) / bins,
                "images": int(inside.sum()),
                "confidence": float(confidence[inside].mean()) if some else None,
                "accuracy": float(right[inside].mean()) if some else None,
            }
        )
    return rows


def calibration_error(probabilities: Floats, labels: Labels, bins: int = 15) -> float:
    """Expected calibration error of the top class, in equal bins (Guo et al., 2017)."""
    error = 0.0
    for row in reliability_bins(probabilities, labels, bins):
        if row["confidence"] is not None and row["accuracy"] is not None:
            error += (row["images"] or 0) * abs(row["accuracy"] - row["confidence"])
    return error / max(1, len(labels))


def with_temperature(probabilities: Floats, temperature: float) -> npt.NDArray[np.float64]:
    """The probabilities raised to 1 / temperature, rows scaled to sum to 1."""
    logits = np.log(np.maximum(probabilities.astype(np.float64), 1e-12)) / temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def fit_temperature(probabilities: Floats, labels: Labels) -> float:
    """The temperature with the lowest cross-entropy (Guo et al., 2017), between 0.2 and 5."""
    low, high = math.log(0.2), math.log(5.0)
    golden = (math.sqrt(5) - 1) / 2

    def loss(log_temperature: float) -> float:
        scaled = with_temperature(probabilities, math.exp(log_temperature))
        return float(-np.log(scaled[np.arange(len(labels)), labels] + 1e-12).mean())

    # Cross-entropy has one minimum in 1 / temperature, so a golden-section search finds it.
    while high - low > 1e-4:
        left, right = high - golden * (high - low), low + golden * (high - low)
        if loss(left) < loss(right):
            high = right
        else:
            low = left
    return math.exp((low + high) / 2)


def threshold_for(probabilities: Floats, labels: Labels, accuracy: float = 0.85) -> float:
    """The lowest confidence (in hundredths) above which answers are right at this rate.

    Returns:
        0.0 when all of them are; 0.99 when no threshold reaches the rate.
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    for hundredth in range(100):
        shown = confidence >= hundredth / 100
        if shown.any() and right[shown].mean() >= accuracy:
            return hundredth / 100
    return 0.99


def shown_above(probabilities: Floats, labels: Labels, threshold: float) -> dict[str, float]:
    """What a threshold does: share of the answers shown, and how many of those are right."""
    shown = probabilities.max(axis=1) >= threshold
    right = probabilities.argmax(axis=1) == labels
    return {
        "threshold": threshold,
        "share_shown": float(shown.mean()),
        "accuracy_shown": float(right[shown].mean()) if shown.any() else 0.0,
    }
