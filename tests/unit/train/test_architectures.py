"""Every registered network: shape, cost as stated, save and load, bfloat16, export."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import keras
import numpy as np
import pytest

import train
from fer_core.errors import OptionError
from train.architectures import ARCHITECTURES, ArchitectureOptions, architecture
from train.architectures.base import OUTPUT, without_auxiliary
from train.cli import main
from train.cost import count_cost
from train.export import save_litert
from train.listing import describe, table_lines
from train.missing import SMALLEST_FIRST
from train.network import architecture_options, main_logs, network_for_training, output_names
from train.options import TrainOptions

NAMES = sorted(ARCHITECTURES)

_SAID = re.compile(r"parameters and\s+([\d,]+)\s+multiply-adds")

PROMISED = {
    "base",
    "cnn48",
    "cnn56",
    "compact48",
    "dcnn",
    "googlenet",
    "inception_v3",
    "mini_xception",
    "plain48",
    "resnet18",
    "resnet34",
    "resnet50",
    "tiny48",
    "vgg13",
    "vgg16",
    "wide48",
}

EXPORT_TOLERANCE = 1e-3

COMPACT48_KERNELS = [
    (3, 3, 1, 32),
    (3, 3, 32, 48),
    (1, 1, 32, 48),
    (3, 3, 48, 48),
    (3, 3, 48, 96),
    (1, 1, 48, 96),
    (3, 3, 96, 96),
    (3, 3, 96, 96),
    (3, 3, 96, 96),
    (3, 3, 96, 192),
    (1, 1, 96, 192),
    (3, 3, 192, 192),
    (192, 7),
]


@pytest.fixture(autouse=True, scope="module")
def float32() -> Iterator[None]:
    before = keras.config.dtype_policy()
    yield
    keras.config.set_dtype_policy(before)
    _training_network.cache_clear()
    _mixed_network.cache_clear()
    keras.backend.clear_session()


@pytest.fixture(scope="module", params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    """Each network; of this scope, so that all tests of one follow each other: it is built once,
    also where several processes share the tests."""
    return str(request.param)


CONFIGS = Path(train.__file__).parent / "configs"


def _recipe(name: str) -> TrainOptions:
    return TrainOptions.from_file(CONFIGS / f"{name}.json")


@cache
def _training_network(name: str) -> keras.Model:
    """As its own recipe trains it, but in float32: built once for all tests."""
    options = architecture_options(_recipe(name), 127.5, 64.0)
    model = architecture(name).build_training(options)
    _calm(model)
    return model


def _calm(model: keras.Model) -> None:
    """Untrained, a deep network's softmax is 0 and 1 for whatever it sees: shrink its logits."""
    used = without_auxiliary(model)
    logits = keras.Model(used.input, used.get_layer("logits").output)
    most = float(np.abs(np.asarray(logits(_crops(used.input_shape[1])))).max())
    last = next(layer for layer in reversed(used.layers) if hasattr(layer, "kernel"))
    last.kernel.assign(last.kernel / max(1.0, most))


@cache
def _mixed_network(name: str) -> keras.Model:
    """As a run in bfloat16 has it, at 48x48, with other options than the recipe's."""
    options = TrainOptions(
        architecture=name,
        precision="bfloat16",
        input_size=48,
        channels=3,
        classes=("happy", "sad", "neutral"),
        dropout=0.0,
        weight_decay=1e-4,
        optimiser="adam",
    )
    model = network_for_training(options, 127.5, 64.0)
    _calm(model)
    return model


def _answers(model: keras.Model, crops: np.ndarray) -> list[np.ndarray]:
    """What each output says."""
    return [np.asarray(each) for each in keras.tree.flatten(model(crops, training=False))]


def _network(name: str) -> keras.Model:
    return without_auxiliary(_training_network(name))


def _crops(size: int, count: int = 2) -> np.ndarray:
    shape = (count, size, size, 1)
    return np.random.default_rng(0).integers(0, 256, shape).astype(np.float32)


def _probabilities(model: keras.Model, count: int = 2) -> np.ndarray:
    return np.asarray(model(_crops(model.input_shape[1], count), training=False))


def _layers(model: keras.Model) -> list[keras.layers.Layer]:
    return list(model._flatten_layers(include_self=False))


def test_every_promised_network_is_there():
    assert set(ARCHITECTURES) == PROMISED
    assert all(kind.name == name for name, kind in ARCHITECTURES.items())
    with pytest.raises(OptionError, match=r"Received: 'vgg99'\. Known: base, cnn48"):
        architecture("vgg99")


