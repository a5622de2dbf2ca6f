"""The training loop: epochs, rate, best weights, early stop, resume."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np

from fer_core.errors import TrainingError
from train.batches import resized
from train.checkpoint import Checkpoint, History
from train.data import Dataset
from train.data.prepare import prepare, training_rows
from train.devices import use_devices
from train.epochs import Epoch, Epochs
from train.feed import Feed
from train.network import compile_for_training, for_use, network_for_training
from train.options import TrainOptions
from train.precision import slow_precision, with_precision
from train.pretrained import unfreeze_trunk
from train.progress import Progress
from train.rates import rate_at
from train.scenes import with_scenes
from train.seen import SEEN_FILE
from train.sharpness import make_sharpness_aware
from train.steps import NotANumberError


class OutOfTimeError(TrainingError):
    """The time given to a run is up; its checkpoint is whole."""


def fit(
    dataset: Dataset,
    options: TrainOptions,
    run: Path,
    *,
    resume: bool = False,
    progress: Progress | None = None,
    until: float | None = None,
) -> tuple[keras.Model, History]:
    """Train a network and return it with the weights of its best epoch on PublicTest.

    Args:
        dataset: with the splits Training and PublicTest; PrivateTest is not looked at.
        options: of the run.
        run: folder for `history.csv` and the checkpoint.
        resume: go on with the unfinished run in `run`.
        progress: is told of every step and epoch.
        until: on the clock of `time.monotonic`; no epoch begins that would not end by then.

    Returns:
        The network, in float32 and without training-only parts, and the history.

    Raises:
        TrainingError: the loss is no number any more, the disk is full, there is an unfinished
            run in `run` and `resume` is false (or the other way round), or ImageNet weights cannot
            be downloaded.
        OutOfTimeError: `until` has come; the run can be resumed.
        OptionError: the options do not fit the architecture or the backend, or there is no such
            weights file.
        DetectorError: what the detector of the option `scenes` needs is missing.
    """
    shown = progress or Progress()
    options = with_precision(options)
    if slow := slow_precision(options):
        shown.message(slow)
    checkpoint = Checkpoint(run)
    if not resume:
        checkpoint.refuse_unfinished()
    dataset = prepare(dataset, options)
    training = training_rows(dataset, options, drop_not_a_face=options.drop_not_a_face)
    validation = dataset.split("PublicTest")
    # Measured on the training split alone: nothing of the test splits enters the network.
    mean, deviation = float(training.images.mean()), float(training.images.std())
    training = with_scenes(training, options, shown.message)
    use_devices(options.devices, options.batch_size)
    keras.utils.set_random_seed(options.seed)
    if resume:
        resumed = checkpoint.resume(options)
        model, history = resumed.model, resumed.history
    else:
        model, history = network_for_training(options, mean, deviation), []
    make_sharpness_aware(model, options.sharpness)
    fitting = replace(training, images=resized(training.images, model.input_shape[1]))
    validation = replace(validation, images=resized(validation.images, model.input_shape[1]))
    feed = Feed(fitting, options, checkpoint.folder, training)
    if not resume:
        feed.write_seen(run / SEEN_FILE)
    epochs = Epochs(model, feed, validation, options, shown)
    shown.start(options.epochs, math.ceil(len(training) / options.batch_size), history)
    try:
        for epoch in range(len(history) + 1, options.epochs + 1):
            if _stalled(history, options):
                shown.message(f"No better PublicTest accuracy for {options.early_stopping} epochs.")
                break
            if 0 < options.frozen_epochs < epoch and unfreeze_trunk(model):
                compile_for_training(model, options)
                epochs = Epochs(model, feed, validation, options, shown)
                shown.message(f"The trunk trains too from epoch {epoch} on.")
            try:
                row, done = _epoch(epochs, model, options, history, epoch)
            except NotANumberError as error:
                raise TrainingError(f"{error} {_after_no_number(checkpoint)}") from None
            best = all(row["val_accuracy"] > earlier["val_accuracy"] for earlier in history)
            history.append(row)
            more = epoch < options.epochs
            late = more and until is not None and time.monotonic() + row["seconds"] > until
            last = late or not more
            averaged = done.averaged() if best and done.averaged else None
            checkpoint.save(model, history, options, best, averaged, last=last)
            shown.epoch(row, best)
            if late:
                raise OutOfTimeError(
                    f"The time is up after epoch {epoch} of {options.epochs}. Go on with --resume."
                )
    finally:
        shown.stop()
    checkpoint.finish(model, history)
    return for_use(model, options, mean, deviation), history


def _epoch(
    epochs: Epochs, model: keras.Model, options: TrainOptions, history: History, epoch: int
) -> tuple[dict[str, float], Epoch]:
    """The row of the history, and what else is known of the epoch."""
    began = time.monotonic()
    _seed_dropout(model, options.seed, epoch)
    scale = plateau_scale([row["val_accuracy"] for row in history], options)
    if 0 < options.frozen_epochs < epoch:
        scale *= options.unfrozen_rate
    done = epochs.run(epoch, scale)
    # The last step may have broken the weights after its own loss was found.
    if not math.isfinite(done.loss):
        raise NotANumberError(f"The loss is no longer a number at the end of epoch {epoch}.")
    row = {
        "epoch": epoch,
        "seconds": time.monotonic() - began,
        "learning_rate": rate_at(options, epoch, scale),
        "loss": float(done.logs["cross_entropy"]),
        "accuracy": float(done.logs["accuracy"]),
        "val_loss": done.loss,
        "val_accuracy": done.accuracy,
    }
    return row, done


def _after_no_number(checkpoint: Checkpoint) -> str:
    kept = f"The checkpoint of epoch {checkpoint.epoch} is kept. " if checkpoint.exists else ""
    return f"{kept}Train anew with a lower --learning-rate."


def plateau_scale(accuracies: Sequence[float], options: TrainOptions) -> float:
    """Product of all reductions of the rate after the epochs with these PublicTest accuracies."""
    scale, best, waited = 1.0, -math.inf, 0
    for accuracy in accuracies:
        if accuracy > best:
            best, waited = accuracy, 0
        else:
            waited += 1
        if options.plateau_patience and waited >= options.plateau_patience:
            scale, waited = scale * options.plateau_factor, 0
    return scale


def _stalled(history: History, options: TrainOptions) -> bool:
    if not options.early_stopping or not history:
        return False
    accuracies = [row["val_accuracy"] for row in history]
    return len(accuracies) - 1 - int(np.argmax(accuracies)) >= options.early_stopping


def _seed_dropout(model: keras.Model, seed: int, epoch: int) -> None:
    """Start every random layer anew, so that an epoch is the same after a resume."""
    for number, layer in enumerate(model.layers):
        generator = getattr(layer, "seed_generator", None)
        if generator is not None:
            state = np.array([seed * 100_003 + epoch, number], dtype=np.uint32)
            generator.state.assign(state)
