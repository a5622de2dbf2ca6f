"""The training loop: epochs, rate, best weights, early stop, resume."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from fer_core.errors import OptionError, TrainingError
from train.architectures import ArchitectureOptions, architecture
from train.batches import EpochBatches, soft_targets
from train.checkpoint import Checkpoint, History
from train.data import Dataset, Split
from train.options import TrainOptions
from train.progress import Progress
from train.rates import rate_at


def fit(
    dataset: Dataset,
    options: TrainOptions,
    run: Path,
    *,
    resume: bool = False,
    progress: Progress | None = None,
) -> tuple[keras.Model, History]:
    """Train a network and return it with the weights of its best epoch on PublicTest.

    Args:
        dataset: with the splits Training and PublicTest; PrivateTest is not looked at.
        options: of the run.
        run: folder for `history.csv` and the checkpoint.
        resume: go on with the unfinished run in `run`.
        progress: is told of every step and epoch.

    Returns:
        The network, in float32 and without training-only parts, and the history.

    Raises:
        TrainingError: the loss is no number any more, the disk is full, or there is an unfinished
            run in `run` and `resume` is false (or the other way round).
    """
    shown = progress or Progress()
    checkpoint = Checkpoint(run)
    if checkpoint.exists and not resume:
        raise TrainingError(
            f"{run} holds an unfinished run. Go on with --resume, or remove {run / 'checkpoint'}."
        )
    training = dataset.split("Training")
    if options.drop_not_a_face:
        training = training.take(~training.not_a_face())
    validation = dataset.split("PublicTest")
    # Measured on the training split alone: nothing of the test splits enters the network.
    mean, deviation = float(training.images.mean()), float(training.images.std())
    keras.utils.set_random_seed(options.seed)
    if resume:
        resumed = checkpoint.resume(options)
        model, history = resumed.model, resumed.history
    else:
        model, history = _compiled(options, mean, deviation), []
    targets = soft_targets(training, options)
    shown.start(options.epochs, math.ceil(len(training) / options.batch_size), history)
    try:
        for epoch in range(len(history) + 1, options.epochs + 1):
            if _stalled(history, options):
                shown.message(f"No better PublicTest accuracy for {options.early_stopping} epochs.")
                break
            row = _epoch(model, training, targets, validation, options, history, epoch, shown)
            best = all(row["val_accuracy"] > earlier["val_accuracy"] for earlier in history)
            history.append(row)
            checkpoint.save(model, history, options, best)
            shown.epoch(row, best)
    finally:
        shown.stop()
    checkpoint.load_best(model)
    return for_use(model, options, mean, deviation), history


def for_use(
    model: keras.Model, options: TrainOptions, mean: float, deviation: float
) -> keras.Model:
    """The same network in float32, without regularisers, with the weights of `model`."""
    built = _build(options, mean, deviation, weight_decay=0.0, policy="float32")
    built.set_weights(model.get_weights())
    return built


def architecture_options(
    options: TrainOptions, mean: float, deviation: float, weight_decay: float | None = None
) -> ArchitectureOptions:
    """What the network of a run is built with."""
    decay = options.weight_decay if weight_decay is None else weight_decay
    return ArchitectureOptions(
        input_size=architecture(options.architecture).default_input_size,
        dropout=options.dropout,
        weight_decay=decay,
        mean=mean,
        deviation=deviation,
    )


def _build(
    options: TrainOptions, mean: float, deviation: float, weight_decay: float, policy: str
) -> keras.Model:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        built = architecture_options(options, mean, deviation, weight_decay)
        return architecture(options.architecture).build(built)
    finally:
        keras.config.set_dtype_policy(before)


def _compiled(options: TrainOptions, mean: float, deviation: float) -> keras.Model:
    policy = "mixed_bfloat16" if options.precision == "bfloat16" else "float32"
    model = _build(options, mean, deviation, options.weight_decay, policy)
    model.compile(
        optimizer=_optimiser(options),
        loss=keras.losses.CategoricalCrossentropy(),
        metrics=[
            keras.metrics.CategoricalAccuracy(name="accuracy"),
            keras.metrics.CategoricalCrossentropy(name="cross_entropy"),
        ],
        # Measured on two cores: XLA trains convolutions at a third of the speed there.
        jit_compile="auto" if keras.backend.backend() == "jax" else False,
    )
    return model


def _optimiser(options: TrainOptions) -> keras.optimizers.Optimizer:
    rate = options.learning_rate
    if options.optimiser == "sgd":
        return keras.optimizers.SGD(rate, momentum=0.9, nesterov=True)
    if options.optimiser == "adam":
        return keras.optimizers.Adam(rate)
    if options.optimiser == "adamw":
        return keras.optimizers.AdamW(rate)
    if options.optimiser == "nadam":
        return keras.optimizers.Nadam(rate)
    raise OptionError(f"Unknown optimiser. Received: {options.optimiser!r}.")


def _epoch(
    model: keras.Model,
    training: Split,
    targets: npt.NDArray[np.float32],
    validation: Split,
    options: TrainOptions,
    history: History,
    epoch: int,
    shown: Progress,
) -> dict[str, float]:
    began = time.monotonic()
    _seed_dropout(model, options.seed, epoch)
    batches = EpochBatches(training.images, targets, options, epoch, workers=1, max_queue_size=8)
    scale = plateau_scale([row["val_accuracy"] for row in history], options)
    steps = _Steps(options, epoch, len(batches), scale, shown)
    logs = model.fit(batches, epochs=1, shuffle=False, verbose=0, callbacks=[steps]).history
    loss, accuracy = score(model, validation)
    return {
        "epoch": epoch,
        "seconds": time.monotonic() - began,
        "learning_rate": rate_at(options, epoch, scale),
        "loss": float(logs["cross_entropy"][0]),
        "accuracy": float(logs["accuracy"][0]),
        "val_loss": loss,
        "val_accuracy": accuracy,
    }


def score(model: keras.Model, split: Split) -> tuple[float, float]:
    """Cross-entropy and accuracy of `model` on a split."""
    probabilities = predict(model, split.images)
    own = probabilities[np.arange(len(split)), split.labels]
    loss = float(-np.log(np.maximum(own, 1e-9)).mean())
    return loss, float((probabilities.argmax(axis=1) == split.labels).mean())


def predict(
    model: keras.Model, images: npt.NDArray[np.uint8], batch_size: int = 256
) -> npt.NDArray[np.float32]:
    """Probabilities, float32 (N, 7), of grey crops, uint8 (N, size, size)."""
    crops = images[..., None].astype(np.float32)
    found = model.predict(crops, batch_size=batch_size, verbose=0)
    return np.asarray(found, dtype=np.float32)


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


class _Steps(keras.callbacks.Callback):  # type: ignore[misc] # keras ships no types
    """Sets the rate of each step, reports it, and stops at once when the loss is no number."""

    def __init__(
        self, options: TrainOptions, epoch: int, steps: int, scale: float, shown: Progress
    ) -> None:
        super().__init__()
        self._options = options
        self._epoch = epoch
        self._steps = steps
        self._scale = scale
        self._shown = shown

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        done = self._epoch - 1 + batch / self._steps
        self.model.optimizer.learning_rate = rate_at(self._options, done, self._scale)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        loss = float((logs or {}).get("loss", 0.0))
        if not math.isfinite(loss):
            raise TrainingError(
                f"The loss is no longer a number at epoch {self._epoch}, step {batch + 1} of "
                f"{self._steps}. The checkpoint of epoch {self._epoch - 1} is kept. "
                "Train anew with a lower --learning-rate."
            )
        self._shown.step(self._epoch, batch + 1, logs or {})
