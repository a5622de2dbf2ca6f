"""How sure a figure is, and whether two differ by more than chance.

A share has Wilson's interval (1927), an area under a ROC curve Hanley and McNeil's (1982), an F1
the percentiles of redrawn confusion matrices (Efron, 1979). An average precision counts as a share
of the images of its class (Boyd et al., 2013), a calibration error as the mean over the images that
it is. The interval of a difference is put together from the two (Newcombe, 1998; Zou and Donner,
2008). All networks saw the same pictures, which makes a difference surer than this says: a mark is
given too rarely, never too often.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from ui.metrics_evaluation import Bin, Evaluation

DRAWS = 1000
_Z95 = 1.959964
_SAME = 1e-3
"""A figure and the parts that it is to be made of may differ by so much."""


@dataclass(frozen=True)
class Measured:
    """A figure with the ends of its 95 % interval; None where none is known."""

    value: float
    ends: tuple[float, float] | None = None


@dataclass(frozen=True)
class Difference:
    """From the figure of the first model, with the ends of its 95 % interval or None."""

    value: float
    ends: tuple[float, float] | None = None

    @property
    def clear(self) -> bool:
        """Whether it is larger than its interval: zero lies outside."""
        return self.ends is not None and (self.ends[0] > 0 or self.ends[1] < 0)


def difference(first: Measured, other: Measured) -> Difference:
    """`other` minus `first`."""
    value = other.value - first.value
    if first.ends is None or other.ends is None:
        return Difference(value)
    below = math.hypot(other.value - other.ends[0], first.ends[1] - first.value)
    above = math.hypot(other.ends[1] - other.value, first.value - first.ends[0])
    return Difference(value, (value - below, value + above))


def of_share(value: float, count: float) -> Measured:
    """A share of `count` images, with Wilson's interval."""
    if count <= 0:
        return Measured(value)
    spread = _Z95 * math.sqrt(value * (1 - value) / count + _Z95**2 / (4 * count**2))
    middle, scale = value + _Z95**2 / (2 * count), 1 + _Z95**2 / count
    low, high = (middle - spread) / scale, (middle + spread) / scale
    return Measured(value, (max(0.0, low), min(1.0, high)))


def of_area(area: float, present: float, absent: float) -> Measured:
    """An area under a ROC curve from `present` images of the class and `absent` others."""
    if present < 1 or absent < 1:
        return Measured(area)
    one, two = area / (2 - area), 2 * area**2 / (1 + area)
    spread = area * (1 - area) + (present - 1) * (one - area**2) + (absent - 1) * (two - area**2)
    error = _Z95 * math.sqrt(max(0.0, spread) / (present * absent))
    return Measured(area, (max(0.0, area - error), min(1.0, area + error)))


def of_accuracy(evaluation: Evaluation) -> Measured:
    """The accuracy, with the file's own interval where it holds one."""
    if evaluation.interval is not None:
        return Measured(evaluation.accuracy, evaluation.interval)
    return of_share(evaluation.accuracy, evaluation.images)


def of_macro_f1(evaluation: Evaluation) -> Measured | None:
    """The mean F1, or None where the file has none."""
    if evaluation.macro_f1 is None:
        return None
    return Measured(evaluation.macro_f1, _f1_intervals(evaluation.confusion)[-1])


def of_class(evaluation: Evaluation, name: str, figure: str) -> Measured:
    """`precision`, `recall` or `f1` of one class."""
    place = evaluation.classes.index(name)
    value = evaluation.per_class[name][figure]
    if figure == "f1":
        return Measured(value, _f1_intervals(evaluation.confusion)[place])
    if figure == "precision":
        return of_share(_clipped(value), sum(row[place] for row in evaluation.confusion))
    return of_share(_clipped(value), _images_of(evaluation, name))


def of_cell(evaluation: Evaluation, truth: int, answer: int) -> Measured:
    """The share of the images of class `truth` that were answered with class `answer`."""
    row = evaluation.confusion[truth]
    return of_share(row[answer] / max(1, sum(row)), sum(row))


def of_auc(evaluation: Evaluation, name: str) -> Measured | None:
    """The area under the ROC curve of one class, or None where the file has none."""
    if name not in evaluation.roc or name not in evaluation.classes:
        return None
    present = _images_of(evaluation, name)
    total = sum(map(sum, evaluation.confusion))
    return of_area(evaluation.roc[name].area, present, total - present)


