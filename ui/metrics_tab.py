"""The Training metrics tab: how each network was trained, how good it is, and which is better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import streamlit as st

from fer_core.errors import ModelError
from fer_core.model_store import default_model_name, models_root
from ui import metrics_figures, metrics_mistakes, metrics_scores, metrics_sections, metrics_training
from ui.metrics_charts import MODEL_COLOURS
from ui.metrics_data import ModelFolder, read_folder
from ui.metrics_evaluation import SPLITS, Evaluation
from ui.metrics_parts import MODELS_KEY, STYLE, choice, keep, kept, last
from ui.metrics_pictures import places
from ui.metrics_runs import RunState, folders_in, roots

SPLIT_WORDS = {
    "PrivateTest": "PrivateTest (test)",
    "PublicTest": "PublicTest (validation)",
    "Training": "Training",
}
MODELS_MAX = len(MODEL_COLOURS)
"""Models side by side: one colour each."""

SECTIONS = (
    "Training",
    "Confusion",
    "Classes",
    "ROC",
    "Confidence",
    "Corruptions",
    "Data",
    "Card",
)


def render() -> None:
    """Draw the tab."""
    st.html(f"<style>{STYLE}</style>")
    _content()


@st.fragment
def _content() -> None:
    # A fragment, so that looking around never reruns the page round a running stream.
    left, middle, right = st.columns([3.2, 1.7, 1.1], vertical_alignment="bottom")
    with right:
        more = places()
    searched = roots(more)
    folders = folders_in(searched)
    if not folders:
        st.info(
            f"There is no model folder in {' or '.join(map(str, searched))}. "
            "Train one with `python -m train fit`, and it appears here."
        )
        return
    live = metrics_training.live_runs(folders)
    with left:
        names = _choose(folders, live)
    models = [read_folder(folders[name], name) for name in names]
    with middle:
        split = _split(models)
    metrics_training.strip(folders, live, more)
    if not models:
        st.info("Choose a model; two or more are compared.")
        return
    _notes(models)
    _figures(models, split)
    _section(models, split)


def _choose(folders: Mapping[str, Path], live: Mapping[str, RunState]) -> list[str]:
    default = [_default(folders)]
    before = last(MODELS_KEY, default)
    # An emptied list stays empty: that is a choice too.
    there = [name for name in before if name in folders] or (default if before else [])
    if there != before:
        st.session_state[MODELS_KEY] = there
    return keep(
        MODELS_KEY,
        st.multiselect(
            "Models",
            list(folders),
            # Not by the session's state alone: that is told to the browser once, and where a click
            # elsewhere breaks off that very run, the browser takes the list for an emptied one.
            default=there if there == before else None,
            key=MODELS_KEY,
            max_selections=MODELS_MAX,
            format_func=lambda name: f"{name} (training now)" if name in live else name,
            placeholder="choose a model",
            help=f"Two to {MODELS_MAX} are compared, each with the first.",
        ),
    )


def _default(folders: Mapping[str, Path]) -> str:
    root = models_root()
    try:
        wanted = root / default_model_name(root)
    except ModelError:
        wanted = None
    for name, folder in folders.items():
        if folder == wanted:
            return name
    return next(iter(folders))


def _split(models: Sequence[ModelFolder]) -> str | None:
    there = [name for name in SPLITS if any(name in model.evaluations for model in models)]
    kept("metrics_split", there[0] if there else None, [*there, *([] if there else [None])])
    return keep(
        "metrics_split",
        st.selectbox(
            "Split",
            there,
            key="metrics_split",
            format_func=lambda name: SPLIT_WORDS.get(name, name),
            placeholder="not evaluated yet",
            disabled=not there,
            help="PublicTest chose the models; PrivateTest was kept for the final score.",
        ),
    )


def _notes(models: Sequence[ModelFolder]) -> None:
    for model in models:
        if model.notes:
            head = f"**{model.name}**: " if len(models) > 1 else ""
            st.info(head + "\n".join(model.notes))


def _figures(models: Sequence[ModelFolder], split: str | None) -> None:
    found = {model.name: model.evaluations.get(split or "") for model in models}
    if not any(found.values()):
        return
    if len(models) > 1:
        metrics_figures.several(models, found)
        return
    ((name, evaluation),) = found.items()
    if evaluation is not None and split is not None:
        metrics_figures.one(name, split, evaluation)


def _section(models: Sequence[ModelFolder], split: str | None) -> None:
    section = choice("Section", SECTIONS, "metrics_section")
    if section == "Training":
        metrics_training.section(models)
        return
    metrics_training.nothing_here()
    if section == "Data":
        from ui import metrics_samples

        metrics_samples.section(models)
    elif section == "Card":
        from ui import metrics_card

        metrics_card.section(models)
    else:
        _of_split(section, models, split)


def _of_split(section: str, models: Sequence[ModelFolder], split: str | None) -> None:
    """The sections that need an evaluation."""
    found: dict[str, Evaluation] = {}
    missing = []
    for model in models:
        evaluation = model.evaluations.get(split or "")
        if evaluation is None:
            missing.append(model.name)
        else:
            found[model.name] = evaluation
    if missing:
        st.info(
            f"{', '.join(missing)}: not evaluated {f'on {split} ' if split else ''}yet; "
            "that is done when training ends."
        )
    if not found or split is None:
        return
    draw = {
        "Confusion": metrics_mistakes.section,
        "Classes": metrics_sections.by_class,
        "ROC": metrics_scores.roc,
        "Confidence": metrics_scores.confidence,
        "Corruptions": metrics_sections.corruptions,
    }[section]
    draw(found, split)
