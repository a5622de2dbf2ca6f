"""Under JAX whole chunks of steps are one call: the same training, step for step."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .jax_child import needs_jax, printed_under_jax

SCRIPT = """
import json, sys
from dataclasses import replace
from pathlib import Path
import keras
import train.architectures as registry
import train.device_batches, train.epochs, train.feed, train.scanned
from fer_core.errors import TrainingError
from tests.unit.train.made import made_dataset
from tests.unit.train.tiny import QUICK, Tiny, teacher_folder
from train.architectures._pieces import auxiliary_output, conv_relu, residual_stage
from train.architectures.base import OUTPUT, classifier_head
from train.fit import fit

class Beside(Tiny):
    name = "beside"
    auxiliary_weight = 0.3
    def network(self, x, options, decay):
        x = conv_relu(x, 4, 3, 2, decay)
        beside = keras.layers.GlobalAveragePooling2D()(x)
        x = classifier_head(residual_stage(x, 8, 1, 2, decay), options, decay)
        return {OUTPUT: x, "auxiliary_1": auxiliary_output(beside, options, decay, "auxiliary_1")}

registry.ARCHITECTURES |= {"tiny": Tiny, "beside": Beside}
folder = Path(sys.argv[2])
teacher = str(teacher_folder(folder / "teacher", 5))
# As on a GPU: there is none to test on.
train.feed.has_accelerator = lambda: True
can_scan, steps, chunks = train.scanned.can_scan, train.scanned.Scanned._run, []
train.scanned.Scanned._run = lambda self, *given: chunks.append(1) or steps(self, *given)


def trained(options, scans, run):
    train.epochs.can_scan = can_scan if scans else lambda model, options: False
    chunks.clear()
    try:
        model, history = fit(made_dataset(), options, run)
    except TrainingError as error:
        return {"error": str(error), "chunks": len(chunks)}
    weights = [float(abs(weight).sum()) for weight in model.get_weights()]
    return {"history": history, "weights": weights, "chunks": len(chunks)}


for name, change in json.loads(sys.argv[1]).items():
    train.device_batches._CHUNK = change.pop("chunk", 4096)
    if "distillation" in change:
        change["teachers"] = (teacher,)
    options = replace(QUICK, **{"dropout": 0.0, **change})
    both = [trained(options, scans, folder / f"{name} {scans}") for scans in (True, False)]
    print("FOUND", json.dumps([name, *both]))
"""

TEACHERS = {"distillation": 0.8, "distillation_views": "seen", "distillation_rounds": 2}

CHANGES: dict[str, dict[str, object]] = {
    "two outputs": {
        "architecture": "beside",
        "class_balance": "weights",
        "mixup": 0.3,
        "cutmix": 0.3,
    },
    # Five batches, of which the second chunk holds the last two.
    "averages": {
        "chunk": 60,
        **TEACHERS,
        "averaging": 0.9,
        "optimiser": "adamw",
        "clip_norm": 1.0,
        "cutmix": 0.5,
        "batch_size": 20,
    },
    "softened": {**TEACHERS, "distillation_temperature": 2.0},
    "no number": {"learning_rate": 3e38, "warmup_epochs": 0.0, "optimiser": "adam"},
}

pytestmark = needs_jax


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """By name of a change, what training in chunks and training step by step came to."""
    folder = tmp_path_factory.mktemp("runs")
    printed = printed_under_jax(SCRIPT, "FOUND", json.dumps(CHANGES), str(folder))
    rows = [json.loads(line) for line in printed]
    return {name: both for name, *both in rows}


@pytest.mark.parametrize("name", [name for name in CHANGES if name != "no number"])
def test_chunks_train_as_steps_do(found, name):
    whole, steps = found[name]
    # Compiled once, or twice where the last chunk is shorter; and not at all step by step.
    assert whole["chunks"] == (2 if name == "averages" else 1)
    assert steps["chunks"] == 0
    assert len(whole["history"]) == len(steps["history"]) == 3
    for mine, theirs in zip(whole["history"], steps["history"], strict=True):
        for figure in ("loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"):
            assert mine[figure] == pytest.approx(theirs[figure], rel=0.02, abs=1e-4), figure
    assert whole["weights"] == pytest.approx(steps["weights"], rel=0.02, abs=1e-3)


def test_a_loss_that_is_no_number_ends_the_run(found):
    for run in found["no number"]:
        assert "The loss is no longer a number at epoch 1" in run["error"]
        assert "Train anew with a lower --learning-rate" in run["error"]
