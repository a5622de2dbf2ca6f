"""What can be chosen, as `/v1/models` tells it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fer_core.detectors import DETECTORS
from fer_core.emotions import CLASSES
from tests.api.conftest import Client
from tests.made_models import make_model


def test_models_are_listed_with_their_figures_and_those_without_weights_are_not(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("second", "first", "figures", "damaged"):
        make_model(tmp_path / name)
    card = tmp_path / "figures" / "card.json"
    card.write_text(json.dumps({**json.loads(card.read_text()), "files": {}}))
    (tmp_path / "damaged" / "card.json").write_text("{")
    (tmp_path / "default").write_text("second\n")
    monkeypatch.setenv("FER_LIVE_MODELS", str(tmp_path))
    answer = client.get("/v1/models")
    assert answer.status_code == 200
    same = {
        "architecture": "compact48",
        "classes": list(CLASSES),
        "input_size": 48,
        "parameters": 905_000,
        "multiply_adds": 85_000_000,
        "uncertain_below": 0.4,
        "figures": {"PrivateTest": {"accuracy": 0.69, "macro_f1": 0.66, "images": 3589}},
        "intended_use": "Labels of facial expressions for people who look at themselves.",
        "out_of_scope": [],
        "limits": ["No demographic audit was made.", "Fear is often taken for sadness."],
    }
    assert answer.json() == {
        "models": [
            {"name": "first", "default": False, **same},
            {"name": "second", "default": True, **same},
        ],
        "detectors": list(DETECTORS),
    }
