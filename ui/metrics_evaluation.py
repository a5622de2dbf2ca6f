"""`evaluation.json` as the tab uses it. What is of another form becomes a sentence, part by part:
an old file without the newer parts is as good as any other."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

SPLITS = ("PrivateTest", "PublicTest", "Training")
"""In the order in which people want to see them: the test first."""

CLASS_FIGURES = ("precision", "recall", "f1", "support")
POINTS_MAX = 2000
"""More points than this are not a curve of ours."""

_ROUNDING = 1e-6
_ODD = (LookupError, AttributeError, TypeError, ValueError, OverflowError)
_Part = TypeVar("_Part")


@dataclass(frozen=True)
class Curve:
    """ROC or precision and recall of one class against the rest.

    Attributes:
        across, up: points, 0 to 1, as many of one as of the other.
        area: under the curve (or average precision), 0 to 1.
    """

    across: tuple[float, ...]
    up: tuple[float, ...]
    area: float


@dataclass(frozen=True)
class Bin:
    """The answers with a confidence from `low` to `high`; means are None where there are none."""

    low: float
    high: float
    images: int
    confidence: float | None
    accuracy: float | None


@dataclass(frozen=True)
class Mistake:
    """A wrong answer: row of the data set in FER2013's order, and the confidence, 0 to 1."""

    row: int
    confidence: float


@dataclass(frozen=True)
class Evaluation:
    """Figures of one split. Shares are 0 to 1; what the file does not hold is None or empty.

    Attributes:
        accuracy, macro_f1: of all images; the mean F1 of the classes.
        interval: 95 % interval of the accuracy.
        images: how many they were measured on.
        classes: names, in the order of the rows.
        per_class: by class: precision, recall, f1 and support (images), true_positive_rate and
            false_positive_rate.
        confusion: counts, rows are the truth, columns the answers.
        calibration_error: expected calibration error, and before temperature scaling.
        top2: share of images whose truth is among the two best answers.
        macro_auc: mean area under the ROC curves.
        fresh: accuracy on, and number of, the images that do not stand in training too.
        augmented: accuracy with test-time augmentation, and which views.
        roc, precision_recall: by class.
        reliability: bins, `before` and `after` temperature scaling.
        corruptions: by name: what was done (mild to strong) and the accuracy.
        corruption_mean: accuracy over all of them.
        mistakes: by truth and answer, the most confident first.
    """

    accuracy: float
    macro_f1: float | None
    interval: tuple[float, float] | None
    images: int
    classes: tuple[str, ...]
    per_class: dict[str, dict[str, float]]
    confusion: tuple[tuple[int, ...], ...]
    calibration_error: float | None
    calibration_error_before: float | None
    top2: float | None
    macro_auc: float | None
    fresh: tuple[float, int] | None
    augmented: tuple[float, str] | None
    roc: dict[str, Curve]
    precision_recall: dict[str, Curve]
    reliability: dict[str, tuple[Bin, ...]]
    corruptions: dict[str, tuple[tuple[str, float], ...]]
    corruption_mean: float | None
    mistakes: dict[str, dict[str, tuple[Mistake, ...]]]


