"""ROC, precision and recall, and confidence, of one model or of several side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from ui.metrics_compare import of_auc, of_average_precision, of_calibration
from ui.metrics_evaluation import Curve
from ui.metrics_figures import reasons
from ui.metrics_parts import (
    Row,
    chart,
    colours_of,
    compare_table,
    csv_button,
    keep,
    kept,
    plain_table,
)
from ui.metrics_sections import Evaluations, files_of, say_without, table_by_class


def roc(evaluations: Evaluations, split: str) -> None:
    """ROC, and precision and recall, each class against the rest."""
    from ui import metrics_charts_scores as charts

    with_curves = {
        name: each for name, each in evaluations.items() if each.roc or each.precision_recall
    }
    say_without(evaluations, with_curves, "curves")
    if not with_curves:
        return
    files = files_of(evaluations, split)
    st.caption("Each class against the rest.")
    if len(evaluations) > 1:
        classes = list(dict.fromkeys(c for each in with_curves.values() for c in each.classes))
        kept("metrics_roc_class", classes[0], classes)
        shown = keep("metrics_roc_class", st.selectbox("Class", classes, key="metrics_roc_class"))
        rocs = {name: each.roc[shown] for name, each in with_curves.items() if shown in each.roc}
        recalls = {
            name: each.precision_recall[shown]
            for name, each in with_curves.items()
            if shown in each.precision_recall
        }
        colours = [colours_of(list(lines)) for lines in (rocs, recalls)]
        files = f"{files}-{shown}"
    else:
        (only,) = with_curves.values()
        rocs, recalls = dict(only.roc), dict(only.precision_recall)
        colours = [charts.colours_of_classes(list(lines)) for lines in (rocs, recalls)]
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**ROC**")
        chart(charts.roc(rocs, colours[0]), "metrics_roc", f"{files}-roc")
    with right:
        st.markdown("**Precision and recall**")
        chart(
            charts.precision_recall(recalls, colours[1]),
            "metrics_precision_recall",
            f"{files}-precision-recall",
        )
    if len(evaluations) > 1:
        st.markdown("**Area under the ROC curve**")
        table_by_class(evaluations, of_auc, f"{files}-auc", percent=False)
        st.markdown("**Average precision**")
        table_by_class(
            evaluations,
            of_average_precision,
            f"{files}-average-precision",
            percent=False,
        )
        return
    plain_table(
        ("AUC", "average precision"),
        {
            name: [_area(only.roc, name), _area(only.precision_recall, name)]
            for name in only.classes
        },
    )
    csv_button(curve_rows(with_curves), f"{files}-curves")


def curve_rows(evaluations: Evaluations) -> list[dict[str, Any]]:
    """Every point of every curve, for the csv."""
    return [
        {"model": name, "curve": kind, "class": each, "area": curve.area, across: x, up: y}
        for name, evaluation in evaluations.items()
        for kind, curves, across, up in (
            ("roc", evaluation.roc, "false_positive_rate", "true_positive_rate"),
            ("precision_recall", evaluation.precision_recall, "recall", "precision"),
        )
        for each, curve in curves.items()
        for x, y in zip(curve.across, curve.up, strict=True)
    ]


def _area(curves: Mapping[str, Curve], name: str) -> str:
    return f"{curves[name].area:.3f}" if name in curves else ""


def confidence(evaluations: Evaluations, split: str) -> None:
    """The reliability diagram, before and after temperature scaling."""
    from ui import metrics_charts_scores as charts

    with_bins = {name: each for name, each in evaluations.items() if any(each.reliability.values())}
    say_without(evaluations, with_bins, "bins of confidence")
    files = files_of(evaluations, split)
    if with_bins:
        st.caption(
            "A network that is right as often as it is sure lies on the dotted diagonal; "
            "below it, it is too sure. Temperature scaling moves it there."
        )
    places = st.columns(2, gap="medium")
    for at, (name, evaluation) in enumerate(with_bins.items()):
        with places[at % 2]:
            if len(evaluations) > 1:
                st.markdown(f"**{name}**")
            chart(
                charts.reliability(evaluation.reliability),
                f"metrics_reliability_{name}",
                f"{name}-{split}-reliability",
            )
    rows = [
        Row(
            label,
            [of_calibration(each, when) for each in evaluations.values()],
            lower_is_better=True,
        )
        for label, when in (
            ("Calibration error before", "before"),
            ("Calibration error after", "after"),
        )
    ]
    with places[1] if len(evaluations) == 1 else st.container():
        compare_table(list(evaluations), rows, reasons(evaluations), f"{files}-calibration-error")
    if with_bins:
        csv_button(bin_rows(with_bins), f"{files}-reliability", "CSV of the bins")


def bin_rows(evaluations: Evaluations) -> list[dict[str, Any]]:
    """Every bin, for the csv."""
    return [
        {
            "model": name,
            "scaling": when,
            "low": each.low,
            "high": each.high,
            "images": each.images,
            "confidence": "" if each.confidence is None else each.confidence,
            "accuracy": "" if each.accuracy is None else each.accuracy,
        }
        for name, evaluation in evaluations.items()
        for when, bins in evaluation.reliability.items()
        for each in bins
    ]
