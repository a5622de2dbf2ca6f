"""Weights of other networks, frozen trunks, inputs of other sizes, auxiliary losses in the loop."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from fer_core.errors import OptionError, TrainingError
from train.architectures import Architecture, ArchitectureOptions, architecture
from train.architectures._applications import TRUNK, application_trunk, untrained
from train.architectures._pieces import auxiliary_output, conv_relu
from train.architectures.base import OUTPUT, classifier_head
from train.batches import resized
from train.cli import main
from train.fit import fit
from train.network import for_use, main_logs, network_for_training
from train.options import TrainOptions
from train.predicting import predict
from train.pretrained import load_trunk
from train.progress import Progress

from .made import made_dataset


def small_application(include_top: bool, weights: str | None, input_tensor: Any) -> keras.Model:
    """A network as those of `keras.applications` are, small enough to train here."""
    assert not include_top
    x = keras.layers.Conv2D(8, 3, strides=2, padding="same", name="first")(input_tensor)
    x = keras.layers.ReLU(name="inner")(keras.layers.BatchNormalization()(x))
    # Branches with kernels of one shape: weights in the wrong order would fit, and show.
    short = keras.layers.Conv2D(8, 3, strides=2, padding="same")(x)
    x = keras.layers.ReLU()(keras.layers.Conv2D(8, 3, strides=2, padding="same")(x))
    x = keras.layers.Conv2D(8, 3, padding="same")(x)
    model = keras.Model(input_tensor, keras.layers.ReLU()(keras.layers.Add()([x, short])))
    if weights == "imagenet":
        raise Exception("URL fetch failure on http://example.invalid/w.h5: None --\n no route")
    if weights is not None:
        model.load_weights(weights)
    return model


class Transferred(Architecture):
    """A trunk that takes weights, and an auxiliary classifier on a tap of it."""

    name = "transferred"
    source = "made for these tests"
    auxiliary_weight = 0.3
    application = "Small"
    application_scale = (100.0, 50.0)

    def network(self, x: Any, options: ArchitectureOptions, decay: Any) -> Any:
        top, inner = application_trunk("Small", x, decay, first_stride=1, taps=("inner",))
        inner = keras.layers.Flatten()(conv_relu(inner, 2, 3, 2, decay))
        return {
            OUTPUT: classifier_head(top, options, decay),
            "auxiliary_1": auxiliary_output(inner, options, decay, "auxiliary_1"),
        }


QUICK = TrainOptions(
    architecture="transferred",
    epochs=3,
    batch_size=28,
    learning_rate=0.05,
    warmup_epochs=0,
    schedule="constant",
    precision="float32",
    weight_decay=1e-4,
)


@pytest.fixture(autouse=True)
def small(registered: Callable[[type], None], monkeypatch: pytest.MonkeyPatch) -> None:
    registered(Transferred)
    monkeypatch.setattr(keras.applications, "Small", small_application, raising=False)


@pytest.fixture
def weights(tmp_path: Path) -> str:
    """A weights file of the small application, its numbers unlike any fresh ones."""
    model = untrained("Small", 3)
    random = np.random.default_rng(0)
    model.set_weights([random.uniform(0.01, 0.3, w.shape) for w in model.get_weights()])
    file = tmp_path / "small.weights.h5"
    model.save_weights(file)
    return str(file)


def _trunk(model: keras.Model) -> list[np.ndarray]:
    return [np.asarray(w) for w in model.get_layer(TRUNK).get_weights()]


def _same(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return all(np.allclose(a, b, atol=1e-7) for a, b in zip(one, other, strict=True))


class Watch(Progress):
    """Keeps what the loop says, and ends the run after an epoch if asked to."""

    def __init__(self, kill_after: int = 0) -> None:
        self.messages: list[str] = []
        self.logs: list[dict[str, Any]] = []
        self._kill_after = kill_after

    def step(self, epoch: int, step: int, logs: dict[str, Any]) -> None:
        self.logs.append(logs)

    def epoch(self, row: dict[str, float], best: bool) -> None:
        if row["epoch"] == self._kill_after:
            raise KeyboardInterrupt

    def message(self, text: str) -> None:
        self.messages.append(text)


def test_the_trunk_starts_from_the_file(weights):
    options = replace(QUICK, weights=weights)
    model = network_for_training(options, 127.0, 64.0)
    published = untrained("Small", 3)
    published.load_weights(weights)
    assert _same(_trunk(model), published.get_weights())
    scale = model.get_layer("normalise")
    assert scale.scale == pytest.approx(1 / 50), "the scale that the weights were made for"
    assert scale.offset == pytest.approx(-100 / 50)
    assert model.input_shape == (None, 48, 48, 1)
    assert model.get_layer(TRUNK).trainable


@pytest.mark.parametrize("taps", [(), ("inner",)])
def test_the_trunk_gives_the_features_of_the_published_network(weights, taps):
    picture = keras.Input((32, 32, 3))
    trunk = keras.Model(picture, application_trunk("Small", picture, None, taps=taps))
    published = untrained("Small", 3, weights)
    trunk.get_layer(TRUNK).set_weights(published.get_weights())
    seen = np.random.default_rng(0).uniform(-1, 1, (2, 32, 32, 3)).astype(np.float32)
    found = keras.tree.flatten(trunk(seen))
    np.testing.assert_allclose(found[0], published(seen), rtol=1e-4, atol=1e-4)
    assert len(found) == 1 + len(taps)


def test_a_frozen_trunk_stays_and_then_trains(weights, tmp_path):
    options = replace(QUICK, weights=weights, frozen_epochs=2, epochs=2)
    start = _trunk(network_for_training(options, 127.0, 64.0))
    dataset = made_dataset()
    model, history = fit(dataset, options, tmp_path / "frozen")
    assert _same(_trunk(model), start), "batch statistics included"
    watch = Watch()
    longer = replace(options, epochs=3, frozen_epochs=1, unfrozen_rate=0.5)
    model, history = fit(dataset, longer, tmp_path / "thawed", progress=watch)
    # The best epoch may be the frozen one; the last state is in what the loop said.
    assert watch.messages == ["The trunk trains too from epoch 2 on."]
    assert [row["learning_rate"] for row in history] == pytest.approx([0.05, 0.025, 0.025])
    loaded = keras.saving.load_model(tmp_path / "thawed" / "checkpoint" / "epoch-0003.keras")
    assert loaded.get_layer(TRUNK).trainable
    assert not _same(_trunk(loaded), start)


def test_a_killed_run_with_a_trunk_goes_on_to_the_same_result(weights, tmp_path):
    dataset = made_dataset()
    images = dataset.split("PublicTest").images
    options = replace(QUICK, weights=weights, frozen_epochs=1, unfrozen_rate=0.2)
    whole, history = fit(dataset, options, tmp_path / "whole")
    for kill_after in (1, 2):  # while the trunk is frozen, and after
        run = tmp_path / f"cut{kill_after}"
        with pytest.raises(KeyboardInterrupt):
            fit(dataset, options, run, progress=Watch(kill_after))
        resumed, again = fit(dataset, options, run, resume=True)
        for one, other in zip(history, again, strict=True):
            for name in ("loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"):
                assert one[name] == pytest.approx(other[name], abs=1e-5), name
        np.testing.assert_allclose(predict(whole, images), predict(resumed, images), atol=1e-4)


def test_auxiliary_losses_train_and_the_figures_are_of_the_main_output(tmp_path):
    dataset = made_dataset()
    watch = Watch()
    model, history = fit(dataset, QUICK, tmp_path, progress=watch)
    assert model.output_shape == (None, 7)
    assert model.get_layer("normalise").scale != pytest.approx(1 / 50), "measured on Training"
    last = watch.logs[2]
    assert last["accuracy"] == last["probabilities_accuracy"]
    # The loss that is trained on: main, 0.3 of the auxiliary one, and the regulariser on top.
    both = last["probabilities_loss"] + 0.3 * last["auxiliary_1_loss"]
    assert last["loss"] > both - 1e-6
    assert last["loss"] == pytest.approx(both, abs=0.05)
    assert history[0]["loss"] == pytest.approx(float(last["cross_entropy"]), rel=1e-4)
    assert history[0]["accuracy"] == pytest.approx(float(last["accuracy"]), rel=1e-4)


def test_what_is_used_says_what_was_trained():
    trained = network_for_training(QUICK, 127.0, 64.0)
    used = for_use(trained, QUICK, 127.0, 64.0)
    images = made_dataset().split("PublicTest").images
    np.testing.assert_allclose(predict(used, images), predict(trained, images), atol=1e-5)
    assert used.losses == []


def test_logs_of_one_output_stay_as_they_are():
    logs = {"loss": 1.5, "accuracy": 0.5}
    assert main_logs(logs) == logs
    assert main_logs({"loss": 2.0, "probabilities_loss": 1.0, "probabilities_accuracy": 0.5}) == {
        "loss": 2.0,
        "probabilities_loss": 1.0,
        "accuracy": 0.5,
        "probabilities_accuracy": 0.5,
    }


def test_weights_made_for_the_published_network_give_its_features(tmp_path):
    """The real one of the three that is quickest to build."""
    published = untrained("VGG16", 3)
    file = tmp_path / "vgg16.weights.h5"
    published.save_weights(file)
    options = ArchitectureOptions(32, channels=3, mean=114.8, deviation=1.0, pretrained=True)
    model = architecture("vgg16").build(options)
    load_trunk(model, "VGG16", str(file))
    crops = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 1)).astype(np.float32)
    seen = keras.Model(model.input, model.get_layer("repeat").output)(crops)
    features = model.get_layer(TRUNK)(seen)
    expected = published([np.repeat(crops - np.float32(114.8), 3, axis=3)])
    np.testing.assert_allclose(features, expected, rtol=1e-3, atol=1e-3)
    assert np.asarray(expected).any()


def _save(model: keras.Model, file: Path) -> None:
    """As Keras saves weights, or in the form of those that it downloads."""
    if file.name.endswith(".weights.h5"):
        model.save_weights(file)
        return
    import h5py
    from keras.src.legacy.saving import legacy_h5_format

    with h5py.File(file, "w") as opened:
        legacy_h5_format.save_weights_to_hdf5_group(opened, model)


def _by_name(model: keras.Model) -> list[keras.layers.Layer]:
    """The layers with weights; Keras counts the names of Inception's on from network to network."""

    def place(layer: keras.layers.Layer) -> list[str | int]:
        parts = re.split(r"(\d+)", layer.name)
        return [int(part) if part.isdigit() else part for part in parts]

    return sorted((layer for layer in model.layers if layer.weights), key=place)


