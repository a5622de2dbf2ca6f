"""From a data set to a finished model folder: train, save, export, evaluate, describe."""

from __future__ import annotations

import json
from pathlib import Path

from train.checkpoint import Checkpoint, write_text
from train.data import Dataset
from train.data.prepare import prepare
from train.fit import fit
from train.options import TrainOptions
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
        resume: go on with the unfinished run there.
        until: see `train.fit.fit`.

    Raises:
        TrainingError: see `train.fit.fit`.
    """
    dataset = prepare(dataset, options)
    out.mkdir(parents=True, exist_ok=True)
    write_text(out / "options.json", json.dumps(options.to_dict(), indent=2) + "\n")
    model, history = fit(
        dataset, options, out, resume=resume, progress=progress_for_terminal(), until=until
    )
    from train.ship import ship

    sentence = ship(model, history, dataset, options, out)
    Checkpoint(out).discard()
    return sentence
