"""Which folders are found, and which of them is being trained now."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.made_models import make_history, make_model
from ui.metrics_data import read_folder, read_state
from ui.metrics_runs import folders_in, may_be_live, roots


def make_run(folder: Path, epochs: int = 3, asked: int = 10, age: float = 0.0) -> Path:
    """A run as training leaves it after `epochs` epochs, `age` seconds ago."""
    (folder / "checkpoint").mkdir(parents=True)
    (folder / "options.json").write_text(f'{{"epochs": {asked}}}')
    (folder / "checkpoint" / "state.json").write_text("{}")
    if epochs:
        make_history(folder / "history.csv", epochs)
    then = time.time() - age
    for path in (folder / "checkpoint", *folder.rglob("*.*")):
        os.utime(path, (then, then))
    return folder


@pytest.mark.parametrize(
    ("epochs", "age", "kind"),
    [
        (3, 0, "training"),
        (3, 500, "training"),
        (3, 3000, "stopped"),
        (0, 1000, "training"),
        (0, 7000, "stopped"),
    ],
)
def test_a_run_that_writes_is_training(tmp_path: Path, epochs: int, age: float, kind: str) -> None:
    state = read_state(make_run(tmp_path / "run", epochs, age=age))
    assert (state.kind, state.epochs, state.asked) == (kind, epochs, 10)


def test_the_time_left_comes_from_the_epochs_so_far(tmp_path: Path) -> None:
    # An epoch of the made history took 61.5 s.
    assert read_state(make_run(tmp_path / "run", 4, 10)).seconds_left == pytest.approx(6 * 61.5)


def test_slow_epochs_are_waited_for(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", 3)
    file = run / "history.csv"
    file.write_text(file.read_text().replace(",61.5,", ",1000,"))
    then = time.time() - 2500
    for path in (run / "checkpoint", *run.rglob("*.*")):
        os.utime(path, (then, then))
    assert read_state(run).kind == "training"


def test_a_finished_model_is_not_training(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "model")
    assert not may_be_live(folder)
    assert read_state(folder).kind == "finished"
    # Trained again into the same folder.
    (folder / "checkpoint").mkdir()
    assert read_state(folder).kind == "training"


def test_the_options_alone_are_a_run_in_its_first_epoch(tmp_path: Path) -> None:
    (tmp_path / "options.json").write_text("{}")
    assert read_state(tmp_path).kind == "training"
    notes = read_folder(tmp_path).notes
    assert notes == ()


def test_a_stopped_run_says_how_to_go_on(tmp_path: Path) -> None:
    notes = read_folder(make_run(tmp_path / "run", 3, age=9000)).notes
    assert any("stopped after 3 epochs" in note and "--resume" in note for note in notes)


def test_every_folder_has_a_name_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("models/a", "models/.hidden", "runs/a", "runs/b", "more/runs/a", "alone"):
        (tmp_path / name).mkdir(parents=True)
    make_history(tmp_path / "alone" / "history.csv")
    monkeypatch.setenv("FER_LIVE_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv(
        "FER_LIVE_RUNS", os.pathsep.join([str(tmp_path / "runs"), str(tmp_path / "none"), ""])
    )
    assert list(folders_in(roots())) == ["a", "a (runs)", "b"]
    assert list(folders_in(roots(str(tmp_path / "alone")))) == ["a", "a (runs)", "b", "alone"]
    more = folders_in(roots(str(tmp_path / "more" / "runs")))
    assert len(more) == 4
    assert tmp_path / "more" / "runs" / "a" in more.values()


def test_a_file_is_read_again_only_when_it_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_model(tmp_path / "model")
    before = read_folder(folder)
    assert read_folder(folder).evaluations is before.evaluations
    make_history(folder / "history.csv", 13)
    after = read_folder(folder)
    assert after.evaluations is before.evaluations
    assert len(after.history["epoch"]) == 13
