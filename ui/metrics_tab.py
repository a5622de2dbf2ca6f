"""The Training metrics tab: how each network in `models/` was trained, and how good it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from fer_core.errors import ModelError
from fer_core.model_store import default_model_name, models_root
from ui.metrics_data import SPLIT_WORDS, Evaluation, ModelFolder, folder_names, read_folder

if TYPE_CHECKING:
    from fer_core.model_store import ModelCard


def render() -> None:
    """Draw the tab."""
    root = models_root()
    names = folder_names(root)
    if not names:
        st.info(
            f"There is no model folder in {root}. "
            "Train one with `python -m train fit`, and it appears here."
        )
        return
    _content(root, names)


@st.fragment
def _content(root: Path, names: list[str]) -> None:
    # A fragment, so that looking around never reruns the page round a running stream.
    left, right = st.columns(2)
    name = left.selectbox("Model", names, index=_default_index(names, root), key="metrics_model")
    model = read_folder(root / name)
    splits = list(model.evaluations)
    split = right.selectbox(
        "Split",
        splits,
        format_func=lambda split: SPLIT_WORDS.get(split, split),
        key=f"metrics_split_{name}",
        placeholder="not evaluated yet",
        disabled=not splits,
        help="PublicTest chose this model; PrivateTest was kept for the final score.",
    )
    for note in model.notes:
        st.info(note)
    evaluation = model.evaluations.get(split) if split else None
    if evaluation is not None:
        _figures(evaluation)
    if model.history:
        _curves(model)
    if evaluation is not None:
        _classes(evaluation)
    if model.card is not None:
        st.subheader("Card")
        try:
            facts = _facts(model.card)
        except (AttributeError, TypeError, ValueError) as error:
            st.info(f"Its card is of another form and cannot be shown ({error}).")
        else:
            _card(model.card, facts)


def _figures(evaluation: Evaluation) -> None:
    cells: list[tuple[str, str, str]] = []
    interval = evaluation.interval
    cells.append(
        (
            "Accuracy",
            f"{evaluation.accuracy:.1%}",
            ""
            if interval is None
            else f"95 % interval: {100 * interval[0]:.1f} to {100 * interval[1]:.1f} %",
        )
    )
    for label, value, words in (
        ("Macro-F1", evaluation.macro_f1, "the mean F1 of the classes, each counted the same"),
        ("Top 2", evaluation.top2, "the truth is among the two best answers"),
        ("Calibration error", evaluation.calibration_error, "how far confidence is from truth"),
    ):
        if value is not None:
            cells.append((label, f"{value:.1%}", words))
    cells.append(("Images", f"{evaluation.images:,}", "in this split"))
    with st.container(horizontal=True, gap="large"):
        for label, text, words in cells:
            st.metric(label, text, help=words or None, width="content")
    if interval is not None:
        st.caption(
            f"Accuracy with its 95 % interval: {100 * interval[0]:.1f} to {100 * interval[1]:.1f} %"
        )


def _curves(model: ModelFolder) -> None:
    from ui import metrics_charts as charts

    history = model.history
    best = charts.best_epoch(history)
    epochs = len(history["epoch"])
    st.subheader("Training")
    marked = "" if best is None else f"; the dotted line marks the best epoch, {best:.0f}"
    st.caption(f"{epochs} {'epoch' if epochs == 1 else 'epochs'}{marked}")
    for column, figure in zip(st.columns(2, gap="medium"), ("accuracy", "loss"), strict=True):
        if figure not in history and f"val_{figure}" not in history:
            continue
        with column:
            st.markdown(f"**{figure.capitalize()}**")
            _chart(charts.curves(history, figure), f"metrics_{figure}_{model.name}")


def _classes(evaluation: Evaluation) -> None:
    from ui import metrics_charts as charts

    st.subheader("Classes")
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**Confusion matrix**")
        shares = (
            st.segmented_control(
                "Cells",
                ["% of row", "counts"],
                default="% of row",
                key="metrics_cells",
                label_visibility="collapsed",
            )
            != "counts"
        )
        _chart(charts.confusion(evaluation, shares), "metrics_confusion")
    with right:
        st.markdown("**Precision, recall and F1**")
        _chart(charts.per_class(evaluation), "metrics_classes")
    with st.expander("As a table"):
        st.dataframe(_table(evaluation), hide_index=True, width="stretch")


def _table(evaluation: Evaluation) -> Any:
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "class": name,
                "precision %": round(100 * figures["precision"], 1),
                "recall %": round(100 * figures["recall"], 1),
                "F1 %": round(100 * figures["f1"], 1),
                "images": int(figures["support"]),
            }
            for name, figures in evaluation.per_class.items()
        ]
    )


def _chart(figure: Any, key: str) -> None:
    from ui.metrics_charts import CONFIG

    st.plotly_chart(figure, key=key, config=CONFIG, width="stretch")


def _facts(card: ModelCard) -> list[tuple[str, str]]:
    eyes = "levelled" if card.crop.align else "as they are"
    facts = [
        ("Architecture", card.architecture),
        (
            "Input",
            f"{card.input_size}x{card.input_size}, {'grey' if card.channels == 1 else 'RGB'}",
        ),
        ("Parameters", f"{card.parameters:,}" if card.parameters else "not stated"),
        (
            "Multiply-adds",
            f"{card.multiply_adds / 1e6:,.1f} million a face"
            if card.multiply_adds
            else "not stated",
        ),
        (
            "Crop",
            f"margin {card.crop.margin:.0%}, eyes {eyes}",
        ),
        ("Temperature", f"{card.temperature:.3g}"),
        ("*Uncertain* below", f"{card.uncertain_below:.0%}"),
    ]
    for split, figures in card.figures.items():
        if isinstance(figures, dict) and isinstance(figures.get("accuracy"), int | float):
            images = figures.get("images")
            behind = f" on {int(images):,} images" if isinstance(images, int | float) else ""
            facts.append((f"Accuracy, {split}", f"{figures['accuracy']:.1%}{behind}"))
    return facts


def _card(card: ModelCard, facts: list[tuple[str, str]]) -> None:
    left, right = st.columns(2, gap="medium")
    left.markdown(_rows(facts))
    with right:
        if card.intended_use:
            st.markdown(f"**Intended use.** {card.intended_use}")
        if card.limits:
            st.markdown("**Limits**\n" + "\n".join(f"- {limit}" for limit in card.limits))
        for title, value in (
            ("How it was trained", card.training),
            ("Files", card.files),
            ("Versions", card.versions),
        ):
            if value:
                with st.expander(title):
                    st.json(value, expanded=2)


def _rows(facts: list[tuple[str, str]]) -> str:
    lines = [f"| {label} | {value.replace('|', '/')} |" for label, value in facts]
    return "| | |\n|---|---|\n" + "\n".join(lines)


def _default_index(names: list[str], root: Path) -> int:
    try:
        return names.index(default_model_name(root))
    except (ModelError, ValueError):
        return 0
