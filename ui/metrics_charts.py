"""The charts of the metrics tab. Colours are chosen to be read on light and on dark pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ui.metrics_data import Evaluation

if TYPE_CHECKING:
    import plotly.graph_objects as go

TRAINING_COLOUR = "#e69f00"
VALIDATION_COLOUR = "#3f8fd2"
BEST_COLOUR = "#8a949e"
FIGURE_COLOURS = {"precision": "#3f8fd2", "recall": "#e69f00", "f1": "#009e73"}

CONFIG = {"displayModeBar": False, "scrollZoom": False}
"""Nothing floats over a small chart, and a phone's scroll stays a scroll."""


def curves(history: dict[str, list[float]], figure: str) -> go.Figure:
    """`loss` or `accuracy` by epoch, training and validation, with the best epoch marked.

    Args:
        history: as in `ModelFolder.history`.
        figure: `loss` or `accuracy`.
    """
    import plotly.graph_objects as go

    percent = figure == "accuracy"
    factor = 100 if percent else 1
    chart = go.Figure()
    for name, words, colour in (
        (figure, "training", TRAINING_COLOUR),
        (f"val_{figure}", "validation", VALIDATION_COLOUR),
    ):
        if name not in history:
            continue
        values = [factor * value for value in history[name]]
        chart.add_scatter(
            x=history["epoch"],
            y=values,
            name=words,
            mode="lines+markers" if len(values) < 2 else "lines",
            line={"color": colour, "width": 2.5},
            hovertemplate=f"epoch %{{x}}: %{{y:.{1 if percent else 3}f}}{' %' if percent else ''}",
        )
    best = best_epoch(history)
    if best is not None:
        chart.add_vline(
            x=best,
            line={"color": BEST_COLOUR, "dash": "dot", "width": 1.5},
        )
    chart.update_layout(
        height=300,
        margin={"l": 8, "r": 8, "t": 34, "b": 8},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        hovermode="x unified",
        xaxis={"title": "epoch", "rangemode": "tozero"},
        yaxis={"title": None, "ticksuffix": " %" if percent else "", "automargin": True},
    )
    return chart


def best_epoch(history: dict[str, list[float]]) -> float | None:
    """The epoch with the highest validation accuracy, or None."""
    values = history.get("val_accuracy")
    if not values:
        return None
    return history["epoch"][max(range(len(values)), key=values.__getitem__)]


def confusion(evaluation: Evaluation, shares: bool) -> go.Figure:
    """The confusion matrix, rows are the truth.

    Args:
        evaluation: of one split.
        shares: per cent of each row; counts otherwise.
    """
    import plotly.graph_objects as go

    classes = list(evaluation.classes)
    totals = [max(1, sum(row)) for row in evaluation.confusion]
    percent = [
        [100 * count / total for count in row]
        for row, total in zip(evaluation.confusion, totals, strict=True)
    ]
    texts = [
        [f"{share:.0f}" if shares else f"{count:,}" for share, count in zip(*both, strict=True)]
        for both in zip(percent, evaluation.confusion, strict=True)
    ]
    hover = [
        [f"{count:,} of {total:,}" for count in row]
        for row, total in zip(evaluation.confusion, totals, strict=True)
    ]
    chart = go.Figure(
        go.Heatmap(
            # Colours always go by the share of the row, or the largest class would hide the rest.
            z=percent,
            x=classes,
            y=classes,
            text=texts,
            customdata=hover,
            texttemplate="%{text}",
            hovertemplate="%{y}, taken for %{x}<br>%{customdata} (%{z:.1f} %)<extra></extra>",
            # Opaque, so that the numbers' own contrast holds on dark pages too.
            colorscale=[[0, "#eef4fa"], [0.5, "#7fb3de"], [1, "#14507f"]],
            zmin=0,
            zmax=100,
            showscale=False,
            xgap=2,
            ygap=2,
        )
    )
    chart.update_layout(
        height=400,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        xaxis={"title": "answer", "tickangle": -45, "automargin": True, "fixedrange": True},
        yaxis={"title": "truth", "autorange": "reversed", "automargin": True, "fixedrange": True},
    )
    chart.update_xaxes(showgrid=False)
    chart.update_yaxes(showgrid=False)
    return chart


def per_class(evaluation: Evaluation) -> go.Figure:
    """Precision, recall and F1 of each class, per cent."""
    import plotly.graph_objects as go

    chart = go.Figure()
    classes = list(evaluation.classes)
    for figure, colour in FIGURE_COLOURS.items():
        words = "F1" if figure == "f1" else figure
        chart.add_bar(
            y=classes,
            x=[100 * evaluation.per_class[name][figure] for name in classes],
            name=words,
            orientation="h",
            marker={"color": colour},
            hovertemplate=f"%{{y}}, {words}: %{{x:.1f}} %<extra></extra>",
        )
    chart.update_layout(
        height=400,
        margin={"l": 8, "r": 8, "t": 34, "b": 8},
        barmode="group",
        bargap=0.25,
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        xaxis={"range": [0, 100], "ticksuffix": " %", "fixedrange": True},
        yaxis={"autorange": "reversed", "automargin": True, "fixedrange": True},
    )
    return chart
