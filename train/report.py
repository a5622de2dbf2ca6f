"""Write `evaluation.json` of a model folder anew, without training anything."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from fer_core.errors import ModelError
from fer_core.model_store import ModelCard, load_card, model_folder
from train.checkpoint import write_text
from train.data import Dataset
from train.data.prepare import prepared_for
from train.evaluate import opened
from train.evaluation import (
    EVALUATION_FILE,
    Calibration,
    add_corruptions,
    add_views,
    cost_of,
    evaluate_splits,
    evaluation_text,
)
from train.model_card import write_readme

TOLERANCE = 0.001
"""Share of the images on which runtimes may disagree by rounding: 3 of 3,589."""


def report_folder(
    name: str,
    dataset: Dataset,
    *,
    runtime: str = "auto",
    tta: str = "off",
    out: Path | None = None,
    said: Callable[[str], None] = lambda text: None,
) -> Path:
    """Score a model folder on every split, damaged images included; its card stays as it is.

    Temperature and threshold are those of the card, and the accuracies have to be the card's.

    Args:
        name: of the model folder, or a path to one.
        dataset: what it was trained and scored on, as it was read.
        runtime: `auto`, or the name of one in `fer_core.runtimes`.
        tta: test-time augmentation, see `train.views`; its figures stand apart, under
            `test_time_augmentation`.
        out: file to write; None for `evaluation.json` in the folder.
        said: is told what takes a while.

    Returns:
        The file.

    Raises:
        ModelError: there is no such folder, it is damaged, or its figures do not come out again.
        DatasetError: the data set does not fit the model.
    """
    folder = model_folder(name)
    card = load_card(folder)
    dataset = prepared_for(card, dataset)
    calibration = Calibration(card.temperature, card.uncertain_below)
    with opened(folder, card, runtime) as (used, run):
        said(f"Scoring every image with {used} ...")
        evaluation, _ = evaluate_splits(dataset, run, calibration)
        _check(evaluation, card)
        add_corruptions(evaluation, dataset, run, said)
        if tta != "off":
            said(f"Scoring several views of each image ({tta}) ...")
            add_views(evaluation, dataset, run, calibration, tta)
    file = out or folder / EVALUATION_FILE
    try:
        write_text(file, evaluation_text({"network": cost_of(card), **evaluation}))
        if out is None:
            write_readme(folder)
    except OSError as error:
        raise ModelError(
            f"{file} cannot be written: {error}. Make room, or give --out another file."
        ) from None
    return file


def _check(evaluation: dict[str, Any], card: ModelCard) -> None:
    """Refuse figures that are not those of the card."""
    for split, before in card.figures.items():
        if split not in evaluation:
            raise ModelError(
                f"The card of {card.name} has figures of {split}, which this data set lacks. "
                "Nothing was written. Give --data the whole data set."
            )
        now = evaluation[split]
        same_images = now["images"] == before.get("images", now["images"])
        apart = abs(now["accuracy"] - before["accuracy"])
        if not same_images or apart > TOLERANCE:
            raise ModelError(
                f"{split} does not come out as on the card of {card.name}: "
                f"{_said(now)} here, {_said(before)} there. Nothing was written. "
                "Is it the data set, with the same labels, that the model was scored on?"
            )


def _said(figures: dict[str, Any]) -> str:
    images = figures.get("images")
    of = "" if images is None else f" of {images:,} images"
    return f"{100 * figures['accuracy']:.2f} %{of}"
