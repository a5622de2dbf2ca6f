"""The Training metrics tab on half-written, old and empty folders."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.app.metrics_page import (
    charts,
    figures,
    notes,
    opened,
    section,
)
from tests.made_models import made_evaluation, make_model


def test_no_models_at_all(models: Path) -> None:
    assert "There is no model folder" in notes(opened())


def test_a_models_folder_that_does_not_exist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FER_LIVE_MODELS", str(tmp_path / "none"))
    assert "There is no model folder" in notes(opened())


def test_an_empty_folder(models: Path) -> None:
    (models / "empty").mkdir()
    tab = opened()
    said = notes(tab)
    assert "no card yet" in said
    assert "no history.csv" in said
    assert "no evaluation.json" in said
    assert not charts(tab)


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("evaluation.json", "{", "half written"),
        ("evaluation.json", "", "half written"),
        ("evaluation.json", "[1, 2]", "names none of the splits"),
        ("evaluation.json", '{"test": {"accuracy": 0.7}}', "names none of the splits"),
        ("evaluation.json", '{"PrivateTest": {"accuracy": 0.7}}', "'classes' is missing"),
        ("evaluation.json", '{"PrivateTest": null}', "another form"),
        ("evaluation.json", '{"PrivateTest": {"classes": 5}}', "another form"),
        ("history.csv", "", "no epoch that can be drawn"),
        ("history.csv", "epoch,seconds,learning_rate,loss", "no epoch that can be drawn"),
        ("history.csv", "a;b\n1;2\n", "no epoch that can be drawn"),
        ("history.csv", "epoch,loss\n1,nan\n2,inf\n", "no epoch that can be drawn"),
        ("history.csv", "\x00\x01\x02", "no epoch that can be drawn"),
        ("card.json", "{", "cannot be read"),
        ("card.json", "[]", "not a JSON object"),
        ("card.json", '{"schema": 0, "name": "old"}', "schema 0"),
        ("card.json", '{"schema": 1, "name": "x"}', "lacks something"),
    ],
)
def test_a_file_that_cannot_be_used_is_a_sentence(
    file: str, content: str, words: str, models: Path
) -> None:
    (make_model(models / "odd") / file).write_text(content)
    tab = opened()
    assert words in notes(tab)
    # The other files are shown all the same.
    assert len(charts(tab)) == (0 if file == "history.csv" else 2)
    assert bool(figures(tab)) == (file != "evaluation.json")


@pytest.mark.parametrize(
    "change",
    [
        {"confusion_matrix": [[1, 2], [3, 4]]},
        {"confusion_matrix": [[-1] * 7] * 7},
        {"confusion_matrix": "none"},
        {"accuracy": 71.2},
        {"accuracy": None},
        {"per_class": {}},
        {"accuracy_interval": [0.1]},
        {"macro_f1": "high"},
    ],
)
def test_an_evaluation_of_another_form_is_left_out(change: dict[str, Any], models: Path) -> None:
    folder = make_model(models / "odd")
    good = made_evaluation()
    (folder / "evaluation.json").write_text(
        json.dumps({"PrivateTest": {**good, **change}, "PublicTest": good})
    )
    tab = opened()
    assert "evaluation of PrivateTest" in notes(tab)
    assert tab.selectbox(key="metrics_split").value == "PublicTest"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("parameters", "many"),
        ("temperature", 1),
        ("figures", {"PrivateTest": 3}),
        ("figures", {"PrivateTest": {"accuracy": 0.5, "accuracy_low": 0.4}}),
        ("training", []),
        ("out_of_scope", 3),
    ],
)
def test_a_card_with_odd_values_never_breaks_the_page(key: str, value: Any, models: Path) -> None:
    file = make_model(models / "odd") / "card.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), key: value}))
    tab = opened()
    assert len(charts(tab)) == 2
    for name in ("Card", "Data"):
        assert not section(tab, name).error


def test_an_old_history_with_fewer_columns_is_drawn(models: Path) -> None:
    folder = make_model(models / "old")
    (folder / "history.csv").write_text("epoch,loss,accuracy\n0,1.5,0.4\n1,1.2,0.5\n")
    accuracy = charts(opened())[0]
    assert [line["name"] for line in accuracy["data"]] == ["training"]
    assert accuracy["data"][0]["y"] == pytest.approx([40, 50])
