"""Intervals of figures and of differences, against published examples."""

from __future__ import annotations

import numpy as np
import pytest

from fer_core.emotions import CLASSES
from tests.app.metrics_made import full_evaluation
from tests.made_models import made_evaluation
from ui.metrics_compare import (
    Measured,
    difference,
    of_accuracy,
    of_area,
    of_average_precision,
    of_calibration,
    of_cell,
    of_class,
    of_macro_f1,
    of_mean_auc,
    of_share,
    why_not_comparable,
)
from ui.metrics_evaluation import Evaluation, parse_evaluations


def evaluation(right: float, each: int = 500, **changes: object) -> Evaluation:
    return parsed({**made_evaluation(right, each), **changes})


def parsed(data: dict[str, object]) -> Evaluation:
    import json

    notes: list[str] = []
    found = parse_evaluations(json.dumps({"PrivateTest": data}), notes)
    assert notes == []
    return found["PrivateTest"]


@pytest.mark.parametrize(
    ("hits", "count", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (29, 29, 0.8830, 1),
    ],
)
def test_a_share_has_wilsons_interval(hits: int, count: int, low: float, high: float) -> None:
    # Newcombe (1998), Statistics in Medicine 17, 857-872, table I, method 3.
    assert of_share(hits / count, count).ends == pytest.approx((low, high), abs=1e-4)


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_a_difference_has_newcombes_interval(
    one: tuple[int, int], other: tuple[int, int], low: float, high: float
) -> None:
    # Newcombe (1998), Statistics in Medicine 17, 873-890, table II, method 10.
    found = difference(of_share(other[0] / other[1], other[1]), of_share(one[0] / one[1], one[1]))
    assert found.ends == pytest.approx((low, high), abs=1e-4)
    assert found.clear


def test_an_area_has_hanleys_interval() -> None:
    # Hanley and McNeil (1982), Radiology 143, 29-36: 0.893 with 51 and 58 has an error of 0.032.
    found = of_area(0.893, 51, 58)
    assert found.ends is not None
    assert (found.ends[1] - found.ends[0]) / (2 * 1.96) == pytest.approx(0.032, abs=1e-3)


def test_what_has_no_interval_is_never_clear() -> None:
    assert not difference(Measured(0.1), Measured(0.9, (0.8, 1.0))).clear
    assert difference(Measured(0.1), Measured(0.9)).value == pytest.approx(0.8)


def test_a_small_difference_is_chance_and_a_large_one_is_not() -> None:
    low, near, high = evaluation(0.60), evaluation(0.605), evaluation(0.70)
    for figure in (of_accuracy, of_macro_f1):
        assert not difference(figure(low), figure(near)).clear
        assert difference(figure(low), figure(high)).clear
    for name in ("precision", "recall", "f1"):
        assert not difference(of_class(low, "sad", name), of_class(near, "sad", name)).clear
        assert difference(of_class(low, "sad", name), of_class(high, "sad", name)).clear
    assert not difference(of_cell(low, 4, 4), of_cell(near, 4, 4)).clear
    assert difference(of_cell(low, 4, 4), of_cell(high, 4, 4)).clear


def test_more_images_make_an_f1_surer() -> None:
    few, many = of_macro_f1(evaluation(0.7, each=50)), of_macro_f1(evaluation(0.7, each=5000))
    assert few is not None
    assert many is not None
    assert few.ends is not None
    assert many.ends is not None
    assert few.ends[0] < few.value < few.ends[1]
    ratio = (few.ends[1] - few.ends[0]) / (many.ends[1] - many.ends[0])
    assert ratio == pytest.approx(10, rel=0.2)


def bins(confidence: float, accuracy: float, images: int) -> dict[str, object]:
    """Reliability with two bins, one of them so much too sure."""
    sure = {"low": 0.9, "high": 1.0, "images": images, "confidence": 0.95, "accuracy": 0.95}
    other = {"low": 0.6, "high": 0.9, "images": images}
    after = [sure, {**other, "confidence": confidence, "accuracy": accuracy}]
    return {
        "reliability": {"after": after, "before": after},
        "expected_calibration_error": abs(confidence - accuracy) / 2,
        "expected_calibration_error_before": abs(confidence - accuracy) / 2,
    }


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_calibration_error_has_the_interval_of_a_mean(when: str) -> None:
    found = of_calibration(evaluation(0.7, **bins(0.8, 0.7, 1000)), when)
    assert found is not None
    assert found.ends is not None
    # The mean of 1,000 zeros or ones at 0.95 about 0.95, and of 1,000 at 0.7 about 0.8.
    error = (((0.05 * 0.95 + 0.3 * 0.7 + 0.1**2) / 2 - 0.05**2) / 2000) ** 0.5
    assert found.value == pytest.approx(0.05)
    assert found.ends == pytest.approx((0.05 - 1.96 * error, 0.05 + 1.96 * error), abs=1e-5)
    worse = of_calibration(evaluation(0.7, **bins(0.85, 0.6, 1000)), when)
    near = of_calibration(evaluation(0.7, **bins(0.8, 0.69, 1000)), when)
    assert worse is not None
    assert near is not None
    assert difference(found, worse).clear
    assert not difference(found, near).clear


