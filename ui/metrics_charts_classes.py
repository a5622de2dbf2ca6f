"""Charts by class: confusion matrix, precision, recall and F1, and how many images there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ui.metrics_charts import styled
from ui.metrics_compare import Difference, Measured, difference, of_cell, of_class
from ui.metrics_evaluation import Evaluation

if TYPE_CHECKING:
    import plotly.graph_objects as go

FIGURES = {"f1": "F1", "precision": "precision", "recall": "recall"}
FIGURE_COLOURS = {"precision": "#3f8fd2", "recall": "#e6840a", "f1": "#12a37c"}
SPLIT_COLOURS = {"Training": "#3f8fd2", "PublicTest": "#12a37c", "PrivateTest": "#e6840a"}

# Opaque, so that the numbers' own contrast holds on dark pages too.
_SHARES = [[0, "#eef4fa"], [0.5, "#7fb3de"], [1, "#14507f"]]
_DIFFERENCES = [[0, "#c25a00"], [0.5, "#f6f6f4"], [1, "#14608f"]]
_WIDEST = 20
"""Points of difference at which a cell has its full colour."""


def confusion(
    evaluation: Evaluation, shares: bool, chosen: tuple[str, str] | None = None
) -> go.Figure:
    """The confusion matrix, rows are the truth.

    Args:
        evaluation: of one split.
        shares: per cent of each row; counts otherwise.
        chosen: truth and answer of the cell to frame.
    """
    totals = [max(1, sum(row)) for row in evaluation.confusion]
    percent = [
        [100 * count / total for count in row]
        for row, total in zip(evaluation.confusion, totals, strict=True)
    ]
    texts = [
        [f"{part:.0f}" if shares else f"{count:,}" for part, count in zip(*both, strict=True)]
        for both in zip(percent, evaluation.confusion, strict=True)
    ]
    hover = [
        [f"{count:,} of {total:,}" for count in row]
        for row, total in zip(evaluation.confusion, totals, strict=True)
    ]
    # Colours always go by the share of the row, or the largest class would hide the rest.
    template = "%{customdata}, %{z:.1f} %"
    return _matrix(evaluation.classes, percent, texts, hover, template, _SHARES, (0, 100), chosen)


def confusion_difference(
    first: Evaluation, other: Evaluation, chosen: tuple[str, str] | None = None
) -> go.Figure:
    """`other` minus `first`, in points of each row; `*` where it is larger than its interval."""
    classes = first.classes
    places = [other.classes.index(name) for name in classes]
    found = [
        [
            difference(of_cell(first, row, column), of_cell(other, places[row], places[column]))
            for column in range(len(classes))
        ]
        for row in range(len(classes))
    ]
    points = [[100 * cell.value for cell in row] for row in found]
    texts = [
        [f"<b>{_signed(cell.value)}*</b>" if cell.clear else _signed(cell.value) for cell in row]
        for row in found
    ]
    hover = [[_ends(cell, "+.1f") for cell in row] for row in found]
    template = "%{z:+.1f} points<br>%{customdata}"
    widest = (-_WIDEST, _WIDEST)
    return _matrix(classes, points, texts, hover, template, _DIFFERENCES, widest, chosen)


def _matrix(
    classes: Sequence[str],
    values: list[list[float]],
    texts: list[list[str]],
    hover: list[list[str]],
    template: str,
    colours: list[list[Any]],
    ends: tuple[float, float],
    chosen: tuple[str, str] | None,
) -> go.Figure:
    import plotly.graph_objects as go

    names = list(classes)
    chart = go.Figure(
        go.Heatmap(
            z=values,
            x=names,
            y=names,
            text=texts,
            texttemplate="%{text}",
            textfont={"size": 13},
            colorscale=colours,
            zmin=ends[0],
            zmax=ends[1],
            showscale=False,
            xgap=2,
            ygap=2,
            hoverinfo="skip",
        )
    )
    # A heatmap cannot be clicked into a choice; unseen markers on top of it can.
    pairs = [(row, column) for row in range(len(names)) for column in range(len(names))]
    chart.add_scatter(
        x=[names[column] for _, column in pairs],
        y=[names[row] for row, _ in pairs],
        customdata=[[hover[row][column], values[row][column]] for row, column in pairs],
        mode="markers",
        marker={"symbol": "square", "size": 34, "opacity": 0},
        selected={"marker": {"opacity": 0}},
        unselected={"marker": {"opacity": 0}},
        hovertemplate="%{y}, taken for %{x}<br>"
        + template.replace("%{customdata}", "%{customdata[0]}").replace("%{z:", "%{customdata[1]:")
        + "<extra></extra>",
        showlegend=False,
    )
    if chosen is not None and chosen[0] in names and chosen[1] in names:
        row, column = names.index(chosen[0]), names.index(chosen[1])
        chart.add_shape(
            type="rect",
            x0=column - 0.5,
            x1=column + 0.5,
            y0=row - 0.5,
            y1=row + 0.5,
            line={"color": "#e6840a", "width": 3},
        )
    edge = {"showgrid": False, "zeroline": False, "fixedrange": True, "automargin": True}
    return styled(
        chart,
        430,
        legend=False,
        hovermode="closest",
        hoverdistance=40,
        clickmode="event+select",
        dragmode=False,
        xaxis={"title": "answer", "tickangle": -45, "range": [-0.5, len(names) - 0.5], **edge},
        yaxis={"title": "truth", "range": [len(names) - 0.5, -0.5], **edge},
    )


def per_class(evaluation: Evaluation) -> go.Figure:
    """Precision, recall and F1 of each class of one model, per cent."""
    import plotly.graph_objects as go

    chart = go.Figure()
    for figure in ("precision", "recall", "f1"):
        words = FIGURES[figure]
        _add_bars(chart, evaluation, evaluation.classes, figure, words, FIGURE_COLOURS[figure])
    return _bars(chart, len(evaluation.classes), 3)


def per_class_of(
    models: Mapping[str, Evaluation], figure: str, colours: Sequence[str]
) -> go.Figure:
    """One figure of each class of several models, per cent."""
    import plotly.graph_objects as go

    chart = go.Figure()
    classes = list(dict.fromkeys(name for each in models.values() for name in each.classes))
    for (name, evaluation), colour in zip(models.items(), colours, strict=True):
        _add_bars(chart, evaluation, classes, figure, name, colour)
    return _bars(chart, len(classes), len(models))


def _add_bars(
    chart: go.Figure,
    evaluation: Evaluation,
    classes: Sequence[str],
    figure: str,
    words: str,
    colour: str,
) -> None:
    """Bars with their 95 % intervals."""
    names = [name for name in classes if name in evaluation.classes]
    found = [of_class(evaluation, name, figure) for name in names]
    ends = [
        (each, (100 * each.ends[0], 100 * each.ends[1]) if each.ends else (100 * each.value,) * 2)
        for each in found
    ]
    chart.add_bar(
        y=names,
        x=[100 * each.value for each in found],
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [max(0.0, high - 100 * each.value) for each, (_, high) in ends],
            "arrayminus": [max(0.0, 100 * each.value - low) for each, (low, _) in ends],
            "color": "#7b858f",
            "thickness": 1.4,
            "width": 3,
        },
        name=words,
        orientation="h",
        marker={"color": colour},
        customdata=[_ends(each, ".1f") for each in found],
        hovertemplate=f"%{{y}}, {words}: %{{x:.1f}} %<br>%{{customdata}}<extra></extra>",
    )


def _signed(share: float) -> str:
    points = round(100 * share)
    return f"{points:+d}" if points else "0"


def _ends(found: Measured | Difference, form: str) -> str:
    """The interval in per cent, for a hover."""
    if found.ends is None:
        return ""
    return f"95 %: {100 * found.ends[0]:{form}} to {100 * found.ends[1]:{form}}"


def _bars(chart: go.Figure, classes: int, bars: int) -> go.Figure:
    return styled(
        chart,
        max(320, 110 + classes * (18 + 13 * bars)),
        barmode="group",
        bargap=0.25,
        dragmode=False,
        xaxis={"range": [0, 101], "ticksuffix": " %", "fixedrange": True},
        yaxis={"autorange": "reversed", "automargin": True, "fixedrange": True},
    )


def balance(counts: Mapping[str, Mapping[str, int]], shares: bool) -> go.Figure:
    """How many images of each class there are.

    Args:
        counts: by split and class.
        shares: per cent of the split; counts otherwise.
    """
    import plotly.graph_objects as go

    chart = go.Figure()
    for split, found in counts.items():
        total = max(1, sum(found.values()))
        chart.add_bar(
            x=list(found),
            y=[100 * count / total if shares else count for count in found.values()],
            name=split,
            marker={"color": SPLIT_COLOURS.get(split, "#8b7be0")},
            customdata=[f"{count:,} of {total:,}" for count in found.values()],
            hovertemplate=f"%{{x}}, {split}: %{{customdata}}<extra></extra>",
        )
    return styled(
        chart,
        340,
        barmode="group",
        dragmode=False,
        xaxis={"fixedrange": True, "tickangle": -45},
        yaxis={"ticksuffix": " %" if shares else "", "fixedrange": True, "automargin": True},
    )
