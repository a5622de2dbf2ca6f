"""Charts of what lies behind the answers: ROC, precision and recall, reliability, corruptions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ui.metrics_charts import QUIET_COLOUR, class_colour, styled
from ui.metrics_evaluation import Bin, Curve, Evaluation

if TYPE_CHECKING:
    import plotly.graph_objects as go

CORRUPTION_COLOURS = ("#3f8fd2", "#e6840a", "#12a37c", "#c765a0", "#8b7be0", "#c9a100", "#8a949e")
STRENGTHS = ("none", "mild", "medium", "strong")


def roc(lines: Mapping[str, Curve], colours: Sequence[str]) -> go.Figure:
    """True against false positives, a line for each name."""
    chart = _curves(lines, colours, "AUC", "false positives", "true positives")
    chart.add_scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        line={"color": QUIET_COLOUR, "dash": "dot", "width": 1.2},
        showlegend=False,
        hoverinfo="skip",
    )
    return chart


def precision_recall(lines: Mapping[str, Curve], colours: Sequence[str]) -> go.Figure:
    """Precision against recall, a line for each name."""
    return _curves(lines, colours, "average precision", "recall", "precision")


def colours_of_classes(names: Sequence[str]) -> list[str]:
    """For one model, whose lines are its classes."""
    return [class_colour(name, place) for place, name in enumerate(names)]


def _curves(
    lines: Mapping[str, Curve], colours: Sequence[str], area: str, across: str, up: str
) -> go.Figure:
    import plotly.graph_objects as go

    chart = go.Figure()
    for (name, curve), colour in zip(lines.items(), colours, strict=False):
        chart.add_scatter(
            x=curve.across,
            y=curve.up,
            name=name,
            mode="lines",
            line={"color": colour, "width": 2.2},
            customdata=[curve.area] * len(curve.across),
            hovertemplate=(
                f"{name}<br>{across} %{{x:.0%}}, {up} %{{y:.0%}}<br>"
                f"{area} %{{customdata:.3f}}<extra></extra>"
            ),
        )
    side = {"range": [-0.01, 1.01], "tickformat": ".0%", "automargin": True}
    return styled(
        chart,
        420,
        hovermode="closest",
        xaxis={"title": across, **side},
        yaxis={"title": up, **side},
    )


def reliability(bins: Mapping[str, Sequence[Bin]]) -> go.Figure:
    """How often answers are right by how sure they are, and below how many answers there are.

    Args:
        bins: `before` and `after` temperature scaling, either may be missing.
    """
    from plotly.subplots import make_subplots

    chart = make_subplots(
        rows=2, cols=1, shared_xaxes=True, row_heights=[0.76, 0.24], vertical_spacing=0.05
    )
    chart.add_scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        line={"color": QUIET_COLOUR, "dash": "dot", "width": 1.2},
        showlegend=False,
        hoverinfo="skip",
        row=1,
        col=1,
    )
    for when, colour in (("before", "#e6840a"), ("after", "#3f8fd2")):
        found = [
            (each, each.confidence, each.accuracy)
            for each in bins.get(when, ())
            if each.images and each.confidence is not None and each.accuracy is not None
        ]
        if not found:
            continue
        chart.add_scatter(
            x=[confidence for _, confidence, _ in found],
            y=[accuracy for _, _, accuracy in found],
            name=f"{when} scaling",
            legendgroup=when,
            mode="lines+markers",
            line={"color": colour, "width": 2.2, "dash": "dot" if when == "before" else "solid"},
            marker={"size": 7},
            customdata=[each.images for each, _, _ in found],
            hovertemplate="sure %{x:.0%}, right %{y:.0%}<br>%{customdata:,} answers<extra></extra>",
            row=1,
            col=1,
        )
        chart.add_bar(
            x=[(each.low + each.high) / 2 for each, _, _ in found],
            y=[each.images for each, _, _ in found],
            width=[0.42 * (each.high - each.low) for each, _, _ in found],
            offset=[
                (-0.42 if when == "before" else 0.02) * (each.high - each.low)
                for each, _, _ in found
            ],
            legendgroup=when,
            showlegend=False,
            marker={"color": colour},
            hovertemplate="%{y:,} answers<extra></extra>",
            row=2,
            col=1,
        )
    side = {"range": [-0.01, 1.01], "tickformat": ".0%", "automargin": True, "fixedrange": True}
    styled(chart, 440, hovermode="closest", dragmode=False)
    chart.update_xaxes(**side)
    chart.update_xaxes(title="confidence", row=2, col=1)
    chart.update_yaxes(**side, title="right", row=1, col=1)
    chart.update_yaxes(title="answers", automargin=True, fixedrange=True, row=2, col=1)
    return chart


def corruptions(evaluation: Evaluation) -> go.Figure:
    """The accuracy of one model under each corruption, from none to strong."""
    lines = {
        name.replace("_", " "): [(None, evaluation.accuracy), *rows]
        for name, rows in evaluation.corruptions.items()
    }
    return _by_strength(lines, CORRUPTION_COLOURS)


def corruption_of(
    models: Mapping[str, Evaluation], kind: str | None, colours: Sequence[str]
) -> go.Figure:
    """The accuracy of several models under one corruption, or (None) the mean over all."""
    lines, own = {}, []
    for (name, evaluation), colour in zip(models.items(), colours, strict=True):
        if kind is not None:
            rows = list(evaluation.corruptions.get(kind, ()))
        else:
            rows = mean_by_strength(evaluation)
        if rows:
            lines[name] = [(None, evaluation.accuracy), *rows]
            own.append(colour)
    return _by_strength(lines, own)


def mean_by_strength(evaluation: Evaluation) -> list[tuple[str, float]]:
    """The mean accuracy over all corruptions that have this strength."""
    kinds = list(evaluation.corruptions.values())
    most = max(map(len, kinds), default=0)
    found = []
    for place in range(most):
        values = [rows[place][1] for rows in kinds if len(rows) > place]
        found.append(("all", sum(values) / len(values)))
    return found


def strength_word(place: int, count: int) -> str:
    """`mild`, `medium` or `strong` for three of them; a number otherwise."""
    return STRENGTHS[place + 1] if count == len(STRENGTHS) - 1 else str(place + 1)


def _by_strength(
    lines: Mapping[str, Sequence[tuple[str | None, float]]], colours: Sequence[str]
) -> go.Figure:
    import plotly.graph_objects as go

    chart = go.Figure()
    for place, (name, rows) in enumerate(lines.items()):
        count = len(rows) - 1
        chart.add_scatter(
            x=["none", *(strength_word(at, count) for at in range(count))],
            y=[100 * accuracy for _, accuracy in rows],
            name=name,
            mode="lines+markers",
            line={"color": colours[place % len(colours)], "width": 2.2},
            marker={"size": 8},
            customdata=["as it is" if what is None else what for what, _ in rows],
            hovertemplate=f"{name} (%{{customdata}}): %{{y:.1f}} %<extra></extra>",
        )
    return styled(
        chart,
        400,
        hovermode="closest",
        dragmode=False,
        xaxis={"title": "strength", "fixedrange": True},
        yaxis={"ticksuffix": " %", "rangemode": "tozero", "fixedrange": True, "automargin": True},
    )
