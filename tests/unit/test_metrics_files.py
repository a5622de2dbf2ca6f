"""Whatever lies in a folder, reading and drawing it never fails; what is whole is shown."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from fer_core.emotions import CLASSES
from tests.app.metrics_made import CORRUPTIONS, full_evaluation, make_full_model
from tests.unit.train.made import made_dataset
from train.evaluation import add_corruptions, evaluate_splits, evaluation_text
from ui import metrics_charts, metrics_charts_classes, metrics_charts_scores
from ui.metrics_data import ModelFolder, read_folder
from ui.metrics_evaluation import Evaluation, parse_evaluations
from ui.metrics_figures import cost_rows, reasons
from ui.metrics_mistakes import confusion_rows
from ui.metrics_parts import compare_rows
from ui.metrics_pictures import fits
from ui.metrics_samples import balance_rows, counts_of
from ui.metrics_scores import bin_rows, curve_rows
from ui.metrics_sections import class_rows, corruption_rows
from ui.metrics_training import history_rows

FILES = ("card.json", "history.csv", "evaluation.json", "options.json", "checkpoint")

WHOLE = full_evaluation()
SEEN: list[Evaluation] = []

json_values = some.recursive(
    some.none()
    | some.booleans()
    | some.integers(-(10**20), 10**20)
    | some.floats()
    | some.text(max_size=8),
    lambda inner: (
        some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


def draw_all(evaluation: Evaluation) -> None:
    """Everything that the tab makes of one evaluation, alone and beside a whole one."""
    if evaluation in SEEN:
        return  # charts take their time, and these were drawn
    SEEN.append(evaluation)
    whole = parse_evaluations(json.dumps({"PrivateTest": WHOLE}), [])["PrivateTest"]
    both = {"whole": whole, "other": evaluation}
    colours = ["#111111", "#222222"]
    classes, scores = metrics_charts_classes, metrics_charts_scores
    drawn = [
        classes.confusion(evaluation, shares=True, chosen=("happy", "sad")),
        classes.confusion(evaluation, shares=False),
        classes.per_class(evaluation),
        classes.per_class_of(both, "f1", colours),
        scores.roc(evaluation.roc, scores.colours_of_classes(list(evaluation.roc))),
        scores.precision_recall(evaluation.precision_recall, colours),
        scores.reliability(evaluation.reliability),
        scores.corruptions(evaluation),
        scores.corruption_of(both, None, colours),
    ]
    why = reasons(both)
    if not why[1]:
        drawn.append(classes.confusion_difference(whole, evaluation))
    for chart in drawn:
        assert chart.to_json()
    assert class_rows("other", evaluation)
    confusion_rows(both)
    curve_rows(both)
    bin_rows(both)
    corruption_rows(both)


def draw_folder(found: ModelFolder) -> None:
    for note in found.notes:
        assert note.endswith((".", "?")), note
    if found.history:
        for figure in ("accuracy", "loss"):
            metrics_charts.curves([found], figure, ["#111111"]).to_json()
        assert history_rows([found])
    counts = counts_of(found)
    if counts:
        metrics_charts_classes.balance(counts, shares=True).to_json()
        balance_rows({"it": counts})
    costs = cost_rows([found, found], ("Parameters", "File", "Trained", "Device"))
    compare_rows(["one", "two"], costs, [None, None])
    for evaluation in found.evaluations.values():
        draw_all(evaluation)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=some.sampled_from(FILES), content=some.binary(max_size=60))
def test_any_bytes_in_any_file(tmp_path: Path, name: str, content: bytes) -> None:
    folder = tmp_path / "model"
    if not folder.exists():
        make_full_model(folder)
    whole = (folder / name).read_bytes() if (folder / name).exists() else None
    (folder / name).write_bytes(content)
    try:
        draw_folder(read_folder(folder))
    finally:
        if whole is None:
            (folder / name).unlink()
        else:
            (folder / name).write_bytes(whole)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=some.data())
def test_a_file_that_broke_off_anywhere(tmp_path: Path, data: some.DataObject) -> None:
    folder = tmp_path / "model"
    if not folder.exists():
        make_full_model(folder)
    name = data.draw(some.sampled_from(FILES[:3]))
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[: data.draw(some.integers(0, len(whole) - 1))])
    try:
        draw_folder(read_folder(folder))
    finally:
        (folder / name).write_bytes(whole)


@settings(max_examples=120)
@given(data=some.data())
def test_any_value_anywhere_in_an_evaluation(data: some.DataObject) -> None:
    evaluation = copy.deepcopy(WHOLE)
    holder: Any = evaluation
    while True:
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        key = data.draw(some.sampled_from(keys))
        inner = holder[key]
        if not (isinstance(inner, dict | list) and inner and data.draw(some.booleans())):
            break
        holder = inner
    if data.draw(some.booleans()):
        holder[key] = data.draw(json_values)
    else:
        del holder[key]
    notes: list[str] = []
    found = parse_evaluations(json.dumps({"PrivateTest": evaluation}), notes)
    assert found or notes
    for each in found.values():
        draw_all(each)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("roc", {"sad": {"auc": 0.8}}, "ROC curves"),
        ("precision_recall", 3, "precision and recall curves"),
        ("reliability", {"before": [{"low": 0}]}, "reliability bins"),
        ("corruptions", {"blur": []}, "corruptions"),
        ("mistakes", {"sad": {"happy": [[1]]}}, "mistakes"),
        ("macro_auc", 3, "mean area under the curves"),
    ],
)
def test_a_part_of_another_form_leaves_the_rest(key: str, value: Any, words: str) -> None:
    notes: list[str] = []
    data = {"PrivateTest": {**WHOLE, key: value}}
    found = parse_evaluations(json.dumps(data), notes)["PrivateTest"]
    assert len(notes) == 1
    assert words in notes[0]
    assert not getattr(found, key)
    assert found.accuracy == WHOLE["accuracy"]
    draw_all(found)


def test_a_folder_where_a_file_should_be(tmp_path: Path) -> None:
    for name in FILES:
        (tmp_path / name).mkdir()
    found = read_folder(tmp_path)
    assert any("no file" in note for note in found.notes)
    draw_folder(found)


def test_what_training_writes_is_read_in_full() -> None:
    dataset = made_dataset()
    random = np.random.default_rng(0)

    def run(images: np.ndarray) -> np.ndarray:
        return random.dirichlet(np.ones(7), len(images)).astype(np.float32)

    written, _ = evaluate_splits(dataset, run)
    add_corruptions(written, dataset, run, lambda said: None)
    notes: list[str] = []
    found = parse_evaluations(evaluation_text(written), notes)
    assert notes == []
    assert set(found) == {"Training", "PublicTest", "PrivateTest"}
    private = found["PrivateTest"]
    assert set(private.roc) == set(private.precision_recall) == set(CLASSES)
    assert len(private.reliability["before"]) == len(private.reliability["after"]) == 15
    assert set(private.corruptions) == set(CORRUPTIONS)
    assert private.corruption_mean == written["PrivateTest"]["corruption_mean"]
    assert private.fresh is not None
    assert fits(private, dataset.split("PrivateTest"))
    assert not fits(private, dataset.split("PublicTest"))
    draw_all(private)
