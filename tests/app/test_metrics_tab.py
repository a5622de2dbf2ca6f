"""The Training metrics tab on whole folders, a run that goes on, and twenty models."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from fer_core.emotions import CLASSES
from tests.app.metrics_made import CORRUPTIONS, full_evaluation, make_full_model
from tests.app.metrics_page import (
    charts,
    choose,
    figures,
    html,
    notes,
    opened,
    page_with_other_tab,
    section,
    texts,
)
from tests.made_models import made_evaluation, make_history, make_model
from ui.metrics_tab import SECTIONS

ROOT = Path(__file__).parents[2]
OPENS_IN = 2.0
"""Seconds of processor time in which the tab opens: a busy machine is not the tab's fault."""


def test_a_whole_folder_shows_everything(models: Path) -> None:
    make_full_model(models / "first", right=0.6)
    make_full_model(models / "second", right=0.7)
    (models / "default").write_text("second\n")
    tab = opened()
    assert tab.multiselect(key="metrics_models").options == ["first", "second"]
    assert tab.multiselect(key="metrics_models").value == ["second"]
    assert not tab.info
    expected = full_evaluation(0.7)
    assert figures(tab) == {
        "Accuracy": f"{expected['accuracy']:.1%}",
        "Macro-F1": f"{expected['macro_f1']:.1%}",
        "Top 2": "86.0%",
        "Mean AUC": "0.780",
        "Calibration error": "2.1%",
        "Under corruptions": "56.0%",
        "Not in training": f"{expected['accuracy'] - 0.01:.1%}",
    }
    assert "3,500 images" in texts(tab)
    accuracy, loss = charts(tab)
    names = [line["name"] for line in accuracy["data"]]
    assert names == ["training", "validation", "best epoch", "learning rate"]
    assert len(loss["data"][0]["x"]) == 12
    best = accuracy["data"][2]
    assert best["y"][0] == max(accuracy["data"][1]["y"])
    assert accuracy["layout"]["shapes"][0]["x0"] == best["x"][0]
    rate = accuracy["data"][3]
    assert rate["yaxis"] == "y2"
    assert rate["y"][:2] == pytest.approx([0.1, 0.05])
    assert accuracy["layout"]["yaxis2"]["side"] == "right"


def test_every_section_of_one_model(models: Path) -> None:
    expected = json.loads((make_full_model(models / "only") / "evaluation.json").read_text())
    expected = expected["PrivateTest"]
    tab = opened()
    happy = CLASSES.index("happy")
    truth = expected["confusion_matrix"][happy]

    (confusion,) = charts(section(tab, "Confusion"))
    cells, clicks = confusion["data"]
    assert cells["x"] == list(CLASSES)
    assert clicks["customdata"][7 * happy + happy][0] == f"{truth[happy]:,} of 500"
    assert confusion["layout"]["clickmode"] == "event+select"

    (bars,) = charts(section(tab, "Classes"))
    assert [bar["name"] for bar in bars["data"]] == ["precision", "recall", "F1"]
    assert bars["data"][1]["x"][happy] == pytest.approx(100 * truth[happy] / 500)
    assert bars["data"][1]["error_x"]["array"][happy] > 0
    assert "false pos." in html(tab)

    roc, recall = charts(section(tab, "ROC"))
    assert [line["name"] for line in roc["data"][:7]] == list(CLASSES)
    assert roc["data"][0]["y"] == expected["roc"]["angry"]["true_positive_rate"]
    assert recall["data"][0]["y"] == expected["precision_recall"]["angry"]["precision"]

    (reliability,) = charts(section(tab, "Confidence"))
    named = [line.get("name") for line in reliability["data"]]
    assert [name for name in named if name] == ["before scaling", "after scaling"]
    # Empty bins are no points.
    assert len(reliability["data"][1]["x"]) == 12

    (worse,) = charts(section(tab, "Corruptions"))
    assert [line["name"] for line in worse["data"]] == [
        name.replace("_", " ") for name in CORRUPTIONS
    ]
    assert worse["data"][0]["x"] == ["none", "mild", "medium", "strong"]
    assert worse["data"][0]["y"][1:] == pytest.approx([63, 56, 49])

    (balance,) = charts(section(tab, "Data"))
    assert [bar["name"] for bar in balance["data"]] == ["PublicTest", "PrivateTest"]
    assert "FER_LIVE_DATA" in notes(tab)

    section(tab, "Card")
    assert "905,000" in html(tab)
    assert "No demographic audit was made." in texts(tab)
    assert "69.0% on 3,589 images" in html(tab)


