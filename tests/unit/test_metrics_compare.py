"""Intervals of figures and of differences, against published examples."""

from __future__ import annotations

import pytest

from tests.made_models import made_evaluation
from ui.metrics_compare import (
    Measured,
    difference,
    of_accuracy,
    of_area,
    of_cell,
    of_class,
    of_macro_f1,
    of_share,
    why_not_comparable,
)
from ui.metrics_evaluation import Evaluation, parse_evaluations


def evaluation(right: float, each: int = 500, **changes: object) -> Evaluation:
    import json

    notes: list[str] = []
    data = {"PrivateTest": {**made_evaluation(right, each), **changes}}
    found = parse_evaluations(json.dumps(data), notes)
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


def test_other_classes_or_images_are_not_compared() -> None:
    assert why_not_comparable(evaluation(0.6), evaluation(0.7)) is None
    assert "3,500 images" in (why_not_comparable(evaluation(0.6, 10), evaluation(0.7)) or "")
    three = evaluation(
        0.6,
        classes=["happy", "sad", "neutral"],
        confusion_matrix=[[5, 1, 0], [1, 5, 0], [0, 0, 6]],
    )
    assert why_not_comparable(evaluation(0.7), three) == "it knows other classes"
