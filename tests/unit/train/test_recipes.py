"""The recipes in the tree can be followed: every option known, every teacher trained first."""

from __future__ import annotations

from pathlib import Path

import pytest

import train
from train.many import read_queue

RECIPES = sorted((Path(train.__file__).parent / "recipes").glob("*.json"))


def test_the_flagship_has_a_recipe() -> None:
    assert "flagship.json" in [file.name for file in RECIPES]


@pytest.mark.parametrize("file", RECIPES, ids=lambda file: file.stem)
def test_teachers_come_before_their_students_or_are_shipped(file: Path) -> None:
    models = Path(train.__file__).parent.parent / "models"
    trained = {folder.name for folder in models.iterdir() if (folder / "model.keras").is_file()}
    # Of a name that is both, the run of the queue is meant.
    trained -= {run.name for run in read_queue(file)}
    for run in read_queue(file):
        assert set(run.options.teachers) <= trained
        trained.add(run.name)