def test_a_card_says_how_sure_its_figures_are_and_what_it_is_not_for(models: Path) -> None:
    file = make_model(models / "sure") / "card.json"
    figures = {
        "accuracy": 0.7,
        "accuracy_low": 0.68,
        "accuracy_high": 0.72,
        "share_shown": 0.6,
        "accuracy_shown": 0.85,
        "images": 3589,
    }
    told = {
        "figures": {"PrivateTest": figures},
        "out_of_scope": ["Telling who <b>somebody</b> is."],
    }
    file.write_text(json.dumps({**json.loads(file.read_text()), **told}))
    tab = section(opened(), "Card")
    assert "70.0% (95 %: 68.0 to 72.0) on 3,589 images" in html(tab)
    assert "60.0%, of which 85.0% are right" in html(tab)
    assert "**Out of scope**\n- Telling who" in texts(tab)


def test_model_split_and_cells_can_be_chosen(models: Path) -> None:
    make_model(models / "first", right=0.6)
    make_model(models / "second", right=0.7)
    tab = choose(opened(), "second")
    tab.selectbox(key="metrics_split").select("Training").run()
    assert not tab.exception
    assert figures(tab)["Accuracy"] == f"{made_evaluation(0.8)['accuracy']:.1%}"
    shares = charts(section(tab, "Confusion"))[0]["data"][0]["text"][0][0]
    tab.session_state["metrics_cells"] = "counts"
    tab.run()
    assert not tab.exception
    counts = charts(tab)[0]["data"][0]["text"][0][0]
    assert (shares, counts) == ("80", "400")
    choose(tab)
    assert "Choose a model" in notes(tab)


def test_what_was_chosen_is_there_after_a_look_at_another_tab(models: Path) -> None:
    for name in ("first", "second"):
        make_full_model(models / name)
    tab = AppTest.from_function(page_with_other_tab, default_timeout=60).run()
    section(choose(tab, "second", "first"), "ROC")
    tab.checkbox[0].uncheck().run()
    assert not tab.multiselect
    tab.checkbox[0].check().run()
    assert not tab.exception
    assert tab.multiselect(key="metrics_models").value == ["second", "first"]
    assert len(charts(tab)) == 2


def test_the_browser_is_told_the_chosen_models_in_every_run(models: Path) -> None:
    """A click elsewhere may break off the first run, whose message then never arrives."""
    for name in ("first", "second"):
        make_full_model(models / name)
    (models / "default").write_text("second\n")
    tab = opened()
    for _ in range(2):
        assert list(tab.multiselect(key="metrics_models").proto.default) == [1]
        tab.run()
    choose(tab, "first", "second").run()
    assert list(tab.multiselect(key="metrics_models").proto.default) == [0, 1]
    choose(tab).run()
    assert list(tab.multiselect(key="metrics_models").proto.default) == []
    assert not tab.exception


def test_a_chosen_model_whose_folder_is_gone_leaves_the_others(models: Path) -> None:
    for name in ("first", "second", "third"):
        make_full_model(models / name)
    (models / "default").write_text("third\n")
    tab = choose(opened(), "first", "second")
    shutil.rmtree(models / "first")
    tab.run()
    assert tab.multiselect(key="metrics_models").value == ["second"]
    shutil.rmtree(models / "second")
    tab.run()
    assert tab.multiselect(key="metrics_models").value == ["third"]
    assert not tab.exception
    assert not tab.warning