def test_bins_of_another_error_give_no_interval() -> None:
    other = bins(0.8, 0.7, 1000) | {"expected_calibration_error": 0.02}
    assert of_calibration(evaluation(0.7, **other)) == Measured(0.02)
    assert of_calibration(evaluation(0.7, expected_calibration_error=None)) is None
    assert of_calibration(evaluation(0.7)) == Measured(0.021), "an old file without bins"


def test_an_average_precision_counts_as_a_share_of_its_class() -> None:
    full = evaluation(0.7, **full_evaluation(0.7))
    assert of_average_precision(full, "sad") == of_share(0.7, 500)
    assert of_average_precision(evaluation(0.7), "sad") is None


def test_a_mean_area_is_as_unsure_as_the_areas_are_on_average() -> None:
    found = of_mean_auc(evaluation(0.7, **full_evaluation(0.7)))
    assert found is not None
    assert found.ends == pytest.approx(of_area(0.78, 500, 3000).ends)
    better = of_mean_auc(evaluation(0.9, **full_evaluation(0.9)))
    assert better is not None
    assert difference(found, better).clear
    assert of_mean_auc(evaluation(0.7)) is None
    assert of_mean_auc(evaluation(0.7, macro_auc=0.8)) == Measured(0.8), (
        "an old file without curves"
    )
    other = full_evaluation(0.7) | {"macro_auc": 0.9}
    assert of_mean_auc(evaluation(0.7, **other)) == Measured(0.9), "the mean of other areas"


def test_the_intervals_hold_what_redrawn_images_say() -> None:
    """Against the bootstrap (Efron, 1979), on made answers of a network that is too sure."""
    from train.curves import macro_auc, precision_recall_curves, roc_curves
    from train.metrics import calibration_error, measure, reliability_bins

    random = np.random.default_rng(0)
    labels = random.integers(0, 7, 1500)
    logits = random.normal(0, 1, (1500, 7)) + 1.4 * np.eye(7)[labels]
    powers = np.exp(1.5 * logits)
    said = powers / powers.sum(axis=1, keepdims=True)

    def drawn() -> tuple[float, float, float]:
        chosen = random.integers(0, 1500, 1500)
        some, truth = said[chosen], labels[chosen]
        area = macro_auc(roc_curves(some, truth, CLASSES))
        assert area is not None
        average = precision_recall_curves(some, truth, CLASSES)["sad"]["average_precision"]
        return area, average, calibration_error(some, truth)

    again = np.array([drawn() for _ in range(60)])
    roc = roc_curves(said, labels, CLASSES)
    full = parsed(
        {
            **measure(said, labels, CLASSES),
            "macro_auc": macro_auc(roc),
            "roc": roc,
            "precision_recall": precision_recall_curves(said, labels, CLASSES),
            "reliability": {"after": reliability_bins(said, labels)},
        }
    )
    figures = (of_mean_auc(full), of_average_precision(full, "sad"), of_calibration(full))
    for figure, spread, most in zip(figures, again.std(axis=0), (4, 1.5, 1.5), strict=True):
        assert figure is not None
        assert figure.ends is not None
        error = (figure.ends[1] - figure.ends[0]) / (2 * 1.96)
        assert 0.75 * spread < error < most * spread


def test_other_classes_or_images_are_not_compared() -> None:
    assert why_not_comparable(evaluation(0.6), evaluation(0.7)) is None
    assert "3,500 images" in (why_not_comparable(evaluation(0.6, 10), evaluation(0.7)) or "")
    three = evaluation(
        0.6,
        classes=["happy", "sad", "neutral"],
        confusion_matrix=[[5, 1, 0], [1, 5, 0], [0, 0, 6]],
    )
    assert why_not_comparable(evaluation(0.7), three) == "it knows other classes"
