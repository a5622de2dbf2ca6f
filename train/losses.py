"""The loss of a run that has teachers, and the figures that then still look at the labels alone.

With a temperature of 1 a teacher needs neither: the cross-entropy is linear in its target, so the
teacher's probabilities are simply mixed into it. Otherwise a target is two rows in one: first what
the labels ask for, then the teachers' softened probabilities.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from train.metrics import with_temperature
from train.recipe import RecipeOptions


def joined(labels: Any, teachers: Any, options: RecipeOptions) -> Any:
    """Targets of a run with teachers: (N, C), or (N, 2 C) with a temperature other than 1.

    Args:
        labels: what the labels ask for, float32 (N, C), an array or a tensor.
        teachers: probabilities, likewise.
        options: of the run.

    Returns:
        float32, a tensor where both are and the temperature is 1, else an array.
    """
    if not in_two_parts(options):
        share = options.distillation
        return (1 - share) * labels + share * teachers
    plain = ops.convert_to_numpy
    softened = with_temperature(plain(teachers), options.distillation_temperature)
    return np.concatenate([plain(labels), softened.astype(np.float32)], axis=1)


def in_two_parts(options: RecipeOptions) -> bool:
    """Whether the targets of a run are (N, 2 C)."""
    return options.distillation > 0 and options.distillation_temperature != 1


def loss_of(options: RecipeOptions) -> keras.losses.Loss:
    """The loss that fits the targets of a run."""
    if in_two_parts(options):
        return Distillation(options.distillation, options.distillation_temperature)
    return keras.losses.CategoricalCrossentropy()


def metrics_of(options: RecipeOptions) -> list[keras.metrics.Metric]:
    """`accuracy` and `cross_entropy`, that fit the targets of a run."""
    if in_two_parts(options):
        return [
            keras.metrics.MeanMetricWrapper(label_accuracy, name="accuracy"),
            keras.metrics.MeanMetricWrapper(label_cross_entropy, name="cross_entropy"),
        ]
    return [
        keras.metrics.CategoricalAccuracy(name="accuracy"),
        keras.metrics.CategoricalCrossentropy(name="cross_entropy"),
    ]


@keras.saving.register_keras_serializable("fer_live")
class Distillation(keras.losses.Loss):  # type: ignore[misc] # keras ships no types
    """Cross-entropy with the labels, and with the teachers at a temperature (Hinton et al., 2015).

    The second part is multiplied by the temperature squared, which keeps its gradients as large as
    those of the first.
    """

    def __init__(
        self,
        share: float,
        temperature: float,
        name: str = "distillation",
        reduction: str = "sum_over_batch_size",
        **options: Any,
    ) -> None:
        super().__init__(name=name, reduction=reduction, **options)
        self.share = share
        self.temperature = temperature

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Loss of each row, (N,), from (N, 2 C) targets and (N, C) probabilities."""
        count = y_pred.shape[-1]
        logs = ops.log(ops.clip(y_pred, 1e-7, 1.0))
        own = -ops.sum(y_true[..., :count] * logs, axis=-1)
        softened = ops.log_softmax(logs / self.temperature, axis=-1)
        theirs = -ops.sum(y_true[..., count:] * softened, axis=-1)
        return (1 - self.share) * own + self.share * self.temperature**2 * theirs

    def get_config(self) -> dict[str, Any]:
        """What it is made anew from."""
        return {**super().get_config(), "share": self.share, "temperature": self.temperature}


@keras.saving.register_keras_serializable("fer_live")  # type: ignore[untyped-decorator]
def label_accuracy(y_true: Any, y_pred: Any) -> Any:
    """Whether the best class of each row is that of its labels' part."""
    return keras.metrics.categorical_accuracy(y_true[..., : y_pred.shape[-1]], y_pred)


@keras.saving.register_keras_serializable("fer_live")  # type: ignore[untyped-decorator]
def label_cross_entropy(y_true: Any, y_pred: Any) -> Any:
    """Cross-entropy of each row with its labels' part."""
    return keras.losses.categorical_crossentropy(y_true[..., : y_pred.shape[-1]], y_pred)