@pytest.mark.parametrize(
    ("name", "file"), [("resnet50", "made.h5"), ("inception_v3", "made.weights.h5")]
)
def test_a_real_network_starts_from_a_local_file(name, file, tmp_path):
    """Each layer has the weights of its own layer in the file, statistics included."""
    application = str(architecture(name).application)
    published = untrained(application, 3)
    random = np.random.default_rng(0)
    published.set_weights([random.uniform(0.01, 0.3, w.shape) for w in published.get_weights()])
    _save(published, tmp_path / file)
    options = replace(QUICK, architecture=name, weights=str(tmp_path / file), frozen_epochs=1)
    model = network_for_training(options, 127.0, 64.0)
    trunk = model.get_layer(TRUNK)
    layers = _by_name(published)
    assert len(layers) > 100
    for own, layer in zip(_by_name(trunk), layers, strict=True):
        for one, other in zip(own.get_weights(), layer.get_weights(), strict=True):
            np.testing.assert_array_equal(one, other, layer.name)
    assert model.get_layer("repeat").output.shape[-1] == 3, "grey, three times"
    mean, deviation = architecture(name).application_scale
    assert model.get_layer("normalise").scale == pytest.approx(1 / deviation)
    assert model.get_layer("normalise").offset == pytest.approx(-mean / deviation)
    trained = {values.path for values in model.trainable_weights}
    assert trained
    assert not any(path.startswith(f"{TRUNK}/") for path in trained), "the head alone"
    assert not trained & {values.path for values in trunk.weights}


