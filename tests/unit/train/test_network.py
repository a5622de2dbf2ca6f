"""The options of a run reach its network: what it subtracts, and what steps its optimiser makes."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest

from train.epochs import Epoch
from train.fit import fit
from train.network import architecture_options, network_for_training
from train.options import TrainOptions

from .made import made_dataset
from .tiny import QUICK

pytestmark = pytest.mark.usefixtures("tiny")

RATE = 0.01


@pytest.mark.parametrize("kind", ["training", "unit"])
def test_grey_values_are_standardised_as_asked_for(tmp_path, monkeypatch, kind):
    """By what was measured on the rows trained on, whatever the other splits look like."""
    epoch = Epoch({"cross_entropy": 1.0, "accuracy": 0.5}, 1.0, 0.5, None)
    monkeypatch.setattr("train.fit.Epochs.run", lambda *given: epoch)
    dataset = made_dataset()
    public = dataset.split("PublicTest")
    bright = replace(public, images=np.full_like(public.images, 250))
    dataset = replace(dataset, splits={**dataset.splits, "PublicTest": bright})
    model, _ = fit(dataset, replace(QUICK, epochs=1, standardisation=kind), tmp_path)
    images = dataset.split("Training").images
    mean, deviation = (images.mean(), images.std()) if kind == "training" else (0.0, 255.0)
    layer = model.get_layer("normalise")
    seen = np.asarray(layer(images[..., None].astype(np.float32)))
    np.testing.assert_allclose(seen[..., 0], (images - mean) / deviation, atol=1e-4)
    if kind == "training":
        assert seen.mean() == pytest.approx(0, abs=1e-4)
        assert seen.std() == pytest.approx(1, abs=1e-4)


def test_weights_from_elsewhere_bring_their_own_scale():
    options = TrainOptions(architecture="resnet50", weights="imagenet", standardisation="unit")
    built = architecture_options(options, 120.0, 60.0)
    assert (built.mean, built.deviation) not in ((120.0, 60.0), (0.0, 255.0))
    assert built.channels == 3


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TensorFlow traces")
def test_the_first_step_is_traced_once(monkeypatch):
    """A large network takes tens of seconds to trace."""
    model = network_for_training(QUICK, 120.0, 60.0)
    traced = []
    step = model.train_step
    monkeypatch.setattr(model, "train_step", lambda data: traced.append(1) or step(data))
    crops = np.random.default_rng(0).uniform(0, 255, (28, 48, 48, 1)).astype(np.float32)
    model.fit(crops, np.eye(7, dtype=np.float32)[np.arange(28) % 7], batch_size=14, verbose=0)
    assert len(traced) == 1


@pytest.mark.parametrize(
    ("name", "kind", "settings"),
    [
        ("sgd", keras.optimizers.SGD, {"momentum": 0.9, "nesterov": True}),
        ("adam", keras.optimizers.Adam, {}),
        ("adamw", keras.optimizers.AdamW, {}),
        ("nadam", keras.optimizers.Nadam, {}),
    ],
)
def test_the_options_reach_the_optimiser(name, kind, settings):
    options = replace(QUICK, optimiser=name, learning_rate=RATE, clip_norm=2.5, averaging=0.9)
    optimiser = network_for_training(options, 100.0, 50.0).optimizer
    assert type(optimiser) is kind
    told = optimiser.get_config()
    assert told["learning_rate"] == pytest.approx(RATE)
    expected = {"global_clipnorm": 2.5, "use_ema": True, "ema_momentum": 0.9, **settings}
    assert {key: told[key] for key in expected} == expected
    plain = network_for_training(replace(options, clip_norm=0.0, averaging=0.0), 100.0, 50.0)
    assert plain.optimizer.global_clipnorm is None
    assert not plain.optimizer.use_ema


def _length_of_first_step(clip_norm: float) -> float:
    """How far one step moves all weights together."""
    keras.utils.set_random_seed(1)
    options = replace(QUICK, learning_rate=RATE, clip_norm=clip_norm, dropout=0.0)
    model = network_for_training(options, 100.0, 50.0)
    split = made_dataset().split("Training")
    before = [np.array(weight) for weight in model.trainable_variables]
    crops = split.images[:28, ..., None].astype(np.float32)
    model.train_on_batch(crops, np.eye(7, dtype=np.float32)[split.labels[:28]])
    moved = [
        np.array(new) - old for new, old in zip(model.trainable_variables, before, strict=True)
    ]
    return float(np.sqrt(sum((part**2).sum() for part in moved)))


def test_a_clipped_gradient_makes_a_step_of_known_length():
    """Nesterov's first step is 1 + momentum times rate and gradient; plain momentum's is once."""
    clip = 0.05
    assert _length_of_first_step(clip) == pytest.approx(1.9 * RATE * clip, rel=1e-3)
    assert _length_of_first_step(0.0) > 5 * 1.9 * RATE * clip
