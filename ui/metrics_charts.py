"""What the charts of the tab share, and the curves of training. Colours are chosen to be read on
light and on dark pages, and to be told apart with the common colour blindnesses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ui.metrics_data import ModelFolder

if TYPE_CHECKING:
    import plotly.graph_objects as go

MODEL_COLOURS = ("#3f8fd2", "#e6840a", "#12a37c", "#c765a0", "#8b7be0", "#8a949e")
"""One for each model that is compared, in the order in which they were chosen."""

TRAINING_COLOUR = "#e6840a"
VALIDATION_COLOUR = "#3f8fd2"
RATE_COLOUR = "#8a949e"
QUIET_COLOUR = "#8a949e"
"""Lines that only guide the eye."""

CLASS_COLOURS = {
    "angry": "#e6503c",
    "disgust": "#12a37c",
    "fear": "#c765a0",
    "happy": "#c9a100",
    "sad": "#3f8fd2",
    "surprise": "#e6840a",
    "neutral": "#8a949e",
    "contempt": "#8b7be0",
}
"""As on video, but for the bright ones, which a white page would swallow."""

LEGEND = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "title": None}
MARGIN = {"l": 8, "r": 18, "t": 8, "b": 8}


def config(name: str) -> dict[str, Any]:
    """Settings of a chart: a camera that saves it as `name`.png, and nothing else over it.

    A phone's scroll stays a scroll.
    """
    return {
        "displayModeBar": True,
        "displaylogo": False,
        "scrollZoom": False,
        "modeBarButtons": [["toImage"]],
        "toImageButtonOptions": {"format": "png", "filename": name, "scale": 2},
    }


def styled(chart: go.Figure, height: int, legend: bool = True, **layout: Any) -> go.Figure:
    """`chart` with the size and the margins of all charts; the camera has its place on top."""
    chart.update_layout(
        height=height,
        margin={**MARGIN, "t": 56 if legend else 34},
        showlegend=legend,
        legend=LEGEND,
        modebar={"orientation": "h"},
        **layout,
    )
    return chart


def class_colour(name: str, place: int) -> str:
    """The colour of a class, also of one that is not ours."""
    return CLASS_COLOURS.get(name, MODEL_COLOURS[place % len(MODEL_COLOURS)])


def best_epoch(history: Mapping[str, Sequence[float]]) -> int | None:
    """The place of the epoch with the highest validation accuracy, or None."""
    values = history.get("val_accuracy")
    if not values:
        return None
    return max(range(len(values)), key=values.__getitem__)


def curves(
    models: Sequence[ModelFolder], figure: str, colours: Sequence[str], rate: bool = True
) -> go.Figure:
    """`loss` or `accuracy` by epoch, with the best epoch marked, and the learning rate.

    One model has a curve for training and one for validation; of several, each has its own colour
    and its training curve is dotted.

    Args:
        models: those with a history.
        figure: `loss` or `accuracy`.
        colours: of the models, where there are several.
        rate: draw the learning rate, on an axis of its own.
    """
    import plotly.graph_objects as go

    alone = len(models) == 1
    percent = figure == "accuracy"
    chart = go.Figure()
    for model, colour in zip(models, colours, strict=True):
        _add_curves(chart, model, figure, None if alone else colour)
        if rate:
            _add_rate(chart, model, RATE_COLOUR if alone else colour, alone)
    styled(
        chart,
        340,
        hovermode="x unified",
        xaxis={"title": "epoch", "rangemode": "tozero"},
        yaxis={"title": None, "ticksuffix": " %" if percent else "", "automargin": True},
        yaxis2={
            "title": {"text": "learning rate", "font": {"color": RATE_COLOUR, "size": 12}},
            "overlaying": "y",
            "side": "right",
            "showgrid": False,
            "rangemode": "tozero",
            "tickmode": "auto",
            "nticks": 5,
            "tickformat": "~g",
            "tickfont": {"color": RATE_COLOUR},
            "automargin": True,
        },
    )
    return chart


def _add_curves(chart: go.Figure, model: ModelFolder, figure: str, colour: str | None) -> None:
    """The curves of one model; in its `colour`, or in those of training and validation."""
    percent = figure == "accuracy"
    factor, digits, unit = (100, 1, " %") if percent else (1, 3, "")
    history = model.history
    best = best_epoch(history)
    for name, words, own, dash in (
        (figure, "training", TRAINING_COLOUR, "dot"),
        (f"val_{figure}", "validation", VALIDATION_COLOUR, "solid"),
    ):
        if name not in history:
            continue
        values = [factor * value for value in history[name]]
        validation = name.startswith("val_")
        chart.add_scatter(
            x=history["epoch"],
            y=values,
            name=words if colour is None else f"{model.name}, {words}",
            mode="lines+markers" if len(values) < 2 else "lines",
            line={
                "color": colour or own,
                "width": 2.5 if colour is None or validation else 1.5,
                "dash": "solid" if colour is None else dash,
            },
            # Of several models only the validation curves are named; the text says the rest.
            showlegend=colour is None or validation,
            legendgroup=model.name,
            hovertemplate=f"%{{y:.{digits}f}}{unit}",
        )
        if validation and best is not None:
            chart.add_scatter(
                x=[history["epoch"][best]],
                y=[values[best]],
                name="best epoch",
                mode="markers",
                marker={
                    "symbol": "star",
                    "size": 14,
                    "color": colour or own,
                    "line": {"color": "#ffffff", "width": 1},
                },
                showlegend=colour is None,
                legendgroup=model.name if colour else "best",
                hoverinfo="skip",
            )
    if best is not None and colour is None:
        chart.add_vline(
            x=history["epoch"][best], line={"color": QUIET_COLOUR, "dash": "dot", "width": 1.5}
        )


def _add_rate(chart: go.Figure, model: ModelFolder, colour: str, alone: bool) -> None:
    rates = model.history.get("learning_rate", [])
    if not any(value == value for value in rates):
        return
    chart.add_scatter(
        x=model.history["epoch"],
        y=rates,
        name="learning rate" if alone else f"{model.name}, learning rate",
        mode="lines",
        line={"color": colour, "width": 1.3, "dash": "dash"},
        yaxis="y2",
        showlegend=alone,
        legendgroup="rate" if alone else model.name,
        hovertemplate="%{y:.3~g}",
    )
