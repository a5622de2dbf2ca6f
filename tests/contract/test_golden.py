"""The shipped model's probabilities on fixed crops: a change of any part on the way shows here."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.contract.golden import COMMAND, GOLDEN_FILE, observed

TOLERANCE = 1e-3
"""LiteRT's kernels differ from processor to processor in the last digits."""


def stale(golden: dict[str, object], now: dict[str, object]) -> str | None:
    """Why `golden` is not of this model; None when it is."""
    if (golden["sha256"], golden["temperature"]) == (now["sha256"], now["temperature"]):
        return None
    return (
        f"{GOLDEN_FILE.name} was made from the model {golden['model']} "
        f"({str(golden['sha256'])[:12]}, temperature {golden['temperature']}); the shipped model "
        f"is {now['model']} ({str(now['sha256'])[:12]}, temperature {now['temperature']}). "
        f"If the new model is meant, run `{COMMAND}` and commit the file."
    )


def test_the_shipped_model_says_what_it_said(model_folder: Path) -> None:
    if not GOLDEN_FILE.is_file():
        pytest.fail(f"There is no {GOLDEN_FILE.name}. Run `{COMMAND}`.", pytrace=False)
    golden = json.loads(GOLDEN_FILE.read_text(encoding="utf-8"))
    now = observed(model_folder)
    why = stale(golden, now)
    if why is not None:
        pytest.fail(why, pytrace=False)
    assert golden["classes"] == now["classes"]
    assert golden["probabilities"].keys() == now["probabilities"].keys()
    for name, row in golden["probabilities"].items():
        np.testing.assert_allclose(now["probabilities"][name], row, atol=TOLERANCE, err_msg=name)


def test_a_smiling_face_is_happy(model_folder: Path) -> None:
    now = observed(model_folder)
    for name in ("face", "face_mirrored"):
        row = now["probabilities"][name]
        assert now["classes"][int(np.argmax(row))] == "happy", row


@pytest.mark.parametrize(("key", "value"), [("sha256", "0" * 64), ("temperature", 9.0)])
def test_a_file_of_another_model_is_said(key: str, value: object, model_folder: Path) -> None:
    now = observed(model_folder)
    sentence = stale({**now, key: value}, now)
    assert sentence is not None
    assert COMMAND in sentence
    assert stale(now, now) is None
