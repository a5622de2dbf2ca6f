"""A run that is killed by SIGKILL, wherever that hits it, goes on to the very same numbers."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fer_core.errors import TrainingError
from train.checkpoint import Checkpoint
from train.fit import fit
from train.run import train_and_ship

from .made import made_dataset
from .tiny import QUICK, teacher_folder

pytestmark = pytest.mark.usefixtures("tiny")

ROOT = Path(__file__).resolve().parents[3]

BEGIN = """
import json, os, signal, sys
from pathlib import Path
from train.tensorflow_start import prepare_tensorflow

prepare_tensorflow()
from tests.unit.train.made import made_dataset
from tests.unit.train.tiny import QUICK, Tiny
import train.architectures, train.checkpoint
from train.fit import fit
from train.progress import Progress

train.architectures.ARCHITECTURES["tiny"] = Tiny
"""

KILLED = (
    BEGIN
    + """
moment, run = sys.argv[1], Path(sys.argv[2])
write_text = train.checkpoint.write_text

def die():
    os.kill(os.getpid(), signal.SIGKILL)

class Killed(Progress):
    def step(self, epoch, step, logs):
        if (epoch, step) == (2, 2) and moment == "within an epoch":
            die()

def written(file, text):
    done = (run / "checkpoint" / "epoch-0002.keras").is_file()
    if file.name == "state.json" and done and moment == "within a checkpoint":
        die()
    write_text(file, text)

train.checkpoint.write_text = written
fit(made_dataset(), QUICK, run, progress=Killed())
"""
)

WHOLE = (
    BEGIN
    + """
for run in map(Path, sys.argv[1:]):
    resume = (run / "checkpoint").is_dir()
    model, history = fit(made_dataset(), QUICK, run, resume=resume)
    rows = [{name: row[name] for name in row if name != "seconds"} for row in history]
    weights = [values.tobytes().hex() for values in model.get_weights()]
    (run / "came-out.json").write_text(json.dumps([rows, weights]))
"""
)

MOMENTS = ("within an epoch", "within a checkpoint")


def started(script: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_it_goes_on_to_the_same_result_bit_by_bit(tmp_path):
    """In processes of their own, all three alike, so that nothing of one helps another."""
    runs = {moment: tmp_path / moment for moment in MOMENTS}
    for child in [started(KILLED, moment, run) for moment, run in runs.items()]:
        _, said = child.communicate()
        assert child.returncode == -signal.SIGKILL, said[-2000:]
    for moment, run in runs.items():
        assert Checkpoint(run).epoch == 1, moment
        second = (run / "checkpoint" / "epoch-0002.keras").is_file()
        assert second == (moment == "within a checkpoint")
    whole = tmp_path / "whole"
    child = started(WHOLE, whole, *runs.values())
    _, said = child.communicate()
    assert child.returncode == 0, said[-2000:]
    rows, weights = json.loads((whole / "came-out.json").read_text())
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    for moment, run in runs.items():
        again, same = json.loads((run / "came-out.json").read_text())
        assert again == rows, moment
        assert same == weights, moment


def test_one_that_was_killed_in_its_first_epoch_begins_again(tmp_path, monkeypatch, capsys):
    def killed(*arguments: object, **named: object) -> None:
        raise KeyboardInterrupt

    run = tmp_path / "run"
    with monkeypatch.context() as patched:
        patched.setattr("train.epochs.Epochs.run", killed)
        with pytest.raises(KeyboardInterrupt):
            train_and_ship(made_dataset(), QUICK, run)
    assert not Checkpoint(run).exists
    with pytest.raises(TrainingError, match="time is up"):
        train_and_ship(made_dataset(), QUICK, run, resume=True, until=0.0)
    assert "begins again" in capsys.readouterr().out
    assert Checkpoint(run).epoch == 1
    with pytest.raises(TrainingError, match="nothing to resume"):
        train_and_ship(made_dataset(), QUICK, tmp_path / "elsewhere", resume=True)


def test_a_finished_model_is_not_begun_again(tmp_path):
    folder = teacher_folder(tmp_path / "done", 1)
    (folder / "options.json").write_text("{}")
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    with pytest.raises(TrainingError, match="nothing to resume"):
        train_and_ship(made_dataset(), QUICK, folder, resume=True)
    assert before == {file.name: file.read_bytes() for file in folder.iterdir()}


def test_a_checkpoint_that_is_half_removed_is_none(tmp_path, monkeypatch):
    run = tmp_path / "run"
    with pytest.raises(TrainingError, match="time is up"):
        fit(made_dataset(), QUICK, run, until=0.0)
    monkeypatch.setattr("train.checkpoint.shutil.rmtree", lambda folder: None)
    Checkpoint(run).discard()
    assert not Checkpoint(run).exists
