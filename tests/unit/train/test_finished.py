"""A run that starts from a finished network, and batch normalisation in one piece."""

from __future__ import annotations

import json
from dataclasses import replace

import keras
import numpy as np
import pytest

from fer_core.emotions import CLASSES
from fer_core.errors import ModelError, OptionError
from train.fit import fit
from train.fused import FusedBatchNormalization, with_fused_normalisation
from train.many import read_queue, run_queue
from train.network import for_use, network_for_training
from train.options import TrainOptions
from train.predicting import predict

from .made import made_dataset
from .tiny import QUICK, teacher_folder

pytestmark = pytest.mark.usefixtures("tiny")

CROPS = np.random.default_rng(0).integers(0, 256, (16, 48, 48, 1)).astype(np.float32)


def test_a_run_starts_with_the_answers_of_the_network_it_starts_from(tmp_path):
    folder = teacher_folder(tmp_path / "finished", 7)
    options = replace(QUICK, seed=1, start_from=str(folder))
    started = for_use(network_for_training(options, 0.0, 255.0), options, 0.0, 255.0)
    finished = keras.saving.load_model(folder / "model.keras", compile=False)
    for ours, theirs in zip(started.get_weights(), finished.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    fresh = replace(options, start_from="")
    other = for_use(network_for_training(fresh, 0.0, 255.0), fresh, 0.0, 255.0)
    assert np.abs(predict(other, CROPS) - predict(started, CROPS)).max() > 1e-3


@pytest.mark.parametrize(
    ("change", "kind", "sentence"),
    [
        ({"start_from": "missing"}, ModelError, "missing"),
        ({"architecture": "compact48"}, OptionError, "do not fit this network"),
        (
            {"start_from": "compact48", "classes": ("sad", "happy")},
            OptionError,
            "do not fit this network",
        ),
    ],
)
def test_what_a_run_cannot_start_from_is_one_sentence(tmp_path, change, kind, sentence):
    folder = teacher_folder(tmp_path / "finished", 7)
    options = replace(QUICK, **{"start_from": str(folder), **change})
    with pytest.raises(kind, match=sentence):
        fit(made_dataset(), options, tmp_path / "run")


@pytest.mark.parametrize("change", [{"classes": ("sad", "happy")}, {"labels": "ferplus"}])
def test_a_run_with_other_classes_knows_those_that_both_have(tmp_path, change):
    folder = teacher_folder(tmp_path / "finished", 7)
    options = replace(QUICK, **change)
    fresh, started = (
        network_for_training(replace(options, start_from=start), 0.0, 255.0).get_weights()
        for start in ("", str(folder))
    )
    finished = keras.saving.load_model(folder / "model.keras", compile=False).get_weights()
    for ours, theirs in zip(started[:-2], finished[:-2], strict=True):
        np.testing.assert_array_equal(ours, theirs)
    for ours, theirs in zip(started[-2:], finished[-2:], strict=True):
        assert ours.shape[-1] == len(options.class_names)
        for at, name in enumerate(options.class_names):
            if name in CLASSES:
                np.testing.assert_array_equal(ours[..., at], theirs[..., CLASSES.index(name)])
    if "contempt" in options.class_names:
        np.testing.assert_array_equal(started[-1][-1], fresh[-1][-1])
        assert started[-2].std() > 0


def test_a_run_cannot_start_from_a_network_that_shares_no_class(tmp_path):
    folder = teacher_folder(tmp_path / "finished", 7, ("red", "blue"))
    with pytest.raises(OptionError, match="tells apart red, blue; this run happy, sad"):
        fit(
            made_dataset(),
            replace(QUICK, classes=("happy", "sad"), start_from=str(folder)),
            tmp_path / "run",
        )


def test_a_start_and_a_trunk_exclude_each_other():
    with pytest.raises(OptionError, match="either --weights or --start-from"):
        TrainOptions(start_from="compact48", weights="imagenet")


def test_a_queue_starts_one_run_from_another(tmp_path):
    quick = {**QUICK.to_dict(), "epochs": 1}
    file = tmp_path / "queue.json"
    runs = [
        {"name": "first", "options": quick},
        {"name": "second", "options": {**quick, "start_from": "first", "seed": 2}},
    ]
    file.write_text(json.dumps(runs))
    results = run_queue(read_queue(file), made_dataset(), tmp_path / "out", said=lambda _: None)
    assert [result.state for result in results] == ["done", "done"]
    kept = TrainOptions.from_file(tmp_path / "out" / "second" / "options.json")
    assert kept.start_from == str((tmp_path / "out" / "first").resolve())


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TensorFlow's own operation")
def test_one_operation_normalises_as_the_many_do():
    """The same outputs, gradients and averages, and the same answers after training."""
    import tensorflow

    plain = keras.layers.BatchNormalization(momentum=0.7)
    fused = FusedBatchNormalization(momentum=0.7)
    x = tensorflow.constant(np.random.default_rng(1).normal(3, 2, (6, 5, 5, 4)), tensorflow.float32)
    found = []
    for layer in (plain, fused):
        layer.build(x.shape)
        layer.gamma.assign([1.0, 2.0, 0.5, 1.5])
        layer.beta.assign([0.0, 1.0, -1.0, 0.3])
        with tensorflow.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=True)
            loss = tensorflow.reduce_sum(y * y * y)
        gradients = tape.gradient(loss, [x, *layer.trainable_variables])
        found.append([y, *gradients, *layer.non_trainable_variables, layer(x, training=False)])
    for ours, theirs in zip(found[1], found[0], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-3, atol=2e-3)


def test_a_network_in_training_uses_it_and_a_finished_one_does_not(tmp_path):
    model = network_for_training(QUICK, 0.0, 255.0)
    expected = keras.backend.backend() == "tensorflow"
    assert any(isinstance(layer, FusedBatchNormalization) for layer in model.layers) == expected
    finished = for_use(model, QUICK, 0.0, 255.0)
    assert not any(isinstance(layer, FusedBatchNormalization) for layer in finished.layers)
    np.testing.assert_allclose(predict(finished, CROPS), predict(model, CROPS), atol=1e-5)
    model.save(tmp_path / "checkpoint.keras")
    again = keras.saving.load_model(tmp_path / "checkpoint.keras", compile=False)
    np.testing.assert_allclose(predict(again, CROPS), predict(model, CROPS), atol=1e-6)


def test_a_network_with_a_trunk_is_left_as_it_is():
    trunk = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.BatchNormalization()])
    model = keras.Sequential([keras.Input((8, 8, 1)), trunk])
    assert with_fused_normalisation(model) is model
