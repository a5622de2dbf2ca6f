"""Dividing batches between devices, and the rate that JAX computes itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from fer_core.errors import OptionError
from train.devices import use_devices
from train.rates import rate_at
from train.steps import RunRate

from .jax_child import needs_jax, printed_under_jax
from .tiny import QUICK

ON_TWO_DEVICES = """
import sys
from dataclasses import replace
from pathlib import Path
import jax, keras
import train.architectures as registry
from tests.unit.train.made import made_dataset
from tests.unit.train.tiny import QUICK, Tiny
from train.fit import fit
registry.ARCHITECTURES["tiny"] = Tiny
devices, folder = sys.argv[1:]
assert len(jax.devices()) == 2
for place in ("host", "device"):
    options = replace(QUICK, devices=devices, augment_on=place)
    _, history = fit(made_dataset(), options, Path(folder) / place)
    assert (keras.distribution.distribution() is not None) == (devices == "all")
    print("LOSSES", *(row["loss"] for row in history))
"""


def test_one_device_needs_nothing():
    assert use_devices("one", 7) == 1


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="JAX can divide batches")
def test_other_backends_say_who_can():
    with pytest.raises(OptionError, match="KERAS_BACKEND=jax"):
        use_devices("all", 128)


def losses(folder: Path, devices: str) -> list[list[float]]:
    """Of each epoch, with crops that are changed on the host, then on the device."""
    flags = "--xla_force_host_platform_device_count=2"
    lines = printed_under_jax(ON_TWO_DEVICES, "LOSSES", devices, str(folder), flags=flags)
    return [[float(word) for word in line.split()] for line in lines]


@needs_jax
def test_two_virtual_devices_train_as_one_does(tmp_path):
    one, two = losses(tmp_path / "one", "one"), losses(tmp_path / "two", "all")
    assert [len(epochs) for epochs in one] == [3, 3]
    assert one[0] != one[1], "other crops"
    for alone, together in zip(one, two, strict=True):
        assert together == pytest.approx(alone, rel=0.02)


@pytest.mark.parametrize("schedule", ["cosine", "constant"])
@pytest.mark.parametrize("warmup", [0.0, 1.5])
def test_the_rate_inside_the_step_is_the_rate_outside(schedule, warmup):
    options = replace(QUICK, schedule=schedule, warmup_epochs=warmup, epochs=5)
    rate = RunRate(options.learning_rate, 5, warmup, schedule == "cosine", 40, 0.5)
    again = RunRate.from_config(rate.get_config())
    for step in (0, 1, 59, 60, 61, 150, 199):
        inside = float(keras.ops.convert_to_numpy(again(np.int64(step))))
        assert inside == pytest.approx(rate_at(options, step / 40, 0.5), rel=1e-4, abs=1e-9)


def test_a_new_optimiser_goes_on_where_the_old_one_was():
    whole = RunRate(0.1, 10, 1.0, True, 20)
    later = RunRate(0.1, 10, 1.0, True, 20, first_step=60)
    assert float(later(np.int64(5))) == pytest.approx(float(whole(np.int64(65))))
