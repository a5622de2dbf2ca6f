"""Figures by class and under corruptions, of one model or of several side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from ui.metrics_compare import Measured, of_class, of_share
from ui.metrics_evaluation import Evaluation
from ui.metrics_figures import reasons, say_reasons
from ui.metrics_parts import (
    Row,
    chart,
    choice,
    colours_of,
    compare_table,
    csv_button,
    keep,
    kept,
    plain_table,
)

Evaluations = Mapping[str, Evaluation]
"""By model, of one split; at least one."""

_FIGURES = {"F1": "f1", "precision": "precision", "recall": "recall"}


def by_class(evaluations: Evaluations, split: str) -> None:
    """Precision, recall and F1."""
    from ui import metrics_charts_classes as charts

    files = files_of(evaluations, split)
    if len(evaluations) > 1:
        figure = choice("Figure", list(_FIGURES), "metrics_figure")
        side_by_side = len(evaluations) <= 3
        left, right = st.columns([1.1, 1], gap="medium") if side_by_side else [st.container()] * 2
        with left:
            chart(
                charts.per_class_of(evaluations, _FIGURES[figure], colours_of(list(evaluations))),
                "metrics_bars",
                f"{files}-{figure}",
            )
            st.caption("Thin lines are 95 % intervals.")
        with right:
            table_by_class(
                evaluations,
                lambda each, name: of_class(each, name, _FIGURES[figure]),
                f"{files}-{figure}",
            )
        return
    ((name, evaluation),) = evaluations.items()
    left, right = st.columns([1.1, 1], gap="medium")
    with left:
        chart(charts.per_class(evaluation), "metrics_bars", f"{files}-classes")
        st.caption("Thin lines are 95 % intervals.")
    with right:
        rows = class_rows(name, evaluation)
        plain_table(
            ("precision", "recall", "F1", "false pos.", "images"),
            {
                str(row["class"]): [
                    *(
                        f"{100 * row[key]:.1f} %"
                        for key in ("precision", "recall", "f1", "false_positive_rate")
                    ),
                    f"{row['support']:,}",
                ]
                for row in rows
            },
        )
        st.caption("False pos.: the share of other classes' images that were taken for this one.")
        csv_button(rows, f"{files}-classes")


def class_rows(name: str, evaluation: Evaluation) -> list[dict[str, Any]]:
    """The figures of each class, for the table and the csv."""
    return [
        {"model": name, "class": each, **figures, "support": int(figures["support"])}
        for each, figures in evaluation.per_class.items()
    ]


def corruptions(evaluations: Evaluations, split: str) -> None:
    """The accuracy on pictures that were made worse."""
    from ui import metrics_charts_scores as charts

    tried = {name: each for name, each in evaluations.items() if each.corruptions}
    if split == "Training" and not tried:
        st.info("Corruptions are tried on PublicTest and PrivateTest only. Choose one above.")
        return
    say_without(evaluations, tried, "corruptions")
    if not tried:
        return
    files = files_of(evaluations, split)
    kinds = list(dict.fromkeys(kind for each in tried.values() for kind in each.corruptions))
    if len(evaluations) > 1:
        every = "all, on average"
        kept("metrics_corruption", every, [every, *kinds])
        kind = keep(
            "metrics_corruption",
            st.selectbox(
                "Corruption",
                [every, *kinds],
                format_func=lambda each: each.replace("_", " "),
                key="metrics_corruption",
            ),
        )
        chart(
            charts.corruption_of(
                evaluations, None if kind == every else kind, colours_of(list(evaluations))
            ),
            "metrics_corruptions",
            f"{files}-{kind.replace(', ', '-').replace(' ', '-')}",
        )
        rows = [
            Row(
                f"{kind.replace('_', ' ')}, {charts.strength_word(at, most)}",
                [_corrupted(each, kind, at) for each in evaluations.values()],
            )
            for kind in kinds
            for most in [max(len(each.corruptions.get(kind, ())) for each in tried.values())]
            for at in range(most)
        ]
        why = reasons(evaluations)
        compare_table(list(evaluations), rows, why, f"{files}-corruptions")
        say_reasons(list(evaluations), why)
        return
    (evaluation,) = evaluations.values()
    chart(charts.corruptions(evaluation), "metrics_corruptions", f"{files}-corruptions")
    if evaluation.corruption_mean is not None:
        st.caption(f"Mean over all of them: {evaluation.corruption_mean:.1%}")
    csv_button(corruption_rows(tried), f"{files}-corruptions")


def corruption_rows(evaluations: Evaluations) -> list[dict[str, Any]]:
    """Every corruption, for the csv."""
    return [
        {"model": name, "corruption": kind, "place": at + 1, "strength": what, "accuracy": accuracy}
        for name, evaluation in evaluations.items()
        for kind, rows in evaluation.corruptions.items()
        for at, (what, accuracy) in enumerate(rows)
    ]


def _corrupted(evaluation: Evaluation, kind: str, at: int) -> Measured | None:
    rows = evaluation.corruptions.get(kind, ())
    return of_share(rows[at][1], evaluation.images) if at < len(rows) else None


def table_by_class(
    evaluations: Evaluations,
    measure: Callable[[Evaluation, str], Measured | None],
    name: str,
    percent: bool = True,
) -> None:
    """A figure of each class, side by side.

    Args:
        evaluations: by model.
        measure: gives the figure of an evaluation and a class, or None.
        name: of the csv.
        percent: see `Row`.
    """
    classes = list(dict.fromkeys(each for found in evaluations.values() for each in found.classes))
    rows = [
        Row(
            each,
            [
                measure(found, each) if each in found.classes else None
                for found in evaluations.values()
            ],
            percent=percent,
        )
        for each in classes
    ]
    why = reasons(evaluations)
    compare_table(list(evaluations), rows, why, name)
    say_reasons(list(evaluations), why)


def say_without(evaluations: Evaluations, having: Evaluations, what: str) -> None:
    """Say which models lack something."""
    missing = [name for name in evaluations if name not in having]
    if missing:
        st.info(
            f"The evaluation of {', '.join(missing)} holds no {what}; "
            "it was made by an earlier version."
        )


def files_of(evaluations: Evaluations, split: str) -> str:
    """The first part of a file's name."""
    return f"{'-'.join(evaluations)}-{split}"