def parse_evaluations(text: str, notes: list[str]) -> dict[str, Evaluation]:
    """The evaluations by split; what cannot be used is said in `notes`. Never raises."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        notes.append("Its evaluation.json is not complete JSON; it may be half written.")
        return {}
    found: dict[str, Evaluation] = {}
    odd = False
    for split in SPLITS:
        if not isinstance(data, dict) or split not in data:
            continue
        try:
            found[split] = _evaluation(data[split], split, notes)
        except _ODD as error:
            odd = True
            notes.append(
                f"Its evaluation of {split} is of another form and is left out ({short(error)})."
            )
    if not found and not odd:
        notes.append(f"Its evaluation.json names none of the splits {', '.join(SPLITS)}.")
    return found


def share(value: Any) -> float:
    """`value` as a number from 0 to 1.

    Raises:
        TypeError, ValueError: it is none.
    """
    number = float(value)
    # A mean of probabilities may be over 1 in its last bit.
    if not -_ROUNDING <= number <= 1 + _ROUNDING:
        raise ValueError(f"{number} is not from 0 to 1")
    return min(1.0, max(0.0, number))


def short(error: Exception) -> str:
    """A few words for a sentence about a file."""
    return f"{error} is missing" if isinstance(error, KeyError) else str(error)[:80]


def _evaluation(data: dict[str, Any], split: str, notes: list[str]) -> Evaluation:
    classes = tuple(str(name) for name in data["classes"])
    confusion = tuple(tuple(int(count) for count in row) for row in data["confusion_matrix"])
    if not classes or len(confusion) != len(classes):
        raise ValueError(f"{len(confusion)} rows for {len(classes)} classes")
    if len(set(classes)) != len(classes):
        raise ValueError("a class comes twice")
    if any(len(row) != len(classes) or min(row) < 0 for row in confusion):
        raise ValueError("the confusion matrix is not square")
    interval = data.get("accuracy_interval")

    def part(key: str, read: Callable[[Any], _Part], none: _Part, words: str) -> _Part:
        if data.get(key) is None:
            return none
        try:
            return read(data[key])
        except _ODD as error:
            notes.append(
                f"The {words} in its evaluation of {split} "
                f"{'are' if words.endswith('s') else 'is'} of another form and left out "
                f"({short(error)})."
            )
            return none

    return Evaluation(
        accuracy=share(data["accuracy"]),
        macro_f1=_maybe(data.get("macro_f1")),
        interval=None if interval is None else (share(interval[0]), share(interval[1])),
        images=int(data.get("images", sum(map(sum, confusion)))),
        classes=classes,
        per_class=_per_class(data["per_class"], classes, confusion),
        confusion=confusion,
        calibration_error=_maybe(data.get("expected_calibration_error")),
        calibration_error_before=part(
            "expected_calibration_error_before", _maybe, None, "earlier calibration error"
        ),
        top2=_maybe(data.get("top2_accuracy")),
        macro_auc=part("macro_auc", _maybe, None, "mean area under the curves"),
        fresh=part("without_leaked", _fresh, None, "accuracy without repeated images"),
        augmented=part(
            "test_time_augmentation", _augmented, None, "accuracy with test-time augmentation"
        ),
        roc=part("roc", _roc, {}, "ROC curves"),
        precision_recall=part(
            "precision_recall", _precision_recall, {}, "precision and recall curves"
        ),
        reliability=part("reliability", _reliability, {}, "reliability bins"),
        corruptions=part("corruptions", _corruptions, {}, "corruptions"),
        corruption_mean=part("corruption_mean", _maybe, None, "mean over the corruptions"),
        mistakes=part("mistakes", _mistakes, {}, "mistakes"),
    )


def _per_class(
    data: dict[str, Any], classes: tuple[str, ...], confusion: tuple[tuple[int, ...], ...]
) -> dict[str, dict[str, float]]:
    images = sum(map(sum, confusion))
    found: dict[str, dict[str, float]] = {}
    for place, name in enumerate(classes):
        row = {figure: _finite(data[name][figure]) for figure in CLASS_FIGURES}
        hits, present = confusion[place][place], sum(confusion[place])
        answered = sum(line[place] for line in confusion)
        row["true_positive_rate"] = hits / present if present else 0.0
        others = images - present
        row["false_positive_rate"] = (answered - hits) / others if others else 0.0
        found[name] = row
    return found


def _fresh(data: dict[str, Any]) -> tuple[float, int]:
    return share(data["accuracy"]), int(data["images"])


def _augmented(data: dict[str, Any]) -> tuple[float, str]:
    return share(data["accuracy"]), str(data.get("views", "of an unknown kind"))[:40]


def _roc(data: dict[str, Any]) -> dict[str, Curve]:
    return {
        str(name): _curve(value["false_positive_rate"], value["true_positive_rate"], value["auc"])
        for name, value in data.items()
    }


def _precision_recall(data: dict[str, Any]) -> dict[str, Curve]:
    return {
        str(name): _curve(value["recall"], value["precision"], value["average_precision"])
        for name, value in data.items()
    }


def _curve(across: list[Any], up: list[Any], area: Any) -> Curve:
    if not 1 <= len(across) == len(up) <= POINTS_MAX:
        raise ValueError(f"a curve has {len(across)} and {len(up)} points")
    return Curve(tuple(map(share, across)), tuple(map(share, up)), share(area))


def _reliability(data: dict[str, Any]) -> dict[str, tuple[Bin, ...]]:
    found: dict[str, tuple[Bin, ...]] = {}
    for when in ("before", "after"):
        if when in data:
            found[when] = tuple(map(_bin, data[when][:POINTS_MAX]))
    return found


def _bin(data: dict[str, Any]) -> Bin:
    low, high = share(data["low"]), share(data["high"])
    images = int(data["images"])
    if low >= high or images < 0:
        raise ValueError(f"a bin from {low} to {high} of {images} images")
    return Bin(low, high, images, _maybe(data["confidence"]), _maybe(data["accuracy"]))


def _corruptions(data: dict[str, Any]) -> dict[str, tuple[tuple[str, float], ...]]:
    found = {}
    for name, rows in data.items():
        if not 1 <= len(rows) <= 20:
            raise ValueError(f"{name} has {len(rows)} strengths")
        found[str(name)] = tuple(
            (str(row["strength"])[:40], share(row["accuracy"])) for row in rows
        )
    return found


def _mistakes(data: dict[str, Any]) -> dict[str, dict[str, tuple[Mistake, ...]]]:
    return {
        str(truth): {
            str(answer): tuple(Mistake(int(row[0]), share(row[1])) for row in rows)
            for answer, rows in answers.items()
        }
        for truth, answers in data.items()
    }


def _maybe(value: Any) -> float | None:
    return None if value is None else share(value)


def _finite(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{number} is no figure")
    return number