def test_models_side_by_side_with_what_differs_marked(models: Path) -> None:
    for name, right in (("base", 0.6), ("near", 0.603), ("best", 0.75)):
        make_full_model(models / name, right)
    tab = choose(opened(), "base", "near", "best")
    accuracy = re.search(r"<tr><th>Accuracy</th>(.*?)</tr>", html(tab))
    assert accuracy
    base, near, best = re.findall(r"<td>(.*?)</td>", accuracy[1])
    assert "fer-better" in best
    assert "▲ +" in best
    assert "fer-" not in base + near
    assert "<small>+0." in near
    calibration = re.search(r"<tr><th>Calibration error</th>(.*?)</tr>", html(tab))
    assert calibration
    assert "fer-better" not in calibration[1]
    for name, count in zip(SECTIONS, (2, 3, 1, 2, 3, 1, 1, 0), strict=True):
        assert len(charts(section(tab, name))) == count, name
        assert not tab.error
    lines = charts(section(tab, "Training"))[0]["data"]
    assert sum(line["name"] == "best epoch" for line in lines) == 3
    tab.session_state["metrics_cells"] = "difference"
    near_chart, best_chart = charts(section(tab, "Confusion"))
    assert not any("*" in text for row in near_chart["data"][0]["text"] for text in row)
    assert "*" in best_chart["data"][0]["text"][0][0]


def row_of(label: str, tab: AppTest) -> list[str]:
    (found,) = re.findall(rf"<tr><th>{label}</th>(.*?)</tr>", html(tab))
    return re.findall(r"<td(?: class=\"fer-words\")?>(.*?)</td>", found)


def change(folder: Path, **figures: object) -> None:
    """Other figures of PrivateTest."""
    file = folder / "evaluation.json"
    found = json.loads(file.read_text())
    found["PrivateTest"].update(figures)
    file.write_text(json.dumps(found))


def too_sure(by: float) -> dict[str, object]:
    """A calibration error of `by`, with the bin that it comes from."""
    bins = {"low": 0.8, "high": 0.9, "images": 3500, "confidence": 0.85, "accuracy": 0.85 - by}
    return {"expected_calibration_error": by, "reliability": {"after": [bins]}}


def test_areas_and_calibration_errors_are_marked_too(models: Path) -> None:
    for name, right, by in (("base", 0.6, 0.1), ("near", 0.6, 0.101), ("best", 0.75, 0.02)):
        change(make_full_model(models / name, right), **too_sure(by))
    tab = choose(opened(), "base", "near", "best")
    for label, mark in (("Mean AUC", "▲ +0.060"), ("Calibration error", "▼ −8.0")):
        base, near, best = row_of(label, tab)
        assert "<small>" in base, "its interval"
        assert "fer-" not in base + near
        assert "fer-better" in best
        assert mark in best
    base, near, best = row_of("Calibration error after", section(tab, "Confidence"))
    assert ("fer-better" in near, "fer-better" in best) == (False, True)
    averages = html(section(tab, "ROC")).partition("0.600")[2]
    assert "▲ +0.150" in averages, "of the average precision"


def test_several_views_stand_in_rows_of_their_own(models: Path) -> None:
    for name, kind, share in (("one", "flip", 0.5), ("two", "ten-crop", 0.6), ("six", "flip", 0.8)):
        views = {"views": kind, "accuracy": share}
        change(make_full_model(models / name), test_time_augmentation=views)
    make_full_model(models / "without")
    assert figures(choose(opened(), "one"))["Several views: flip"] == "50.0%"
    tab = choose(opened(), "one", "two", "six", "without")
    one, two, six, without = row_of("Several views: flip", tab)
    assert one.startswith("50.0 %")
    assert "▲ +30.0" in six
    assert two == without == ""
    assert row_of("Several views: ten-crop", tab)[1] == "60.0 %<small>58.4 to 61.6</small>"


