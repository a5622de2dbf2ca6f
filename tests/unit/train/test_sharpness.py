"""Sharpness-aware steps: what they compute, what they leave alone, and a run that uses them."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest

from fer_core.errors import OptionError
from train.fit import fit
from train.options import TrainOptions
from train.predicting import predict
from train.sharpness import make_sharpness_aware

from .made import made_dataset
from .tiny import QUICK, KillAfter

pytestmark = pytest.mark.usefixtures("tiny")

RATE, RADIUS = 0.5, 0.2


def made_batch() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    truth = np.eye(3, dtype=np.float32)[random.integers(0, 3, 16)]
    return random.normal(size=(16, 5)).astype(np.float32), truth


def network(*between: keras.layers.Layer) -> keras.Model:
    """Five numbers to three classes, by stochastic gradient descent."""
    keras.utils.set_random_seed(3)
    layers = [keras.Input((5,)), *between, keras.layers.Dense(3, use_bias=False)]
    model = keras.Sequential([*layers, keras.layers.Softmax()])
    model.compile(
        keras.optimizers.SGD(RATE),
        "categorical_crossentropy",
        metrics=["accuracy"],
        jit_compile=False,
    )
    return model


def slope(x: np.ndarray, y: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Gradient of the cross-entropy of softmax(x @ kernel), as books give it."""
    powers = np.exp(x @ kernel)
    return x.T @ (powers / powers.sum(axis=1, keepdims=True) - y) / len(x)


def step(model: keras.Model, radius: float) -> dict[str, float]:
    """One step; returns what is reported of it."""
    make_sharpness_aware(model, radius)
    x, y = made_batch()
    history = model.fit(x, y, batch_size=len(x), shuffle=False, verbose=0).history
    return {name: values[0] for name, values in history.items()}


def test_a_step_goes_by_the_gradient_at_the_worst_point_nearby():
    x, y = made_batch()
    model = network()
    kernel = model.get_weights()[0]
    step(model, RADIUS)
    here = slope(x, y, kernel)
    there = slope(x, y, kernel + RADIUS * here / np.linalg.norm(here))
    np.testing.assert_allclose(model.get_weights()[0], kernel - RATE * there, atol=1e-6)
    assert np.abs(there - here).max() > 0.01, "a plain step would be seen to differ"


def test_a_radius_of_nothing_is_a_plain_step():
    x, y = made_batch()
    model = network()
    kernel = model.get_weights()[0]
    step(model, 0.0)
    np.testing.assert_allclose(
        model.get_weights()[0], kernel - RATE * slope(x, y, kernel), atol=1e-6
    )


def test_averages_and_reports_are_those_of_the_first_look():
    def normalised() -> keras.Model:
        return network(keras.layers.BatchNormalization(momentum=0.5))

    plain, sharp = normalised(), normalised()
    reported = step(plain, 0.0)
    assert step(sharp, RADIUS) == pytest.approx(reported, abs=1e-6)
    for name in ("moving_mean", "moving_variance"):
        one, other = getattr(plain.layers[0], name), getattr(sharp.layers[0], name)
        np.testing.assert_allclose(one, other, atol=1e-6)
    assert not np.allclose(plain.get_weights()[-1], sharp.get_weights()[-1], atol=1e-3)


def test_both_looks_drop_the_same():
    """Only then does a look of almost no length give the gradient that is there already."""
    # Without a seed of its own, what a layer drops would hang on the tests that ran before.
    plain, near = (network(keras.layers.Dropout(0.5, seed=4)) for _ in range(2))
    step(plain, 0.0)
    step(near, 1e-6)
    np.testing.assert_allclose(plain.get_weights()[0], near.get_weights()[0], atol=1e-5)


def test_where_nothing_can_be_learnt_nothing_breaks():
    model = network()
    model.set_weights([np.zeros((5, 3), np.float32)])
    x = np.zeros((4, 5), np.float32)
    make_sharpness_aware(model, RADIUS)
    model.fit(x, np.full((4, 3), 1 / 3, np.float32), verbose=0)
    assert not model.get_weights()[0].any()


def test_a_killed_run_goes_on_to_the_same_result(tmp_path):
    dataset = made_dataset()
    options = replace(QUICK, sharpness=0.05, averaging=0.9, clip_norm=1.0, dropout=0.3)
    whole, history = fit(dataset, options, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        fit(dataset, options, tmp_path / "cut", progress=KillAfter(1))
    resumed, again = fit(dataset, options, tmp_path / "cut", resume=True)
    for one, other in zip(history, again, strict=True):
        assert one["loss"] == pytest.approx(other["loss"], abs=1e-5)
    images = dataset.split("PublicTest").images
    np.testing.assert_allclose(predict(whole, images), predict(resumed, images), atol=1e-4)
    _, plain = fit(dataset, replace(options, sharpness=0.0), tmp_path / "plain")
    assert plain[-1]["loss"] != pytest.approx(history[-1]["loss"], abs=1e-4)


def test_other_backends_say_which_one_can(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(OptionError, match=r"works under TensorFlow alone\. Received: backend jax"):
        make_sharpness_aware(keras.Sequential(), 0.05)
    make_sharpness_aware(keras.Sequential(), 0.0)


def test_a_radius_below_nothing_is_refused():
    with pytest.raises(OptionError, match="sharpness must not be negative"):
        TrainOptions(sharpness=-0.1)
