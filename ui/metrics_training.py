"""The curves of training, which grow while a run goes on, and a line about every such run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import streamlit as st

from ui.metrics_data import ModelFolder, read_folder, read_state
from ui.metrics_figures import duration
from ui.metrics_parts import chart, colours_of, csv_button, keep, last
from ui.metrics_runs import RunState, folders_in, may_be_live, roots

LIVE_SECONDS = 3.0
"""How often a page looks after runs that are training; an epoch takes longer."""


def live_runs(folders: Mapping[str, Path]) -> dict[str, RunState]:
    """The runs that are training now. Only folders with a checkpoint are looked into."""
    found = {name: read_state(folder) for name, folder in folders.items() if may_be_live(folder)}
    return {name: state for name, state in found.items() if state.kind == "training"}


def strip(folders: Mapping[str, Path], live: Mapping[str, RunState], more: str) -> None:
    """A line for each run that is training; the page is drawn again when one begins or ends."""
    if live:
        with st.container():
            st.fragment(_strip, run_every=LIVE_SECONDS)(list(folders), list(live), more)
    else:
        nothing_here()


def nothing_here() -> None:
    """Take the place of a fragment inside a fragment: left alone, its last elements would stay."""
    st.empty()


def _strip(known: list[str], training: list[str], more: str) -> None:
    folders = folders_in(roots(more))
    live = live_runs(folders)
    if list(folders) != known or list(live) != training:
        st.rerun()
    lines = []
    for name, state in live.items():
        history = read_folder(folders[name], name).history
        scores = history.get("val_accuracy", [])
        lines.append(f"**{name}** is training: {live_words(state, scores)}")
    st.markdown(":green-badge[:material/bolt: now] " + " · ".join(lines))


def live_words(state: RunState, scores: Sequence[float]) -> str:
    """How far a run is."""
    if not state.epochs:
        return "first epoch"
    words = f"epoch {state.epochs}" + (f" of {state.asked}" if state.asked else "") + " done"
    if scores:
        words += f", best validation accuracy {max(scores):.1%}"
    if state.seconds_left:
        words += f", about {duration(state.seconds_left)} left"
    return words


def section(models: Sequence[ModelFolder]) -> None:
    """Curves of the chosen models."""
    growing = any(model.state.kind == "training" for model in models)
    # A fragment of its own, so that only the curves are drawn again while a run goes on.
    with st.container():
        st.fragment(_curves, run_every=LIVE_SECONDS if growing else None)(
            {model.name: model.folder for model in models}
        )


def _curves(folders: dict[str, Path]) -> None:
    from ui.metrics_charts import best_epoch, curves

    models = [read_folder(folder, name) for name, folder in folders.items()]
    drawn = [model for model in models if model.history]
    for model in models:
        if not model.history and model.state.kind == "training":
            st.info(f"{model.name} is in its first epoch; its curves begin when that is done.")
    if not drawn:
        if not any(model.state.kind == "training" for model in models):
            st.info("There is no history of training to draw.")
        return
    lines = []
    for model in drawn:
        history = model.history
        best, epochs = best_epoch(history), len(history["epoch"])
        words = f"{epochs} {'epoch' if epochs == 1 else 'epochs'}"
        if best is not None:
            words += (
                f"; best: epoch {history['epoch'][best]:.0f} (the star), "
                f"validation accuracy {history['val_accuracy'][best]:.1%}"
            )
        lines.append(words if len(folders) == 1 else f"**{model.name}**: {words}")
    if len(drawn) > 1:
        lines.append("Solid: validation; dotted: training; dashed: learning rate.")
    st.caption("  \n".join(lines))
    names = "-".join(folders)
    with st.container(horizontal=True, vertical_alignment="center"):
        rate = keep(
            "metrics_rate",
            st.toggle(
                "Learning rate (right axis)", value=last("metrics_rate", True), key="metrics_rate"
            ),
        )
        csv_button(history_rows(drawn), f"{names}-history")
    colours = colours_of([model.name for model in drawn])
    for column, figure in zip(st.columns(2, gap="medium"), ("accuracy", "loss"), strict=True):
        if not any(figure in m.history or f"val_{figure}" in m.history for m in drawn):
            continue
        with column:
            st.markdown(f"**{figure.capitalize()}**")
            chart(
                curves(drawn, figure, colours, rate),
                f"metrics_{figure}_{names}",
                f"{names}-{figure}",
            )


def history_rows(models: Sequence[ModelFolder]) -> list[dict[str, object]]:
    """Every epoch of every model, for the csv."""
    return [
        {"model": model.name}
        | {name: "" if values[at] != values[at] else values[at] for name, values in columns}
        for model in models
        for columns in [list(model.history.items())]
        for at in range(len(model.history["epoch"]))
    ]