def test_a_worse_model_is_marked_the_other_way(models: Path) -> None:
    for name, right in (("good", 0.75), ("bad", 0.6)):
        make_full_model(models / name, right)
    shown = html(choose(opened(), "good", "bad"))
    assert "fer-worse" in shown
    assert "▼ −" in shown
    assert "fer-better" not in shown


def test_models_of_other_classes_stand_beside_without_marks(models: Path) -> None:
    make_full_model(models / "seven")
    folder = make_model(models / "three")
    names = ["happy", "sad", "neutral"]
    part = made_evaluation(0.9)
    part.update(
        classes=names,
        confusion_matrix=[[90, 5, 5], [5, 90, 5], [5, 5, 90]],
        per_class={name: part["per_class"][name] for name in names},
        images=300,
    )
    (folder / "evaluation.json").write_text(json.dumps({"PrivateTest": part}))
    tab = choose(opened(), "seven", "three")
    for name in SECTIONS:
        section(tab, name)
        assert "fer-better" not in html(tab)
    assert "it knows other classes" in texts(section(tab, "Classes"))


def test_a_model_without_an_evaluation_beside_one_with_it(models: Path) -> None:
    make_full_model(models / "whole")
    (models / "empty").mkdir()
    tab = choose(opened(), "empty", "whole")
    for name in SECTIONS:
        section(tab, name)
        assert not tab.error
    assert "not evaluated" in notes(section(tab, "ROC"))


def test_an_older_evaluation_says_what_it_lacks(models: Path) -> None:
    make_model(models / "old")
    tab = opened()
    assert not tab.info
    for name, words in (
        ("Confusion", "does not say which images"),
        ("ROC", "holds no curves"),
        ("Confidence", "holds no bins"),
        ("Corruptions", "holds no corruptions"),
    ):
        assert words in notes(section(tab, name))
    assert not charts(section(tab, "ROC"))


def test_a_run_that_is_training_now(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_full_model(models / "done")
    run = tmp_path / "runs" / "now"
    (run / "checkpoint").mkdir(parents=True)
    (run / "options.json").write_text('{"epochs": 10}')
    monkeypatch.setenv("FER_LIVE_RUNS", str(tmp_path / "runs"))
    tab = opened()
    assert "**now** is training: first epoch" in texts(tab)
    assert tab.multiselect(key="metrics_models").options == ["done", "now (training now)"]
    choose(tab, "now")
    assert "in its first epoch" in notes(tab)
    make_history(run / "history.csv", epochs=3)
    with (run / "history.csv").open("a") as stream:
        stream.write("4,61.2,0.0")
    tab.run()
    accuracy, loss = charts(tab)
    assert accuracy["data"][0]["x"] == loss["data"][0]["x"] == [1, 2, 3]
    assert "epoch 3 of 10 done" in texts(tab)
    assert "about 7 min left" in texts(tab)
    assert not tab.info
    make_history(run / "history.csv", epochs=5)
    tab.run()
    assert charts(tab)[0]["data"][0]["x"] == [1, 2, 3, 4, 5]
    # It ends: the folder is a model like any other.
    (run / "checkpoint").rmdir()
    for name in ("card.json", "evaluation.json"):
        (run / name).write_text((models / "done" / name).read_text())
    tab.run()
    assert "is training" not in texts(tab)
    assert "Accuracy" in figures(tab)


def test_twenty_models_open_quickly(models: Path) -> None:
    for number in range(20):
        make_full_model(models / f"model{number:02}")
    opened()
    started = time.process_time()
    opened()
    assert time.process_time() - started < OPENS_IN


def test_no_network_library_is_imported(models: Path) -> None:
    make_model(models / "only")
    code = (
        "import sys\n"
        "from streamlit.testing.v1 import AppTest\n"
        "from tests.app.metrics_page import page\n"
        "tab = AppTest.from_function(page, default_timeout=60).run()\n"
        "assert not tab.exception\n"
        "heavy = {'tensorflow', 'keras', 'mediapipe', 'ai_edge_litert'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