def test_weights_with_a_top_are_one_sentence(tmp_path):
    whole = keras.applications.VGG16(weights=None, input_shape=(32, 32, 3), classes=5)
    _save(whole, tmp_path / "whole.h5")
    model = architecture("vgg16").build(ArchitectureOptions(32, channels=3, pretrained=True))
    with pytest.raises(OptionError, match=r"VGG16\(include_top=False\): Layer count") as raised:
        load_trunk(model, "VGG16", str(tmp_path / "whole.h5"))
    assert "\n" not in str(raised.value)


def test_offline_is_one_sentence():
    with pytest.raises(TrainingError) as raised:
        network_for_training(replace(QUICK, weights="imagenet"), 127.0, 64.0)
    text = str(raised.value)
    assert text.startswith("The ImageNet weights of Small cannot be downloaded: URL fetch failure")
    assert "--weights FILE" in text
    assert "\n" not in text


def test_offline_in_keras_itself(monkeypatch, tmp_path):
    """Keras's own download, with a network that refuses, ends in the same sentence."""
    import urllib.error

    from keras.src.utils import file_utils

    def refuse(*args: object, **options: object) -> None:
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr(file_utils, "urlretrieve", refuse)
    monkeypatch.setattr(keras.config, "keras_home", lambda: str(tmp_path), raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    options = ArchitectureOptions(32, channels=3, pretrained=True)
    with pytest.raises(TrainingError, match=r"of VGG16 cannot be downloaded.*no route to host"):
        load_trunk(architecture("vgg16").build(options), "VGG16", "imagenet")


def test_wrong_weights_are_one_sentence(tmp_path, weights):
    grey = tmp_path / "grey.weights.h5"
    untrained("Small", 1).save_weights(grey)
    cases = [
        (QUICK, str(tmp_path / "none.h5"), "There is no weights file .*none.h5"),
        (QUICK, __file__, "does not hold the weights of keras.applications.Small"),
        (replace(QUICK, architecture="base"), weights, "no ImageNet weights for base"),
        (QUICK, str(grey), "does not hold the weights of keras.applications.Small"),
    ]
    for options, file, sentence in cases:
        with pytest.raises(OptionError, match=sentence) as raised:
            network_for_training(replace(options, weights=file), 127.0, 64.0)
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"frozen_epochs": 2}, "Give --weights too"),
        ({"frozen_epochs": -1, "weights": "imagenet"}, "frozen_epochs must not be negative"),
        ({"unfrozen_rate": 0.0}, "unfrozen_rate must be above 0"),
        ({"input_size": -1}, "input_size must not be negative"),
    ],
)
def test_bad_options_are_one_sentence(values, sentence):
    with pytest.raises(OptionError, match=sentence):
        TrainOptions.from_dict(values)