def of_mean_auc(evaluation: Evaluation) -> Measured | None:
    """The mean area under the ROC curves, or None where the file has none.

    The curves are of the same images. As if all areas rose and fell together, the interval is as
    wide as theirs are on average: never too narrow.
    """
    if evaluation.macro_auc is None:
        return None
    areas = [of_auc(evaluation, name) for name in evaluation.roc]
    known = [(area.value, area.ends) for area in areas if area is not None and area.ends]
    if not known or len(known) < len(areas):
        return Measured(evaluation.macro_auc)
    count = len(known)
    if abs(sum(value for value, _ in known) / count - evaluation.macro_auc) > _SAME:
        return Measured(evaluation.macro_auc)
    low = sum(ends[0] for _, ends in known) / count
    return Measured(evaluation.macro_auc, (low, sum(ends[1] for _, ends in known) / count))


def of_average_precision(evaluation: Evaluation, name: str) -> Measured | None:
    """The average precision of one class, or None where the file has none."""
    if name not in evaluation.precision_recall or name not in evaluation.classes:
        return None
    return of_share(evaluation.precision_recall[name].area, _images_of(evaluation, name))


def of_calibration(evaluation: Evaluation, when: str = "after") -> Measured | None:
    """The calibration error `before` or `after` temperature scaling, or None.

    It is the mean over the images of right minus confidence, with the sign that this has in their
    bin, and so has a mean's interval. Bins that do not come to this error tell nothing about it.
    """
    before = when == "before"
    value = evaluation.calibration_error_before if before else evaluation.calibration_error
    if value is None:
        return None
    mean, square, images = _of_bins(evaluation.reliability.get(when, ()))
    if images == 0 or abs(mean - value) > _SAME:
        return Measured(value)
    error = _Z95 * math.sqrt(max(0.0, square - mean**2) / images)
    return Measured(value, (max(0.0, value - error), min(1.0, value + error)))


def why_not_comparable(first: Evaluation, other: Evaluation) -> str | None:
    """Why two evaluations of one split must not be subtracted, or None when they may."""
    if set(first.classes) != set(other.classes):
        return "it knows other classes"
    if first.images != other.images:
        return f"it was scored on {other.images:,} images, the first on {first.images:,}"
    return None


def _images_of(evaluation: Evaluation, name: str) -> int:
    return sum(evaluation.confusion[evaluation.classes.index(name)])


@lru_cache(maxsize=128)
def _f1_intervals(confusion: tuple[tuple[int, ...], ...]) -> tuple[tuple[float, float], ...]:
    """The interval of the F1 of each class, and last of their mean."""
    import numpy as np

    counts = np.array(confusion, np.float64)
    total, classes = counts.sum(), len(confusion)
    if not 0 < total < 2**31:
        return ((0.0, 1.0),) * (classes + 1)
    random = np.random.default_rng(0)
    drawn = random.multinomial(int(total), (counts / total).ravel(), DRAWS)
    drawn = drawn.reshape(DRAWS, classes, classes)
    hits = drawn.diagonal(axis1=1, axis2=2)
    both = drawn.sum(axis=1) + drawn.sum(axis=2)
    scores = np.where(both > 0, 2 * hits / np.maximum(both, 1), 0.0)
    scores = np.concatenate([scores, scores.mean(axis=1, keepdims=True)], axis=1)
    ends = np.percentile(scores, [2.5, 97.5], axis=0)
    return tuple((float(low), float(high)) for low, high in ends.T)


def _of_bins(bins: Sequence[Bin]) -> tuple[float, float, int]:
    """Mean and mean square over the images, and how many these are."""
    mean, square, images = 0.0, 0.0, 0
    for each in bins:
        if each.accuracy is not None and each.confidence is not None:
            gap = abs(each.accuracy - each.confidence)
            mean += each.images * gap
            square += each.images * (gap**2 + each.accuracy * (1 - each.accuracy))
            images += each.images
    return mean / max(1, images), square / max(1, images), images


def _clipped(value: float) -> float:
    return min(1.0, max(0.0, value))
