"""The Training metrics tab on whole, half-written, old and empty folders."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from fer_core.emotions import CLASSES
from tests.made_models import made_evaluation, make_history, make_model

ROOT = Path(__file__).parents[2]
OPENS_IN = 2.0
"""Seconds of processor time in which the tab opens: a busy machine is not the tab's fault."""


def page() -> None:
    from ui import metrics_tab

    metrics_tab.render()


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    monkeypatch.setenv("FER_LIVE_MODELS", str(folder))
    return folder


def opened() -> AppTest:
    tab = AppTest.from_function(page, default_timeout=60).run()
    assert not tab.exception
    return tab


def charts(tab: AppTest) -> list[dict[str, Any]]:
    return [json.loads(chart.proto.spec) for chart in tab.get("plotly_chart")]


def notes(tab: AppTest) -> str:
    return "\n".join(note.value for note in tab.info)


def test_a_whole_folder_shows_everything(models: Path) -> None:
    make_model(models / "first", right=0.6)
    make_model(models / "second", right=0.7)
    (models / "default").write_text("second\n")
    tab = opened()
    assert tab.selectbox(key="metrics_model").options == ["first", "second"]
    assert tab.selectbox(key="metrics_model").value == "second"
    assert not tab.info
    figures = {metric.label: metric.value for metric in tab.metric}
    expected = made_evaluation(0.7)
    assert figures["Accuracy"] == f"{expected['accuracy']:.1%}"
    assert figures["Macro-F1"] == f"{expected['macro_f1']:.1%}"
    assert figures["Images"] == "3,500"
    accuracy, loss, confusion, bars = charts(tab)
    assert [line["name"] for line in accuracy["data"]] == ["training", "validation"]
    assert len(loss["data"][0]["x"]) == 12
    assert confusion["data"][0]["x"] == list(CLASSES)
    happy = CLASSES.index("happy")
    truth = expected["confusion_matrix"][happy]
    assert confusion["data"][0]["customdata"][happy][happy] == f"{truth[happy]:,} of 500"
    assert [bar["name"] for bar in bars["data"]] == ["precision", "recall", "F1"]
    assert bars["data"][1]["x"][happy] == pytest.approx(100 * truth[happy] / 500)
    shown = "\n".join(text.value for text in tab.markdown)
    assert "905,000" in shown
    assert "No demographic audit was made." in shown
    assert "69.0% on 3,589 images" in shown


def test_model_split_and_cells_can_be_chosen(models: Path) -> None:
    make_model(models / "first", right=0.6)
    make_model(models / "second", right=0.7)
    tab = opened()
    tab.selectbox(key="metrics_model").select("second").run()
    tab.selectbox(key="metrics_split_second").select("Training").run()
    assert not tab.exception
    figures = {metric.label: metric.value for metric in tab.metric}
    assert figures["Accuracy"] == f"{made_evaluation(0.8)['accuracy']:.1%}"
    shares = charts(tab)[2]["data"][0]["text"][0][0]
    tab.session_state["metrics_cells"] = "counts"
    tab.run()
    assert not tab.exception
    counts = charts(tab)[2]["data"][0]["text"][0][0]
    assert (shares, counts) == ("80", "400")


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


def test_a_run_that_is_training_now(models: Path) -> None:
    run = models / "now"
    run.mkdir()
    make_history(run / "history.csv", epochs=3)
    with (run / "history.csv").open("a") as stream:
        stream.write("4,61.2,0.0")
    tab = opened()
    accuracy, loss = charts(tab)
    assert accuracy["data"][0]["x"] == loss["data"][0]["x"] == [1, 2, 3]
    assert "rows of its history" not in notes(tab)


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
    assert len(charts(tab)) == {"history.csv": 2, "evaluation.json": 2, "card.json": 4}[file]


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
    assert tab.selectbox(key="metrics_split_odd").value == "PublicTest"


@pytest.mark.parametrize(
    ("key", "value"),
    [("parameters", "many"), ("temperature", 1), ("figures", {"PrivateTest": 3}), ("training", [])],
)
def test_a_card_with_odd_values_never_breaks_the_page(key: str, value: Any, models: Path) -> None:
    file = make_model(models / "odd") / "card.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), key: value}))
    assert len(charts(opened())) == 4


def test_an_old_history_with_fewer_columns_is_drawn(models: Path) -> None:
    folder = make_model(models / "old")
    (folder / "history.csv").write_text("epoch,loss,accuracy\n0,1.5,0.4\n1,1.2,0.5\n")
    accuracy = charts(opened())[0]
    assert [line["name"] for line in accuracy["data"]] == ["training"]
    assert accuracy["data"][0]["y"] == pytest.approx([40, 50])


def test_twenty_models_open_quickly(models: Path) -> None:
    for number in range(20):
        make_model(models / f"model{number:02}")
    opened()
    started = time.process_time()
    opened()
    assert time.process_time() - started < OPENS_IN


def test_no_network_library_is_imported(models: Path) -> None:
    make_model(models / "only")
    code = (
        "import sys\n"
        "from streamlit.testing.v1 import AppTest\n"
        "from tests.app.test_metrics_tab import page\n"
        "tab = AppTest.from_function(page, default_timeout=60).run()\n"
        "assert not tab.exception\n"
        "heavy = {'tensorflow', 'keras', 'mediapipe', 'ai_edge_litert'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
