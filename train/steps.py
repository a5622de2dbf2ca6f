"""What happens around each training step: the rate, the check of the loss, the report."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from fer_core.errors import TrainingError
from train.network import main_logs
from train.options import TrainOptions
from train.progress import Progress
from train.rates import FLOOR, WARM_START, rate_at

_SELDOM = 25


class NotANumberError(TrainingError):
    """The loss is no number any more. Its sentence says where."""


@keras.saving.register_keras_serializable("fer_live")
class RunRate(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """`train.rates.rate_at` as a schedule, computed inside the step.

    JAX keeps the state of a model away from it while an epoch runs; to set the rate from outside
    would bring all of it back before every step.
    """

    def __init__(
        self,
        highest: float,
        epochs: int,
        warmup_epochs: float,
        cosine: bool,
        steps: int,
        scale: float = 1.0,
        first_step: int = 0,
    ) -> None:
        self.highest = highest
        self.epochs = epochs
        self.warmup_epochs = warmup_epochs
        self.cosine = cosine
        self.steps = steps
        self.scale = scale
        self.first_step = first_step

    def __call__(self, step: Any) -> Any:
        """The rate of a step, from 0."""
        done = (ops.cast(step, "float32") + self.first_step) / self.steps
        share = ops.ones_like(done)
        if self.cosine:
            span = max(self.epochs - self.warmup_epochs, 1e-9)
            part = ops.clip((done - self.warmup_epochs) / span, 0.0, 1.0)
            share = FLOOR + (1 - FLOOR) * 0.5 * (1 + ops.cos(math.pi * part))
        if self.warmup_epochs:
            rising = WARM_START + (1 - WARM_START) * done / self.warmup_epochs
            share = ops.where(done < self.warmup_epochs, rising, share)
        return self.highest * share * self.scale

    def get_config(self) -> dict[str, Any]:
        """What it is made anew from."""
        return dict(vars(self))


def hand_over_rate(
    model: keras.Model, options: TrainOptions, steps: int, epoch: int, scale: float
) -> bool:
    """Let the optimiser of `model` find its rate itself from here on, where that is quicker.

    Args:
        model: compiled.
        options: of the run.
        steps: of an epoch.
        epoch: that begins, from 1.
        scale: product of the reductions so far; when it changes, the step is compiled anew.

    Returns:
        Whether it does; if not, the rate has to be set before every step.
    """
    if keras.backend.backend() != "jax":
        return False
    optimiser = model.optimizer
    # A new optimiser, after the trunk was freed, counts its steps from 0 again.
    first = (epoch - 1) * steps - int(ops.convert_to_numpy(optimiser.iterations))
    known = optimiser._learning_rate
    if isinstance(known, RunRate) and (known.scale, known.first_step) == (scale, first):
        return True
    rate = RunRate(
        options.learning_rate,
        options.epochs,
        options.warmup_epochs,
        options.schedule == "cosine",
        steps,
        scale,
        first,
    )
    optimiser.learning_rate = rate
    # Made anew by `fit`, with the new rate in it.
    model.train_function = None
    return True


class Steps(keras.callbacks.Callback):  # type: ignore[misc] # keras ships no types
    """Sets the rate of each step, reports it, and stops when the loss is no number."""

    def __init__(
        self,
        options: TrainOptions,
        epoch: int,
        steps: int,
        scale: float,
        shown: Progress,
        *,
        sets_rate: bool = True,
        every: int = 1,
    ) -> None:
        """For one epoch.

        Args:
            options: of the run.
            epoch: from 1.
            steps: of an epoch.
            scale: product of the reductions of the rate so far.
            shown: is told of every step looked at.
            sets_rate: False where the optimiser finds it itself.
            every: a look at the loss waits for the device; on a fast one only every so many steps
                are looked at. A loss that is no number stays so, hence none is missed.
        """
        super().__init__()
        self._options = options
        self._epoch = epoch
        self._steps = steps
        self._scale = scale
        self._shown = shown
        self._sets_rate = sets_rate
        self._every = every

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Set the rate."""
        if self._sets_rate:
            done = self._epoch - 1 + batch / self._steps
            self.model.optimizer.learning_rate = rate_at(self._options, done, self._scale)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Look at the loss."""
        done = batch + 1
        if done % self._every and done != self._steps:
            return
        loss = float((logs or {}).get("loss", 0.0))
        check_loss(loss, self._epoch, done, self._steps, every=self._every)
        self._shown.step(self._epoch, done, main_logs(logs or {}))


def check_loss(loss: float, epoch: int, step: int, steps: int, *, every: int) -> None:
    """Raise where the loss is no number any more.

    Args:
        loss: after `step`.
        epoch, step: from 1.
        steps: of an epoch.
        every: so many steps lie between two looks.

    Raises:
        NotANumberError: it is not.
    """
    if math.isfinite(loss):
        return
    near = "" if every == 1 else f" or up to {every - 1} steps before"
    raise NotANumberError(
        f"The loss is no longer a number at epoch {epoch}, step {step} of {steps}{near}."
    )


def looks_every(fast: bool) -> int:
    """How often `Steps` looks at the loss: at every step, or on a fast device now and then."""
    return _SELDOM if fast else 1