def test_it_gives_probabilities_at_its_own_size(name):
    model = _network(name)
    size = ARCHITECTURES[name].default_input_size
    assert model.input_shape == (None, size, size, 1)
    found = _probabilities(model)
    assert found.shape == (2, 7)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)
    assert (found[0] != found[1]).any(), "it looks at the crops"
    assert 1e-3 < found.min() < found.max() < 0.9


def test_it_costs_what_its_docstring_says(name):
    kind = ARCHITECTURES[name]
    cost = count_cost(_network(name))
    said = " ".join((kind.__doc__ or "").split())
    size = kind.default_input_size
    assert (
        f"{cost.parameters:,} parameters and {cost.multiply_adds:,} multiply-adds "
        f"at {size}x{size}." in said
    )
    assert kind.source


def test_three_classes_three_channels_and_bfloat16(name):
    """At 48x48, with a regulariser and without dropout: all the other options at once."""
    model = _mixed_network(name)
    assert model.input_shape == (None, 48, 48, 1), "runtimes are fed grey crops"
    for found in _answers(model, _crops(48)):
        assert found.shape == (2, 3)
        assert found.dtype == np.float32
        assert np.isfinite(found).all()
        np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)
    layers = _layers(model)
    assert not any(isinstance(layer, keras.layers.Dropout) for layer in layers)
    convolutions = [layer for layer in layers if isinstance(layer, keras.layers.Conv2D)]
    depths = {layer.kernel.shape[2] for layer in convolutions}
    assert 3 in depths, "one sees the three channels"
    assert 1 not in depths
    assert {layer.compute_dtype for layer in convolutions} == {"bfloat16"}
    kernels = [w for w in model.trainable_weights if w.path.endswith("kernel")]
    assert len(model.losses) == len(kernels)
    assert all(float(loss) > 0 for loss in model.losses)


def test_it_makes_a_step_in_bfloat16(name):
    """Compiled as a run does it; the answers and the weights stay float32."""
    model = _mixed_network(name)
    before = [np.array(values) for values in model.trainable_weights]
    # To trace a large network takes longer than the step.
    model.run_eagerly = True
    truth = np.eye(3, dtype=np.float32)[[0, 2]]
    targets = dict.fromkeys(output_names(model), truth) or truth
    logs = main_logs(model.train_on_batch(_crops(48), targets, return_dict=True))
    assert np.isfinite(logs["loss"])
    assert 0 < logs["cross_entropy"] < logs["loss"], "the regulariser counts too"
    moved = [
        not np.array_equal(values, kept)
        for values, kept in zip(model.trainable_weights, before, strict=True)
    ]
    assert np.mean(moved) > 0.9
    assert {str(values.dtype) for values in model.weights if "seed" not in values.path} == {
        "float32"
    }
    assert all(np.isfinite(np.asarray(values)).all() for values in model.weights)
    assert {found.dtype for found in _answers(model, _crops(48))} == {np.dtype(np.float32)}


def test_dropout_and_decay_follow_their_options(name):
    model, options = _training_network(name), _recipe(name)
    rates = [layer.rate for layer in _layers(model) if isinstance(layer, keras.layers.Dropout)]
    assert options.dropout in rates
    assert options.weight_decay > 0
    factors = {
        float(layer.kernel_regularizer.l2)
        for layer in _layers(model)
        if isinstance(layer, keras.layers.Dense)
        or (isinstance(layer, keras.layers.Conv2D) and layer.kernel_regularizer is not None)
    }
    assert all(factor == pytest.approx(options.weight_decay) for factor in factors)


def test_every_network_has_a_recipe_of_its_own():
    assert {file.stem for file in CONFIGS.glob("*.json")} == set(ARCHITECTURES)
    for name in NAMES:
        assert _recipe(name).architecture == name
    assert _recipe("dcnn").optimiser == "nadam"
    assert set(SMALLEST_FIRST) == set(ARCHITECTURES)
    cost = [
        int(_SAID.search(ARCHITECTURES[name].__doc__ or "")[1].replace(",", ""))
        for name in SMALLEST_FIRST
    ]
    assert cost == sorted(cost)


def test_it_can_be_saved_and_loaded(name, tmp_path):
    model = _network(name)
    file = tmp_path / "model.keras"
    model.save(file)
    loaded = keras.saving.load_model(file, compile=False)
    np.testing.assert_allclose(_probabilities(loaded), _probabilities(model), atol=1e-6)


