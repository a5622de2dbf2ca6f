"""The key figures on top: of one model large, of several in a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import streamlit as st

from ui.metrics_compare import (
    Measured,
    of_accuracy,
    of_calibration,
    of_macro_f1,
    of_mean_auc,
    of_share,
    why_not_comparable,
)
from ui.metrics_data import ModelFolder
from ui.metrics_evaluation import Evaluation
from ui.metrics_parts import MARKS, Row, compare_table, csv_button

VIEWS = "Several views"

WORDS = {
    "Macro-F1": "the mean F1 of the classes, each counted the same",
    "Top 2": "the truth is among the two best answers",
    "Mean AUC": "mean area under the ROC curves, each class against the rest; 0.5 is guessing",
    "Calibration error": "how far confidence is from truth; 0 is best",
    "Under corruptions": "mean accuracy with blur, noise, dark, bright, JPEG and few pixels",
    "Not in training": "accuracy without the images that stand in the training split too",
    VIEWS: "accuracy with test-time augmentation: several views of each image at once",
}


def reasons(evaluations: Mapping[str, Evaluation | None]) -> list[str | None]:
    """For each model, why its figures must not be compared with the first one's, or None."""
    found = list(evaluations.values())
    first = found[0]
    return [
        None if each is None or first is None else why_not_comparable(first, each) for each in found
    ]


def one(name: str, split: str, evaluation: Evaluation) -> None:
    """The figures of one model."""
    accuracy = of_accuracy(evaluation)
    with st.container(horizontal=True, key="metrics_key_figures"):
        st.metric("Accuracy", f"{accuracy.value:.1%}", width="content")
        for row in _rows([evaluation])[1:]:
            cell = row.cells[0]
            if isinstance(cell, Measured):
                text = f"{cell.value:.1%}" if row.percent else f"{cell.value:.3f}"
                st.metric(
                    row.label, text, help=WORDS.get(row.label.partition(":")[0]), width="content"
                )
    with st.container(horizontal=True, vertical_alignment="center"):
        if accuracy.ends is not None:
            low, high = accuracy.ends
            st.caption(
                f"{evaluation.images:,} images; the accuracy with its 95 % interval: "
                f"{100 * low:.1f} to {100 * high:.1f}\N{NO-BREAK SPACE}%",
                width="content",
            )
        csv_button(
            [
                {"model": name, "split": split, "figure": row.label, "value": cell.value}
                | ({"low": cell.ends[0], "high": cell.ends[1]} if cell.ends else {})
                for row in _rows([evaluation])
                if isinstance(cell := row.cells[0], Measured)
            ],
            f"{name}-{split}-figures",
        )


def several(models: Sequence[ModelFolder], evaluations: Mapping[str, Evaluation | None]) -> None:
    """The figures of several models, with what differs by more than chance marked."""
    why = reasons(evaluations)
    compare_table(
        list(evaluations),
        [*_rows(list(evaluations.values())), *cost_rows(models, ("Parameters", "Multiply-adds"))],
        why,
        "-".join(evaluations) + "-figures",
    )
    st.caption(MARKS)
    say_reasons(list(evaluations), why)


def say_reasons(names: Sequence[str], why: Sequence[str | None]) -> None:
    """Say which models are not compared."""
    for name, reason in zip(names, why, strict=True):
        if reason:
            st.caption(f"{name} is not compared with {names[0]}: {reason}.")


def _rows(found: Sequence[Evaluation | None]) -> list[Row]:
    def each(measure: Callable[[Evaluation], Measured | None]) -> list[Measured | None]:
        return [None if evaluation is None else measure(evaluation) for evaluation in found]

    def of_images(value: float | None, images: int) -> Measured | None:
        return None if value is None else of_share(value, images)

    return [
        Row("Accuracy", each(of_accuracy)),
        Row("Macro-F1", each(of_macro_f1)),
        Row("Top 2", each(lambda e: of_images(e.top2, e.images))),
        Row("Mean AUC", each(of_mean_auc), percent=False),
        Row("Calibration error", each(of_calibration), lower_is_better=True),
        # The same images again and again: no more is known than from as many images.
        Row("Under corruptions", each(lambda e: of_images(e.corruption_mean, e.images))),
        Row("Not in training", each(lambda e: of_share(*e.fresh) if e.fresh else None)),
        *(
            Row(f"{VIEWS}: {kind}", each(partial(_of_views, kind)))
            for kind in sorted({e.augmented[1] for e in found if e is not None and e.augmented})
        ),
    ]


def _of_views(kind: str, evaluation: Evaluation) -> Measured | None:
    """The accuracy with these views of each image."""
    if evaluation.augmented is None or evaluation.augmented[1] != kind:
        return None
    return of_share(evaluation.augmented[0], evaluation.images)


def cost_rows(models: Sequence[ModelFolder], labels: Sequence[str]) -> list[Row]:
    """What the models cost, as text: there is no chance in it."""
    costs = [costs_of(model) for model in models]
    return [Row(label, [each.get(label) for each in costs]) for label in labels]


def costs_of(model: ModelFolder) -> dict[str, str]:
    """Size, cost, file and time of training, as far as the card tells."""
    card = model.card
    if card is None:
        return {}
    found = {}
    if isinstance(card.parameters, int) and card.parameters > 0:
        found["Parameters"] = f"{card.parameters:,}"
    if isinstance(card.multiply_adds, int) and card.multiply_adds > 0:
        found["Multiply-adds"] = f"{card.multiply_adds / 1e6:,.1f} million"
    if isinstance(card.files, dict):
        sizes = [
            f"{name} {file['bytes'] / 1e6:.1f} MB"
            for name, file in card.files.items()
            if isinstance(file, dict) and isinstance(file.get("bytes"), int | float)
        ]
        if sizes:
            found["File"] = ", ".join(sizes)
    if isinstance(card.training, dict):
        seconds = card.training.get("seconds")
        if isinstance(seconds, int | float) and 0 < seconds < 1e9:
            found["Trained"] = duration(seconds)
        if isinstance(card.training.get("device"), str):
            found["Device"] = card.training["device"]
    return found


def duration(seconds: float) -> str:
    """`40 s`, `12 min` or `3 h 20 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"
