"""Shipped `.keras` files open under older releases of Keras 3 too."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fer_core.model_store import models_root, runnable_models
from train.portable import without_later_arguments

LATER = {
    "input_axes",
    "output_axes",
    "quantization_config",
    "renorm",
    "renorm_clipping",
    "renorm_momentum",
}


@pytest.mark.parametrize(
    ("config", "kept"),
    [
        pytest.param({"units": 3, "quantization_config": None}, {"units": 3}, id="nothing said"),
        pytest.param({"renorm": False, "renorm_momentum": 0.99}, {}, id="off, and its refinement"),
        pytest.param(
            {"renorm": True, "renorm_momentum": 0.9},
            {"renorm": True, "renorm_momentum": 0.9},
            id="in use",
        ),
        pytest.param(
            {"layers": [{"input_axes": None, "name": "a"}, {"input_axes": [1]}]},
            {"layers": [{"name": "a"}, {"input_axes": [1]}]},
            id="in lists",
        ),
        pytest.param({"config": {"config": {"output_axes": None}}}, {"config": {"config": {}}}),
    ],
)
def test_only_arguments_that_say_nothing_are_left_out(
    config: dict[str, Any], kept: dict[str, Any]
) -> None:
    before = json.dumps(config)
    assert without_later_arguments(config) == kept
    assert json.dumps(config) == before


def test_a_saved_network_is_portable_and_answers_the_same(tmp_path: Path) -> None:
    import keras

    from train.export import save_keras

    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Input((8, 8, 1)),
            layers.Conv2D(4, 3),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dense(3, activation="softmax"),
        ]
    )
    file = save_keras(model, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["model.keras"]
    assert not _arguments(file) & LATER
    crops = np.random.default_rng(0).random((5, 8, 8, 1)).astype(np.float32)
    loaded = keras.saving.load_model(file, safe_mode=True)
    np.testing.assert_array_equal(loaded.predict(crops, verbose=0), model.predict(crops, verbose=0))
    keras.backend.clear_session()


MOST_BYTES = 8_000_000


def test_all_of_the_default_model_is_small(model_folder: Path) -> None:
    assert sum(file.stat().st_size for file in model_folder.iterdir()) <= MOST_BYTES


def test_shipped_networks_are_portable() -> None:
    files = [models_root() / name / "model.keras" for name in runnable_models()]
    assert files
    for file in files:
        assert not _arguments(file) & LATER, file


def _arguments(file: Path) -> set[str]:
    with zipfile.ZipFile(file) as archive:
        found: set[str] = set()
        _collect(json.loads(archive.read("config.json")), found)
    return found


def _collect(config: Any, found: set[str]) -> None:
    if isinstance(config, dict):
        found.update(config)
        for value in config.values():
            _collect(value, found)
    elif isinstance(config, list):
        for value in config:
            _collect(value, found)
