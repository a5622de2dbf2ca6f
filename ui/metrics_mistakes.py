"""The confusion matrix, and the pictures behind a cell of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import streamlit as st

from ui.metrics_evaluation import Evaluation
from ui.metrics_figures import reasons, say_reasons
from ui.metrics_parts import choice, csv_button, keep, kept
from ui.metrics_pictures import data_path, dataset, fits, how_to_set, mistakes_html

if TYPE_CHECKING:
    from fer_core.fer2013 import Split

TRUTH_KEY = "metrics_truth"
ANSWER_KEY = "metrics_answer"
SHARES, COUNTS, DIFFERENCE = "% of row", "counts", "difference"


def section(evaluations: Mapping[str, Evaluation], split: str) -> None:
    """Matrices and examples of the models.

    Args:
        evaluations: by model, at least one.
        split: that they are of.
    """
    names = list(evaluations)
    first = evaluations[names[0]]
    why = reasons(evaluations)
    compared = [name for name, reason in zip(names[1:], why[1:], strict=True) if not reason]
    with st.container(horizontal=True, vertical_alignment="center"):
        cells = choice(
            "Cells",
            [SHARES, COUNTS, *([DIFFERENCE] if compared else [])],
            "metrics_cells",
        )
        csv_button(confusion_rows(evaluations), "-".join(names) + f"-{split}-confusion")
    classes = list(dict.fromkeys(name for each in evaluations.values() for name in each.classes))
    common = _commonest(first)
    kept(TRUTH_KEY, common[0], classes)
    kept(ANSWER_KEY, common[1], classes)
    chosen = st.session_state[TRUTH_KEY], st.session_state[ANSWER_KEY]
    left, right = st.columns([1.15, 1], gap="medium") if len(names) == 1 else [st.container()] * 2
    with left:
        _matrices(evaluations, compared, cells, chosen)
        if cells == DIFFERENCE:
            st.caption(f"Points more or less than {names[0]}; * is larger than its 95 % interval.")
            say_reasons(names, why)
    with right:
        st.markdown("**Examples of one mistake**")
        st.caption("Click a cell of the matrix, or choose here.")
        truth, answer = st.columns(2)
        keep(TRUTH_KEY, truth.selectbox("Truth", classes, key=TRUTH_KEY))
        keep(ANSWER_KEY, answer.selectbox("Answer", classes, key=ANSWER_KEY))
        _examples(evaluations, split, *chosen)


def _matrices(
    evaluations: Mapping[str, Evaluation],
    compared: list[str],
    cells: str,
    chosen: tuple[str, str],
) -> None:
    from ui import metrics_charts_classes as charts

    first = next(iter(evaluations.values()))
    figures = {
        name: charts.confusion_difference(first, evaluation, chosen)
        if cells == DIFFERENCE
        else charts.confusion(evaluation, cells == SHARES, chosen)
        for name, evaluation in evaluations.items()
        if cells != DIFFERENCE or name in compared
    }
    places = st.columns(2, gap="medium") if len(figures) > 1 else [st.container()]
    for at, (name, figure) in enumerate(figures.items()):
        with places[at % len(places)]:
            if len(evaluations) > 1:
                st.markdown(f"**{name}**")
            _clickable(figure, f"metrics_cell_{name}", f"{name}-confusion")


def _clickable(figure: Any, key: str, name: str) -> None:
    from ui.metrics_charts import config

    st.plotly_chart(
        figure,
        key=key,
        config=config(name),
        width="stretch",
        on_select=_on_click(key),
        selection_mode="points",
    )


def _on_click(key: str) -> Callable[[], None]:
    def choose() -> None:
        points = st.session_state[key]["selection"]["points"]
        # A second click on a cell lets go of it; its examples stay.
        if points:
            st.session_state[TRUTH_KEY] = str(points[0]["y"])
            st.session_state[ANSWER_KEY] = str(points[0]["x"])

    return choose


def _commonest(evaluation: Evaluation) -> tuple[str, str]:
    """Truth and answer of the mistake with the largest share of its row."""
    names = evaluation.classes
    cells = [
        (evaluation.confusion[row][column] / max(1, sum(evaluation.confusion[row])), row, column)
        for row in range(len(names))
        for column in range(len(names))
        if row != column
    ]
    _, row, column = max(cells, default=(0.0, 0, 0))
    return names[row], names[column]


def _examples(evaluations: Mapping[str, Evaluation], split: str, truth: str, answer: str) -> None:
    if truth == answer:
        st.info("These answers are right. Choose two different classes to see a mistake.")
        return
    part = _part(split)
    places = st.columns(2, gap="medium") if len(evaluations) > 1 else [st.container()]
    for at, (name, evaluation) in enumerate(evaluations.items()):
        with places[at % len(places)]:
            _examples_of(name, evaluation, part, truth, answer)
    if not data_path() and any(each.mistakes for each in evaluations.values()):
        st.info(how_to_set())


def _part(split: str) -> Split | None:
    """The split of the data set, or None where there is no data set."""
    if not data_path():
        return None
    found = dataset()
    if found is None:
        return None
    part = found.splits.get(split)
    if part is None:
        st.info(f"The data set has no split {split}.")
    return part


def _examples_of(
    name: str, evaluation: Evaluation, part: Split | None, truth: str, answer: str
) -> None:
    if truth not in evaluation.classes or answer not in evaluation.classes:
        st.markdown(f"**{name}** does not know both classes.")
        return
    row = evaluation.confusion[evaluation.classes.index(truth)]
    count = row[evaluation.classes.index(answer)]
    mistakes = evaluation.mistakes.get(truth, {}).get(answer, ())
    st.markdown(
        f"**{name}** took {count:,} of {sum(row):,} *{truth}* faces for *{answer}* "
        f"({count / max(1, sum(row)):.1%})." + (_surest(len(mistakes), count) if mistakes else "")
    )
    if not evaluation.mistakes:
        st.info(
            f"The evaluation of {name} does not say which images these are: it is an older one, "
            "or was made from a data set of folders, which keeps no rows."
        )
    elif mistakes and part is not None:
        if fits(evaluation, part):
            st.html(mistakes_html(mistakes, part))
        else:
            st.warning(
                f"The pictures of {name} cannot be found in this data set: it has another order. "
                "Rows are counted as in fer2013.csv; name the data set that the network was "
                "scored on."
            )
    if mistakes:
        rows = [
            {"truth": truth, "answer": answer, "row": each.row, "confidence": each.confidence}
            for each in mistakes
        ]
        csv_button(rows, f"{name}-{truth}-{answer}-rows")


def _surest(listed: int, count: int) -> str:
    return f" The {listed} it was surest of:" if listed < count else " The surest first:"


def confusion_rows(evaluations: Mapping[str, Evaluation]) -> list[dict[str, object]]:
    """Every cell of every model, for the csv."""
    return [
        {
            "model": name,
            "truth": truth,
            "answer": answer,
            "count": count,
            "share_of_row": count / max(1, sum(row)),
        }
        for name, evaluation in evaluations.items()
        for truth, row in zip(evaluation.classes, evaluation.confusion, strict=True)
        for answer, count in zip(evaluation.classes, row, strict=True)
    ]
