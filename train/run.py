"""From a data set to a finished model folder: train, save, export, evaluate, describe."""

from __future__ import annotations

import json
from pathlib import Path

from train.checkpoint import Checkpoint, write_text
from train.data import Dataset
from train.fit import fit
from train.options import TrainOptions
from train.progress import progress_for_terminal


def train_and_ship(
    dataset: Dataset, options: TrainOptions, out: Path, *, resume: bool = False
) -> str:
    """Train into the model folder `out`; returns a sentence with the figures.

    Raises:
        TrainingError: see `train.fit.fit`.
    """
    out.mkdir(parents=True, exist_ok=True)
    write_text(out / "options.json", json.dumps(options.to_dict(), indent=2) + "\n")
    model, history = fit(dataset, options, out, resume=resume, progress=progress_for_terminal())
    from train.ship import ship

    sentence = ship(model, history, dataset, options, out)
    Checkpoint(out).discard()
    return sentence
