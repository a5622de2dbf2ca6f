"""The moving average of the weights beside the weights themselves: scored both, the better kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from train.checkpoint import copies_of_weights
from train.recipe import RecipeOptions

Score = Callable[[], tuple[float, float]]


class PlainWeights(keras.callbacks.Callback):  # type: ignore[misc] # keras ships no types
    """Holds the weights as the last step of an epoch left them.

    Keras writes the averages over the weights when `fit` ends, which here is after every epoch;
    training must go on from the weights.
    """

    def __init__(self, options: RecipeOptions) -> None:
        super().__init__()
        self._active = options.averaging > 0
        self._kept: list[Any] = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Keep the weights."""
        if self._active:
            self._kept = copies_of_weights(self.model)

    def better(self, model: keras.Model, score: Score) -> tuple[float, float, list[Any] | None]:
        """Score both and put the plain weights back.

        Args:
            model: after `fit`.
            score: loss and accuracy of `model` as it stands.

        Returns:
            Loss and accuracy of the better, and the averaged weights where they are that.
        """
        if not self._active:
            return *score(), None
        # Under JAX the network shares these with the optimiser now, and `predict` gives away the
        # memory of the network's.
        averaged = copies_of_weights(model)
        model.set_weights(averaged)
        averaged_loss, averaged_accuracy = score()
        model.set_weights(self._kept)
        loss, accuracy = score()
        if averaged_accuracy > accuracy:
            return averaged_loss, averaged_accuracy, averaged
        return loss, accuracy, None
