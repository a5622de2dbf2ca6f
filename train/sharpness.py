"""Sharpness-aware minimisation: each step follows the gradient at the worst point nearby."""

from __future__ import annotations

import types
from typing import Any

import keras

from fer_core.errors import OptionError


def make_sharpness_aware(model: keras.Model, radius: float) -> None:
    """Let `model` train by sharpness-aware steps from here on (Foret et al., 2021,
    arXiv:2010.01412), each of which costs as much as two others.

    From the weights w the step looks up the slope to w + radius * g / |g|, where g is the gradient
    of the whole loss, and goes from w by the gradient found there. Both gradients are of one batch
    and one draw of the dropout; the averages of batch normalisation, and what is reported, are
    those of the first.

    Args:
        model: compiled, now or later; what is saved of it does not know of this.
        radius: length of the look, in the space of all trained weights; 0 changes nothing.

    Raises:
        OptionError: Keras does not run on TensorFlow.
    """
    if not radius:
        return
    if keras.backend.backend() != "tensorflow":
        raise OptionError(
            "--sharpness works under TensorFlow alone. Received: backend "
            f"{keras.backend.backend()}. Set KERAS_BACKEND=tensorflow, or leave the option out."
        )

    def train_step(self: keras.Model, data: Any) -> Any:
        return _step(self, data, radius)

    # On the instance: the class, and with it every file that is saved, stays Keras's own.
    model.train_step = types.MethodType(train_step, model)
    model.train_function = None


def _step(model: keras.Model, data: Any, radius: float) -> Any:
    import tensorflow as tf

    x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
    trained = model.trainable_variables
    # The averages of batch normalisation, and the states of what draws the dropout.
    states = model.non_trainable_variables

    def gradients() -> tuple[Any, Any, list[Any]]:
        with tf.GradientTape() as tape:
            answers = model(x, training=True)
            loss = model.compute_loss(x, y, answers, weight, training=True)
        return answers, loss, tape.gradient(loss, trained)

    before = [tf.identity(state) for state in states]
    answers, loss, slope = gradients()
    after = [tf.identity(state) for state in states]
    # The smallest float32 of full precision: a slope of nothing leads nowhere, not to NaN.
    length = tf.maximum(tf.linalg.global_norm(slope), 1.2e-38)
    origin = [tf.identity(variable) for variable in trained]
    for variable, start, part in zip(trained, origin, slope, strict=True):
        variable.assign(start + radius * part / length)
    _put(states, before)
    *_, there = gradients()
    _put(trained, origin)
    _put(states, after)
    model.optimizer.apply(there, trained)
    for metric in model.metrics:
        if metric.name == "loss":
            metric.update_state(loss, sample_weight=tf.shape(keras.tree.flatten(x)[0])[0])
    return model.compute_metrics(x, y, answers, sample_weight=weight)


def _put(variables: list[Any], values: list[Any]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