@pytest.fixture
def litert(tmp_path) -> Callable[[keras.Model], np.ndarray]:
    def run(model: keras.Model, crops: np.ndarray) -> np.ndarray:
        from ai_edge_litert.interpreter import Interpreter

        [file] = save_litert(model, tmp_path, ["litert"])
        interpreter = Interpreter(model_path=str(file), num_threads=2)
        return interpreter.get_signature_runner("serve")(crops=crops)["output_0"]

    return run


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TensorFlow converts")
def test_its_export_says_the_same(name, litert):
    model = _network(name)
    crops = _crops(model.input_shape[1], 3)
    expected = np.asarray(model(crops))
    assert 1e-3 < expected.min() < expected.max() < 0.9, "answers that could come out otherwise"
    np.testing.assert_allclose(litert(model, crops), expected, atol=EXPORT_TOLERANCE)


@pytest.mark.parametrize(("name", "count"), [("googlenet", 2), ("inception_v3", 1)])
def test_auxiliary_classifiers_are_there_in_training_only(name, count):
    trained = _training_network(name)
    assert set(trained.output) == {OUTPUT, *(f"auxiliary_{n + 1}" for n in range(count))}
    used = without_auxiliary(trained)
    assert used.output_shape == (None, 7)
    assert used.count_params() < trained.count_params()
    both = trained(_crops(trained.input_shape[1]), training=False)
    np.testing.assert_allclose(_probabilities(used), np.asarray(both[OUTPUT]), atol=1e-6)
    assert not any("auxiliary" in layer.name for layer in used.layers)


def test_a_network_without_auxiliary_classifiers_is_trained_as_it_is():
    model = _training_network("base")
    assert without_auxiliary(model) is model


def test_three_channels_are_the_same_grey_three_times():
    options = ArchitectureOptions(channels=3, mean=100.0, deviation=50.0)
    model = architecture("mini_xception").build(options)
    seen = keras.Model(model.input, model.get_layer("repeat").output)(_crops(48))
    for channel in range(3):
        np.testing.assert_allclose(seen[..., channel], (_crops(48)[..., 0] - 100) / 50, atol=1e-5)


def test_compact48_keeps_the_order_of_its_weights():
    """Trained weights are put into it by order."""
    kernels = [tuple(w.shape) for w in _network("compact48").weights if len(w.shape) > 1]
    assert kernels == COMPACT48_KERNELS


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        ("inception_v3", {"input_size": 32}, r"input_size is too small for InceptionV3.*: 32"),
        ("base", {"pretrained": True, "channels": 3}, "no ImageNet weights for base"),
        ("vgg16", {"pretrained": True}, "need channels = 3"),
        ("base", {"input_size": 31}, r"at least 32. Received: 31"),
        ("base", {"channels": 2}, r"1 or 3. Received: 2"),
        ("base", {"classes": 1}, r"at least 2. Received: 1"),
        ("base", {"dropout": 1.0}, r"under 1. Received: 1"),
        ("base", {"weight_decay": -1.0}, "must not be negative"),
        ("base", {"deviation": 0.0}, "must be above 0"),
    ],
)
def test_bad_options_are_one_sentence(name, options, sentence):
    with pytest.raises(OptionError, match=sentence):
        architecture(name).build(ArchitectureOptions(**options))


def test_they_are_listed(monkeypatch, capsys):
    for name in NAMES:
        if name not in ("base", "googlenet"):
            monkeypatch.delitem(ARCHITECTURES, name)
    assert main(["archs"]) == 0
    head, base, googlenet = capsys.readouterr().out.splitlines()
    assert head.split() == ["name", "input", "parameters", "multiply-adds", "source"]
    assert base.split()[:4] == ["base", "48", "979,719", "33,105,664"]
    assert "arXiv:1409.4842; 2 auxiliary in training" in googlenet


def test_a_reader_who_has_had_enough_sees_no_traceback():
    words = [sys.executable, "-m", "train", "archs"]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdout=pipe, stderr=pipe, text=True) as listing:
        assert listing.stdout is not None
        assert listing.stderr is not None
        assert listing.stdout.readline().startswith("name")
        listing.stdout.close()
        said = listing.stderr.read()
    assert listing.returncode == 1
    assert "Traceback" not in said
    assert "BrokenPipe" not in said


def test_they_are_listed_as_json(monkeypatch, capsys):
    for name in NAMES:
        if name != "base":
            monkeypatch.delitem(ARCHITECTURES, name)
    assert main(["archs", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row == describe(ARCHITECTURES["base"])
    assert row["parameters"] == 979_719
    assert row["imagenet_weights"] is False
    assert "takes" not in list(table_lines([row]))[1]
