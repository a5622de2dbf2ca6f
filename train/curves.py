"""ROC and precision-recall curves, one class against the rest. Pure NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

POINTS = 101
"""At most so many points of a curve are kept; areas are those of the whole curve."""

_DIGITS = 4


def roc_curves(
    probabilities: npt.NDArray[Any], labels: Labels, classes: tuple[str, ...]
) -> dict[str, dict[str, Any]]:
    """The ROC curve and the area under it, by class.

    Args:
        probabilities: (N, C).
        labels: (N,), the truth.
        classes: C names.

    Returns:
        By class `auc`, `false_positive_rate` and `true_positive_rate`, both rising from 0 to 1. A
        class that is all of the images, or none, has no curve and is left out.
    """
    curves = {}
    for index, name in enumerate(classes):
        truth = labels == index
        if not 0 < truth.sum() < len(truth):
            continue
        hits, alarms = _ranked(probabilities[:, index], truth)
        hits, alarms = np.append(0.0, hits), np.append(0.0, alarms)
        true_rate, false_rate = hits / hits[-1], alarms / alarms[-1]
        area = float((np.diff(false_rate) * (true_rate[1:] + true_rate[:-1]) / 2).sum())
        kept = _thinned(false_rate, true_rate)
        curves[name] = {
            "auc": round(area, _DIGITS),
            "false_positive_rate": _rounded(false_rate[kept]),
            "true_positive_rate": _rounded(true_rate[kept]),
        }
    return curves


def precision_recall_curves(
    probabilities: npt.NDArray[Any], labels: Labels, classes: tuple[str, ...]
) -> dict[str, dict[str, Any]]:
    """Precision over recall and the average precision, by class.

    Args:
        probabilities: (N, C).
        labels: (N,), the truth.
        classes: C names.

    Returns:
        By class `average_precision` (the sum of precision times the gain in recall, without
        interpolation, which would flatter), `recall`, rising to 1, and `precision`. A class without
        an image is left out.
    """
    curves = {}
    for index, name in enumerate(classes):
        truth = labels == index
        if not truth.any():
            continue
        hits, alarms = _ranked(probabilities[:, index], truth)
        recall, precision = hits / hits[-1], hits / (hits + alarms)
        average = float((precision * np.diff(np.append(0.0, recall))).sum())
        kept = _thinned(recall, precision)
        curves[name] = {
            "average_precision": round(average, _DIGITS),
            "recall": _rounded(recall[kept]),
            "precision": _rounded(precision[kept]),
        }
    return curves


def macro_auc(curves: dict[str, dict[str, Any]]) -> float | None:
    """The mean area of `roc_curves`; None where there is no curve."""
    return float(np.mean([curve["auc"] for curve in curves.values()])) if curves else None


def _ranked(scores: npt.NDArray[Any], truth: npt.NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Hits and false alarms above each score that occurs, the highest first."""
    order = np.argsort(-scores, kind="stable")
    # Images with one score are above a threshold together.
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
    hits = np.cumsum(truth[order])[last].astype(np.float64)
    return hits, last + 1.0 - hits


def _thinned(across: Floats, up: Floats) -> npt.NDArray[np.int64]:
    """Places of at most `POINTS` points, evenly along the curve, its ends among them."""
    if len(across) <= POINTS:
        return np.arange(len(across))
    # City-block length: steps of a ROC curve go either across or up, and both ends of a steep part
    # are as worth keeping as those of a flat one.
    length = np.append(0.0, np.cumsum(np.abs(np.diff(across)) + np.abs(np.diff(up))))
    wanted = np.linspace(0.0, length[-1], POINTS)
    places = np.searchsorted(length, wanted).clip(0, len(across) - 1)
    kept: npt.NDArray[np.int64] = np.unique(np.append(places[:-1], len(across) - 1))
    return kept


def _rounded(values: Floats) -> list[float]:
    return [round(float(value), _DIGITS) for value in values]
