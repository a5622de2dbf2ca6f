"""Whole pieces of an epoch as one call, under JAX, so that a GPU never waits for Python.

`keras.Model.fit` calls the device once a step and, with a callback that looks at the steps, waits
for each. Here a compiled loop takes all steps of a chunk, and the host makes the next chunk
meanwhile. The step inside is Keras's own.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from train.data import Split
from train.device_batches import DeviceBatches
from train.options import TrainOptions
from train.predicting import main_output, values

_SCORED = 1024
"""Crops scored at once."""

Logs = dict[str, float]


def can_scan(model: keras.Model, options: TrainOptions) -> bool:
    """Whether a compiled network can be trained so: under JAX, on one device."""
    if keras.backend.backend() != "jax" or options.devices != "one":
        return False
    # A run that an earlier version began has the rate inside its optimiser.
    return isinstance(model.optimizer._learning_rate, keras.Variable)


class Scanned:
    """The epochs of one compiled network.

    Args:
        model: compiled; compiled anew, it needs another of these.
        validation: the split that is scored, images of the network's size.
    """

    def __init__(self, model: keras.Model, validation: Split) -> None:
        import jax

        self._model = model
        rate = model.optimizer._learning_rate
        places = [id(variable) for variable in model.optimizer.variables]
        self._rate_at = places.index(id(rate))
        # Of a loop whose length is known when it is compiled the device need not ask, step by step,
        # whether it goes on; the few last steps of an epoch may be a second length.
        self._steps = jax.jit(self._run, donate_argnums=0, static_argnums=3)
        self._scored = jax.jit(self._score)
        self._crops, self._labels = _in_pieces(validation)
        self._count = len(validation)
        self._ready = False

    def train(
        self,
        batches: DeviceBatches,
        rate: Callable[[int], float],
        seen: Callable[[int, Logs], None],
    ) -> Logs:
        """One epoch.

        Args:
            batches: of it.
            rate: of each step, from 0.
            seen: is told how many steps are done and what Keras reports of them so far, a chunk
                late, so that the device always has work.

        Returns:
            What Keras reports of the epoch.
        """
        model = self._model
        model.reset_metrics()
        state: Any = None
        told: tuple[int, Any] | None = None
        for chunk in batches.chunks():
            data = batches.parts(chunk.crops, chunk.targets, chunk.weights)
            if not self._ready:
                # Keras makes its metrics when it meets the first batch.
                first = keras.tree.map_structure(lambda part: part[0], data)
                model._symbolic_build(data_batch=first)
                self._ready = True
            if state is None:
                state = tuple(values(group) for group in self._groups())
            places = [chunk.first + place for place in range(len(chunk.crops))]
            rates = np.array([rate(place) for place in places], np.float32)
            logs, state = self._steps(state, data, rates, chunk.count)
            if told is not None:
                seen(told[0], _numbers(told[1]))
            told = (chunk.first + chunk.count, logs)
        for group, held in zip(self._groups(), state, strict=True):
            for variable, value in zip(group, held, strict=True):
                variable.assign(value)
        last = _numbers(told[1]) if told else {}
        seen(len(batches), last)
        return last

    def score(self, weights: list[Any] | None = None) -> tuple[float, float]:
        """Cross-entropy and accuracy on the validation split.

        Args:
            weights: in place of the trained ones of the network; None for those.
        """
        trained = values(self._model.trainable_variables) if weights is None else weights
        fixed = values(self._model.non_trainable_variables)
        loss, right = self._scored(trained, fixed, self._crops, self._labels)
        return float(loss) / self._count, float(right) / self._count

    def averaged(self) -> list[Any] | None:
        """The moving averages of the trained weights, or None where there are none."""
        optimiser = self._model.optimizer
        return values(optimiser._model_variables_moving_average) if optimiser.use_ema else None

    def weights_with(self, trained: list[Any]) -> list[Any]:
        """All weights of the network, as arrays, with these in place of the trained ones."""
        own = {
            id(variable): value
            for variable, value in zip(self._model.trainable_variables, trained, strict=True)
        }
        return [np.array(own.get(id(weight), weight.value)) for weight in self._model.weights]

    def _groups(self) -> tuple[list[Any], ...]:
        model = self._model
        return (
            model.trainable_variables,
            model.non_trainable_variables,
            model.optimizer.variables,
            model.metrics_variables,
        )

    def _run(self, state: Any, data: Any, rates: Any, count: int) -> tuple[Any, Any]:
        import jax
        from jax import numpy as jnp

        def step(state: Any, place: Any) -> tuple[Any, Any]:
            trained, fixed, optimiser, metrics = state
            optimiser = list(optimiser)
            optimiser[self._rate_at] = rates[place]
            batch = jax.tree.map(lambda part: part[place], data)
            logs, state = self._model.train_step((trained, fixed, optimiser, metrics), batch)
            return logs, tuple(list(group) for group in state)

        def body(place: Any, carried: tuple[Any, Any]) -> tuple[Any, Any]:
            return step(carried[1], place)

        shapes = jax.eval_shape(step, state, 0)[0]
        empty = jax.tree.map(lambda part: jnp.zeros(part.shape, part.dtype), shapes)
        result: tuple[Any, Any] = jax.lax.fori_loop(0, count, body, (empty, state))
        return result

    def _score(self, trained: Any, fixed: Any, crops: Any, labels: Any) -> tuple[Any, Any]:
        import jax
        from jax import numpy as jnp

        def piece(part: tuple[Any, Any]) -> tuple[Any, Any]:
            images, wanted = part
            seen = images[..., None].astype("float32")
            found = self._model.stateless_call(trained, fixed, seen, training=False)[0]
            found = main_output(found)
            counts = wanted >= 0
            at = jnp.maximum(wanted, 0)[:, None]
            own = jnp.take_along_axis(found, at, axis=1)[:, 0].astype("float32")
            loss = jnp.where(counts, -jnp.log(jnp.maximum(own, 1e-9)), 0.0)
            return loss.sum(), (counts & (found.argmax(axis=1) == wanted)).sum()

        losses, right = jax.lax.map(piece, (crops, labels))
        return losses.sum(), right.sum()


def _in_pieces(split: Split) -> tuple[Any, Any]:
    """Images (K, B, size, size) and labels (K, B) on the device, -1 where there is no image."""
    size = min(_SCORED, len(split))
    pieces = math.ceil(len(split) / size)
    missing = pieces * size - len(split)
    images = np.concatenate([split.images, np.repeat(split.images[:1], missing, axis=0)])
    labels = np.concatenate([split.labels, np.full(missing, -1)]).astype(np.int32)
    convert = keras.ops.convert_to_tensor
    return (
        convert(images.reshape(pieces, size, *images.shape[1:])),
        convert(labels.reshape(pieces, size)),
    )


def _numbers(logs: Any) -> Logs:
    return {name: float(value) for name, value in logs.items()}
