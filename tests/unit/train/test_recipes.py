"""The recipes in the tree can be followed: every option known, every teacher trained first."""

from __future__ import annotations

from pathlib import Path

import pytest

import train
from fer_core.model_store import runnable_models
from train.compare import compare
from train.many import read_queue
from train.missing import missing_runs

RECIPES = sorted((Path(train.__file__).parent / "recipes").glob("*.json"))


def test_the_flagship_has_a_recipe() -> None:
    assert "flagship.json" in [file.name for file in RECIPES]


@pytest.mark.parametrize("file", RECIPES, ids=lambda file: file.stem)
def test_teachers_come_before_their_students_or_are_shipped(file: Path) -> None:
    runs = read_queue(file)
    # Of a name that is both, the run of the queue is meant.
    trained = set(runnable_models()) - {run.name for run in runs}
    for run in runs:
        assert set(run.options.teachers) <= trained
        trained.add(run.name)


def test_the_log_names_what_is_still_to_be_trained() -> None:
    log = (Path(train.__file__).parent / "LOG.md").read_text(encoding="utf-8")
    left = log[log.index("## What comes next") :]
    rows, _ = compare()
    for name, _ in missing_runs(rows):
        assert f"`{name}`" in left
