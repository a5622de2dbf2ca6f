"""`models list | show | verify` over folders made for the test, and over the shipped ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fer_core import cli
from fer_core.errors import ModelError
from fer_core.model_store import (
    MODELS_VARIABLE,
    file_sha256,
    list_models,
    load_card,
    runnable_models,
    verify_model,
    write_card,
)
from tests.made_models import make_model


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "models"
    for name in ("alpha", "beta"):
        folder = make_model(root / name)
        network = folder / "model.tflite"
        network.write_bytes(name.encode())
        card = load_card(folder)
        card.files.clear()
        card.files["model.tflite"] = {"sha256": file_sha256(network), "bytes": len(name)}
        write_card(card, folder)
    (root / "default").write_text("beta\n")
    monkeypatch.setenv(MODELS_VARIABLE, str(root))
    return root


def test_list_for_people_and_for_programs(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["models", "list"]) == 0
    out = capsys.readouterr().out
    lines = [line for line in out.splitlines() if "compact48" in line]
    assert len(lines) == 2
    assert "beta (default)" in lines[1]
    assert "69.00 %" in lines[0]
    assert cli.main(["models", "list", "--json"]) == 0
    entries = json.loads(capsys.readouterr().out)
    assert [(entry["name"], entry["default"]) for entry in entries] == [
        ("alpha", False), ("beta", True)
    ]  # fmt: skip
    assert entries[0]["accuracy"] == 0.69


def test_a_folder_with_figures_only_is_listed_but_never_offered(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = root / "alpha"
    card = load_card(folder)
    card.files.clear()
    write_card(card, folder)
    assert list_models() == ["alpha", "beta"]
    assert runnable_models() == ["beta"]
    assert cli.main(["models", "list"]) == 0
    assert "figures only" in capsys.readouterr().out
    assert cli.main(["models", "verify"]) == 0
    assert "alpha" not in capsys.readouterr().out
    with pytest.raises(ModelError, match="holds figures only, no network to run"):
        verify_model(folder, only="model.tflite")


def test_a_folder_with_a_broken_card_is_still_offered(root: Path) -> None:
    (root / "alpha" / "card.json").write_text("{")
    assert runnable_models() == ["alpha", "beta"]


def test_show_says_what_the_card_says(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["models", "show"]) == 0
    out = capsys.readouterr().out
    for words in ("beta", "905,000", "temperature", "Fear is often taken for sadness."):
        assert words in out
    assert cli.main(["models", "show", "alpha", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown.pop("folder") == str(root / "alpha")
    assert shown == json.loads((root / "alpha" / "card.json").read_text())


def test_show_gives_shares_in_percent_with_their_interval(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = root / "beta"
    card = load_card(folder)
    card.figures["PrivateTest"] = {
        "accuracy": 0.69, "accuracy_low": 0.675, "accuracy_high": 0.7054,
        "expected_calibration_error": 0.0141, "share_shown": 0.5812, "images": 3589,
    }  # fmt: skip
    write_card(card, folder)
    assert cli.main(["models", "show", "beta"]) == 0
    out = capsys.readouterr().out
    assert "accuracy 69.00 % (95 %: 67.50 to 70.54), calibration error 1.41 %" in out
    assert "labelled 58.12 %, 3,589 images" in out
    assert "accuracy low" not in out


def test_verify_finds_what_was_altered(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["models", "verify"]) == 0
    assert capsys.readouterr().out.count("whole") == 2
    (root / "alpha" / "model.tflite").write_bytes(b"other")
    assert cli.main(["models", "verify", "--json"]) == 1
    out, err = capsys.readouterr()
    assert [entry["ok"] for entry in json.loads(out)] == [False, True]
    assert "the SHA-256 differs" in err
    assert len(err.splitlines()) == 1
    assert cli.main(["models", "verify", "beta"]) == 0


def test_a_broken_card_does_not_hide_the_others(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "alpha" / "card.json").write_text("{")
    assert cli.main(["models", "list"]) == 1
    out, err = capsys.readouterr()
    assert "beta" in out
    assert "card.json cannot be read" in err


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["models", "show", "nowhere"], 2, "There is no model called 'nowhere'."),
        (["models", "verify", "nowhere"], 1, "There is no model called 'nowhere'."),
    ],
)
@pytest.mark.usefixtures("root")
def test_a_name_that_does_not_exist(
    arguments: list[str], code: int, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == code
    err = capsys.readouterr().err
    assert sentence in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("action", ["list", "verify"])
def test_no_models_at_all(
    action: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(MODELS_VARIABLE, str(tmp_path))
    assert cli.main(["models", action]) == 2
    assert "There is no model in" in capsys.readouterr().err


def test_the_shipped_models_are_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["models", "verify"]) == 0
    capsys.readouterr()
