"""One epoch of a run: trained, scored on PublicTest, the averaged weights beside the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from train.averaging import PlainWeights
from train.data import Split
from train.device_batches import DeviceBatches
from train.feed import Feed
from train.keras_input import keras_input
from train.network import main_logs, output_names
from train.options import TrainOptions
from train.predicting import predict
from train.progress import Progress
from train.rates import rate_at
from train.scanned import Scanned, can_scan
from train.steps import Steps, check_loss, hand_over_rate, looks_every


@dataclass(frozen=True)
class Epoch:
    """What an epoch came to.

    Attributes:
        logs: what Keras reports of it, of the output that counts.
        loss, accuracy: on PublicTest, of the better of both kinds of weights.
        averaged: makes all weights with the averages among them, where those are the better; else
            None.
    """

    logs: dict[str, float]
    loss: float
    accuracy: float
    averaged: Callable[[], list[Any]] | None


class Epochs:
    """The epochs of a compiled network; compiled anew, it needs another of these.

    Args:
        model: compiled.
        feed: of the run.
        validation: the rows of PublicTest, images of the network's size.
        options: of the run.
        shown: is told of the steps.
    """

    def __init__(
        self,
        model: keras.Model,
        feed: Feed,
        validation: Split,
        options: TrainOptions,
        shown: Progress,
    ) -> None:
        self._model = model
        self._feed = feed
        self._validation = validation
        self._options = options
        self._shown = shown
        # On a processor XLA runs convolutions within a loop tens of times slower than without.
        scans = feed.fast and feed.on_device and can_scan(model, options)
        self._scanned = Scanned(model, validation) if scans else None

    def run(self, epoch: int, scale: float) -> Epoch:
        """Train and score one epoch.

        Args:
            epoch: from 1.
            scale: product of the reductions of the rate so far.

        Raises:
            TrainingError: the loss is no number any more.
        """
        batches = self._feed.batches(epoch, output_names(self._model))
        if self._scanned is not None and isinstance(batches, DeviceBatches):
            return self._in_chunks(self._scanned, batches, epoch, scale)
        steps = len(batches)
        sets_rate = not hand_over_rate(self._model, self._options, steps, epoch, scale)
        every = looks_every(self._feed.fast)
        look = Steps(
            self._options, epoch, steps, scale, self._shown, sets_rate=sets_rate, every=every
        )
        plain = PlainWeights(self._options)
        made = self._model.fit(
            keras_input(batches), epochs=1, shuffle=False, verbose=0, callbacks=[look, plain]
        ).history
        logs = main_logs({name: values[0] for name, values in made.items()})
        loss, accuracy, averaged = plain.better(
            self._model, lambda: score(self._model, self._validation)
        )
        kept = averaged
        return Epoch(logs, loss, accuracy, None if kept is None else lambda: kept)

    def _in_chunks(
        self, scanned: Scanned, batches: DeviceBatches, epoch: int, scale: float
    ) -> Epoch:
        steps = len(batches)
        before = 0

        def rate(step: int) -> float:
            return rate_at(self._options, epoch - 1 + step / steps, scale)

        def seen(done: int, logs: dict[str, float]) -> None:
            nonlocal before
            check_loss(logs.get("loss", 0.0), epoch, done, steps, every=done - before)
            before = done
            self._shown.step(epoch, done, main_logs(logs))

        logs = main_logs(scanned.train(batches, rate, seen))
        loss, accuracy = scanned.score()
        averages = scanned.averaged()
        if averages is not None:
            averaged_loss, averaged_accuracy = scanned.score(averages)
            if averaged_accuracy > accuracy:
                return Epoch(
                    logs,
                    averaged_loss,
                    averaged_accuracy,
                    lambda: scanned.weights_with(averages),
                )
        return Epoch(logs, loss, accuracy, None)


def score(model: keras.Model, split: Split) -> tuple[float, float]:
    """Cross-entropy and accuracy of `model` on a split."""
    probabilities = predict(model, split.images)
    own = probabilities[np.arange(len(split)), split.labels]
    loss = float(-np.log(np.maximum(own, 1e-9)).mean())
    return loss, float((probabilities.argmax(axis=1) == split.labels).mean())