@pytest.mark.parametrize("size", [32, 48, 56, 75])
def test_crops_are_resized(size):
    crops = made_dataset().split("PublicTest").images
    out = resized(crops, size)
    assert out.shape == (21, size, size)
    assert out.dtype == np.uint8
    if size == 48:
        assert out is crops
    middle = crops.mean(axis=(1, 2))
    np.testing.assert_allclose(out.mean(axis=(1, 2)), middle, atol=4)


def test_the_command_trains_a_network_of_another_size(data, tmp_path, weights, capsys):
    out = tmp_path / "model"
    words = f"fit --data {data} --out {out} --arch transferred --weights {weights} --input-size 56"
    more = "--epochs 2 --frozen-epochs 1 --batch-size 28 --precision float32"
    assert main([*words.split(), *more.split()]) == 0
    capsys.readouterr()
    assert main(f"evaluate --model {out} --data {data} --split PublicTest".split()) == 0
    import json

    card = json.loads((out / "card.json").read_text())
    assert (card["input_size"], card["channels"]) == (56, 1)
    assert card["architecture_options"]["channels"] == 3
    assert card["architecture_options"]["pretrained"] is True
    assert card["architecture_options"]["mean"] == pytest.approx(100.0)
    shipped = json.loads((out / "evaluation.json").read_text())["PublicTest"]["accuracy"]
    scored = json.loads(capsys.readouterr().out)["accuracy"]
    assert scored == pytest.approx(shipped, abs=0.05)
