"""Kernels of half precision, and weights that pack without loss."""

from __future__ import annotations

import io
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from train.export import save_keras
from train.packed import pack_weights, round_kernels


def network() -> keras.Model:
    keras.utils.set_random_seed(3)
    layers = keras.layers
    return keras.Sequential(
        [
            layers.Input((12, 12, 1)),
            layers.Conv2D(32, 3),
            layers.BatchNormalization(),
            layers.DepthwiseConv2D(3),
            layers.GlobalAveragePooling2D(),
            layers.Dense(7, activation="softmax"),
        ]
    )


def test_kernels_are_what_float16_holds_and_nothing_else_changes():
    model = network()
    for weight in model.weights:
        if len(weight.shape) == 1:
            weight.assign(np.linspace(1e-9, 1.2345678, weight.shape[0], dtype=np.float32))
    before = model.get_weights()
    round_kernels(model)
    for old, new in zip(before, model.get_weights(), strict=True):
        assert new.dtype == np.float32
        expected = old.astype(np.float16).astype(np.float32) if old.ndim > 1 else old
        np.testing.assert_array_equal(new, expected)
    again = model.get_weights()
    round_kernels(model)
    assert all(np.array_equal(a, b) for a, b in zip(again, model.get_weights(), strict=True))


@pytest.mark.parametrize("value", [1e6, np.inf, np.nan])
def test_a_kernel_that_float16_has_no_room_for_stays(value):
    model = network()
    kernel = model.layers[0].kernel
    values = keras.ops.convert_to_numpy(kernel.value).copy()
    values[0, 0, 0, 0] = value
    kernel.assign(values)
    round_kernels(model)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(kernel.value), values)


def test_packing_changes_no_value_name_or_attribute():
    random = np.random.default_rng(0)
    plain = io.BytesIO()
    with h5py.File(plain, "w") as file:
        file.attrs["kind"] = "made"
        group = file.create_group("layers/conv/vars")
        group.attrs["count"] = 2
        group["0"] = random.standard_normal((3, 3, 64, 64)).astype(np.float16).astype(np.float32)
        group["1"] = np.float32(0.5)
        group["0"].attrs["trainable"] = True
        file.create_group("empty")
    packed = pack_weights(plain.getvalue())
    assert len(packed) < 0.62 * len(plain.getvalue())
    seen = []
    with h5py.File(io.BytesIO(plain.getvalue())) as old, h5py.File(io.BytesIO(packed)) as new:
        assert dict(new.attrs) == dict(old.attrs)

        def same(name: str, item: object) -> None:
            other = new[name]
            assert dict(other.attrs) == dict(item.attrs)
            if isinstance(item, h5py.Dataset):
                assert other.dtype == item.dtype
                np.testing.assert_array_equal(other[()], item[()])
            seen.append(name)

        old.visititems(same)
    assert "layers/conv/vars/0" in seen
    assert "empty" in seen


def test_a_saved_network_is_half_the_size_and_the_same_network(tmp_path: Path):
    model = keras.Sequential([keras.layers.Input((300,)), keras.layers.Dense(400)])
    plain = tmp_path / "plain.keras"
    model.save(plain)
    round_kernels(model)
    file = save_keras(model, tmp_path)
    assert file.stat().st_size < 0.62 * plain.stat().st_size
    loaded = keras.saving.load_model(file, safe_mode=True)
    for a, b in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
