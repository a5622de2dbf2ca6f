"""From a data set to a finished model folder: train, save, export, evaluate, describe."""

from __future__ import annotations

import json
from pathlib import Path

from fer_core.errors import TrainingError
from fer_core.model_store import CARD_FILE
from train.checkpoint import Checkpoint, is_write_failure, one_line, write_text
from train.data import Dataset
from train.data.prepare import prepare
from train.fit import fit
from train.options import TrainOptions
from train.precision import with_precision
from train.progress import progress_for_terminal


def train_and_ship(
    dataset: Dataset,
    options: TrainOptions,
    out: Path,
    *,
    resume: bool = False,
    until: float | None = None,
) -> str:
    """Train into the model folder `out`; returns a sentence with the figures.

    Args:
        dataset: as it was read.
        options: of the run.
        out: the model folder.
        resume: go on with the unfinished run there; one without a whole epoch begins again.
        until: see `train.fit.fit`.

    Raises:
        TrainingError: see `train.fit.fit`; or `out` holds a finished model.
    """
    shown = progress_for_terminal()
    if resume and _has_no_whole_epoch(out):
        shown.message(f"The run in {out} has no whole epoch yet and begins again.")
        resume = False
    if not resume:
        _refuse_what_is_there(out)
    # What is written down is what was done, also where another machine would do otherwise.
    options = with_precision(options)
    dataset = prepare(dataset, options)
    try:
        out.mkdir(parents=True, exist_ok=True)
        # Those of an unfinished run stay until it is known that these are the same.
        if not resume:
            write_text(out / "options.json", json.dumps(options.to_dict(), indent=2) + "\n")
        model, history = fit(dataset, options, out, resume=resume, progress=shown, until=until)
        from train.ship import ship

        sentence = ship(model, history, dataset, options, out, shown.message)
    except (OSError, RuntimeError) as error:
        # What an epoch leaves is written by `train.checkpoint`, which says the same of it.
        if not is_write_failure(error):
            raise
        after = "go on with --resume" if Checkpoint(out).exists else "start again"
        raise TrainingError(
            f"{out} cannot be written: {one_line(error)}. Make room and {after}."
        ) from None
    Checkpoint(out).discard()
    return sentence


def _has_no_whole_epoch(out: Path) -> bool:
    """Whether a run began there and was killed before it left anything to go on with."""
    begun, finished = (out / "options.json").is_file(), (out / CARD_FILE).is_file()
    return begun and not finished and not Checkpoint(out).exists


def _refuse_what_is_there(out: Path) -> None:
    """Nothing is trained over, be it half done or finished."""
    Checkpoint(out).refuse_unfinished()
    if (out / CARD_FILE).is_file():
        raise TrainingError(
            f"{out} holds a finished model. Train into another folder, or remove that one first."
        )
