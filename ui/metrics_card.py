"""The cards: what a network is, what it is for, and what it is bad at."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st

from fer_core.model_store import ModelCard
from ui.metrics_data import ModelFolder
from ui.metrics_figures import cost_rows, costs_of
from ui.metrics_parts import compare_table


def section(models: Sequence[ModelFolder]) -> None:
    """The card of each model."""
    if len(models) > 1:
        labels = ("Parameters", "Multiply-adds", "File", "Trained", "Device")
        names = [model.name for model in models]
        compare_table(
            names, cost_rows(models, labels), [None] * len(names), "-".join(names) + "-costs"
        )
    for model in models:
        if len(models) > 1:
            st.subheader(model.name)
        if model.card is None:
            st.info(f"{model.name} has no card that can be shown.")
            continue
        try:
            facts = _facts(model)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            st.info(f"Its card is of another form and cannot be shown ({error}).")
        else:
            _card(model.card, facts)


def _facts(model: ModelFolder) -> list[tuple[str, str]]:
    card = model.card
    assert card is not None
    facts = [
        ("Architecture", card.architecture),
        (
            "Input",
            f"{card.input_size}x{card.input_size}, {'grey' if card.channels == 1 else 'RGB'}",
        ),
        ("Crop", f"margin {card.crop.margin:.0%}, eyes {card.crop.eyes}"),
        ("Temperature", f"{card.temperature:.5g}"),
        ("Uncertain below", f"{card.uncertain_below:.0%}"),
        *costs_of(model).items(),
    ]
    for split, figures in card.figures.items():
        if isinstance(figures, dict) and isinstance(figures.get("accuracy"), int | float):
            facts.append((f"Accuracy, {split}", _accuracy(figures)))
            if isinstance(figures.get("share_shown"), int | float) and split != "Training":
                facts.append(
                    (
                        f"Labels shown, {split}",
                        f"{figures['share_shown']:.1%}, of which {figures['accuracy_shown']:.1%} "
                        "are right",
                    )
                )
    return facts


def _accuracy(figures: dict[str, float]) -> str:
    text = f"{figures['accuracy']:.1%}"
    if isinstance(figures.get("accuracy_low"), int | float):
        text += (
            f" (95 %: {100 * figures['accuracy_low']:.1f} to {100 * figures['accuracy_high']:.1f})"
        )
    images = figures.get("images")
    return text + (f" on {int(images):,} images" if isinstance(images, int | float) else "")


def _card(card: ModelCard, facts: list[tuple[str, str]]) -> None:
    left, right = st.columns(2, gap="medium")
    left.html(_table(facts))
    with right:
        if card.intended_use:
            st.markdown(f"**Intended use.** {card.intended_use}")
        for head, sentences in (("Out of scope", card.out_of_scope), ("Limits", card.limits)):
            if sentences:
                st.markdown(f"**{head}**\n" + "\n".join(f"- {each}" for each in sentences))
        for title, value in (
            ("How it was trained", card.training),
            ("Files", card.files),
            ("Versions", card.versions),
        ):
            if value:
                with st.expander(title):
                    st.json(value, expanded=2)


def _table(facts: list[tuple[str, str]]) -> str:
    lines = "".join(
        f'<tr><th>{escape(label)}</th><td class="fer-words">{escape(str(value))}</td></tr>'
        for label, value in facts
    )
    return f'<div class="fer-compare fer-plain"><table><tbody>{lines}</tbody></table></div>'
