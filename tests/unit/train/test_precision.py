"""`auto` is the precision that a machine is quick in, and a slow one is said."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from train import precision
from train.architectures import ArchitectureOptions
from train.architectures.base import OUTPUT
from train.fit import fit
from train.network import network_for_training
from train.options import TrainOptions
from train.precision import fast_copy, has_fast_bfloat16, slow_precision, with_precision
from train.predicting import probabilities_of
from train.run import train_and_ship

from .made import made_dataset
from .tiny import QUICK, Tiny, Told

AMX = "processor\t: 0\nflags\t\t: fpu avx2 avx512f avx512_bf16 amx_bf16\n"
PAIRS = "processor\t: 0\nvendor_id\t: {}\nflags\t\t: fpu avx2 avx512f avx512_bf16\n"
AMD, INTEL = PAIRS.format("AuthenticAMD"), PAIRS.format("GenuineIntel")
AVX2 = "processor\t: 0\nmodel name\t: avx512_bf16 in a name\nflags\t\t: fpu sse4_2 avx2\n"


@pytest.fixture(autouse=True)
def looked_at_anew() -> Iterator[None]:
    has_fast_bfloat16.cache_clear()
    yield
    has_fast_bfloat16.cache_clear()


def machine(monkeypatch: pytest.MonkeyPatch, file: Path, cpu: str, card: int | None = 0) -> None:
    """A machine with this processor and, where `card` is not 0, an accelerator."""
    file.write_text(cpu)
    monkeypatch.setattr(precision, "_CPU_FILE", file)
    monkeypatch.setattr(precision, "has_accelerator", lambda: card != 0)
    monkeypatch.setattr(precision, "_compute_capability", lambda: card)


@pytest.mark.parametrize(
    ("cpu", "card", "chosen"),
    [
        (AMX, 0, "bfloat16"),
        (AMD, 0, "bfloat16"),
        (INTEL, 0, "float32"),
        (AVX2, 0, "float32"),
        (AVX2, 9, "bfloat16"),
        (AMX, 7, "float32"),
        (AVX2, None, "bfloat16"),
    ],
    ids=["amx", "amd", "intel without tiles", "avx2", "new card", "old card", "tpu"],
)
def test_auto_is_what_the_machine_is_quick_in(monkeypatch, tmp_path, cpu, card, chosen):
    machine(monkeypatch, tmp_path / "cpuinfo", cpu, card)
    assert with_precision(TrainOptions()).precision == chosen
    for asked in ("float32", "bfloat16"):
        assert with_precision(TrainOptions(precision=asked)).precision == asked


def test_a_machine_that_does_not_tell_computes_in_float32(monkeypatch, tmp_path):
    monkeypatch.setattr(precision, "_CPU_FILE", tmp_path / "none")
    monkeypatch.setattr(precision, "has_accelerator", lambda: False)
    assert with_precision(TrainOptions()).precision == "float32"


def test_a_slow_precision_is_said(monkeypatch, tmp_path):
    machine(monkeypatch, tmp_path / "cpuinfo", AVX2)
    assert "--precision auto" in slow_precision(TrainOptions(precision="bfloat16"))
    assert slow_precision(TrainOptions(precision="float32")) == ""
    machine(monkeypatch, tmp_path / "cpuinfo", AMX)
    has_fast_bfloat16.cache_clear()
    assert slow_precision(TrainOptions(precision="bfloat16")) == ""


@pytest.mark.usefixtures("tiny")
def test_the_network_is_built_in_it(monkeypatch, tmp_path):
    options = replace(QUICK, precision="auto")
    for cpu, compute in ((AVX2, "float32"), (AMX, "bfloat16")):
        has_fast_bfloat16.cache_clear()
        machine(monkeypatch, tmp_path / "cpuinfo", cpu)
        model = network_for_training(options, 128.0, 64.0)
        assert model.layers[3].compute_dtype == compute


@pytest.mark.usefixtures("tiny")
def test_a_run_writes_down_which_one_it_was_and_says_a_slow_one(monkeypatch, tmp_path):
    machine(monkeypatch, tmp_path / "cpuinfo", AVX2)
    options = replace(QUICK, epochs=1, precision="auto")
    train_and_ship(made_dataset(), options, tmp_path / "run")
    assert json.loads((tmp_path / "run" / "options.json").read_text())["precision"] == "float32"
    card = json.loads((tmp_path / "run" / "card.json").read_text())
    assert card["training"]["options"]["precision"] == "float32"

    told = Told()
    slow = replace(options, precision="bfloat16")
    fit(made_dataset(), slow, tmp_path / "slow", progress=told)
    assert any("slower in bfloat16 than in float32" in text for text in told.said)


def test_a_finished_network_is_asked_in_what_a_card_is_quick_in(monkeypatch, tmp_path):
    built = Tiny().build(ArchitectureOptions())
    crops = np.random.default_rng(0).integers(0, 256, (20, 48, 48, 1)).astype(np.float32)
    machine(monkeypatch, tmp_path / "cpuinfo", AVX2)
    assert fast_copy(built) is built
    has_fast_bfloat16.cache_clear()
    machine(monkeypatch, tmp_path / "cpuinfo", AVX2, 9)
    copy = fast_copy(built)
    kinds = {layer.name: layer.compute_dtype for layer in copy.layers[1:]}
    assert kinds.pop("logits") == kinds.pop(OUTPUT) == "float32"
    assert set(kinds.values()) == {"bfloat16"}
    np.testing.assert_allclose(
        probabilities_of(copy, crops, 20), np.asarray(built(crops)), atol=0.02
    )
