"""The data a model was trained on: how many images of each class, and some of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from ui.metrics_data import ModelFolder
from ui.metrics_evaluation import SPLITS
from ui.metrics_parts import chart, choice, csv_button, keep, kept
from ui.metrics_pictures import data_path, dataset, how_to_set, sample_html

if TYPE_CHECKING:
    from fer_core.fer2013 import Dataset

SEEN_FILE = "seen.png"
"""Written into a run's folder: what its network sees after augmentation."""

EACH = 10
"""Pictures of a class at a time."""


def section(models: Sequence[ModelFolder]) -> None:
    """Balance of the classes, and pictures where there is a data set."""
    from ui.metrics_charts_classes import balance

    found = dataset() if data_path() else None
    sources: dict[str, dict[str, dict[str, int]]] = {}
    for model in models:
        counts = counts_of(model)
        if counts and counts not in sources.values():
            sources[model.name] = counts
    if found is not None and not sources:
        sources["data set"] = {name: part.counts() for name, part in found.splits.items()}
    if not sources:
        st.info("Neither its card nor its evaluation says how many images of each class there are.")
    else:
        with st.container(horizontal=True, vertical_alignment="center"):
            shares = choice("Bars", ["% of split", "counts"], "metrics_balance") == "% of split"
            csv_button(balance_rows(sources), "-".join(sources) + "-classes-of-data")
    for name, counts in sources.items():
        if len(models) > 1 and len(sources) > 1:
            st.markdown(f"**{name}**")
        chart(balance(counts, shares), f"metrics_balance_{name}", f"{name}-class-balance")
    _seen(models)
    st.markdown("**Sample images**")
    if found is not None:
        _samples(found)
    elif not data_path():
        st.info(how_to_set())


def counts_of(model: ModelFolder) -> dict[str, dict[str, int]]:
    """Images by split and class: what the card says, else what was evaluated."""
    training: Any = model.card.training if model.card else {}
    said = training.get("classes") if isinstance(training, dict) else {}
    found: dict[str, dict[str, int]] = {}
    for split in reversed(SPLITS):
        counts = said.get(split) if isinstance(said, dict) else None
        if isinstance(counts, dict) and all(
            isinstance(count, int) and count >= 0 for count in counts.values()
        ):
            found[split] = {str(name): count for name, count in counts.items()}
        elif split in model.evaluations:
            figures = model.evaluations[split].per_class
            found[split] = {name: int(row["support"]) for name, row in figures.items()}
    return found


def balance_rows(sources: Mapping[str, Mapping[str, Mapping[str, int]]]) -> list[dict[str, Any]]:
    """Every count, for the csv."""
    return [
        {"source": source, "split": split, "class": name, "images": count}
        for source, splits in sources.items()
        for split, counts in splits.items()
        for name, count in counts.items()
    ]


def _seen(models: Sequence[ModelFolder]) -> None:
    for model in models:
        file = model.folder / SEEN_FILE
        if not file.is_file():
            continue
        with st.expander(f"What {model.name} saw in training"):
            try:
                st.image(str(file))
            except Exception as error:  # a picture that is being written may be anything
                st.info(f"Its {SEEN_FILE} cannot be shown ({type(error).__name__}).")


def _samples(found: Dataset) -> None:
    splits = [name for name in SPLITS if name in found.splits]
    kept("metrics_sample_split", splits[0], splits)
    kept("metrics_sample_seed", 0)
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    split = keep("metrics_sample_split", left.selectbox("From", splits, key="metrics_sample_split"))
    right.button("Others", icon=":material/casino:", on_click=_next, width="stretch")
    part = found.splits[split]
    for name, count in part.counts().items():
        if count:
            st.caption(f"{name}, {count:,} images")
            st.html(sample_html(part, name, EACH, st.session_state["metrics_sample_seed"]))
    for note in found.notes:
        st.caption(note)


def _next() -> None:
    keep("metrics_sample_seed", st.session_state.get("metrics_sample_seed", 0) + 1)
    st.session_state["metrics_sample_seed"] += 1
