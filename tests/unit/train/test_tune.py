"""A search that cannot go well ends in a sentence; one that does leaves options to train with."""

from __future__ import annotations

import csv
import logging
from dataclasses import replace

import pytest

from fer_core.emotions import CLASSES
from fer_core.errors import DatasetError, OptionError, TrainingError
from train.cli import main
from train.options import TrainOptions
from train.tune import BEST_FILE, suggested, tune

from .made import made_dataset
from .tiny import QUICK

optuna = pytest.importorskip("optuna")


@pytest.fixture
def trained(monkeypatch):
    """Trials without training: the options of each, and what becomes of it is to be set."""
    made: list[TrainOptions] = []

    def fit(dataset, options, run, *, progress):
        made.append(options)
        run.mkdir(parents=True)
        result = fit.result(len(made), run)
        if isinstance(result, Exception):
            raise result
        return None, [{"val_accuracy": result}]

    monkeypatch.setattr("train.tune.fit", fit)
    monkeypatch.setattr("train.tune.architecture_options", lambda *given: None)
    fit.made = made
    return fit


def test_the_options_of_the_best_trial_are_written_for_fit(tmp_path, data, config, trained, capsys):
    trained.result = lambda number, run: {1: 0.8, 2: 0.3, 3: 0.6}[number]
    out = tmp_path / "search"
    words = ["tune", "--data", data, "--config", config, "--out", out, "--trials", 2]
    assert main([str(word) for word in words]) == 0
    printed = capsys.readouterr().out
    assert f"The options of the best trial are in {out / BEST_FILE}" in printed
    assert "These are not the counts of FER2013: Training 84, PublicTest 21" in printed
    best = TrainOptions.from_file(out / BEST_FILE)
    assert best == trained.made[0]
    assert best not in (trained.made[1], QUICK)
    # The search goes on with another config: the best is still what it was trained with.
    tune(made_dataset(), replace(QUICK, epochs=9), out, trials=3, said=lambda text: None)
    assert trained.made[2].epochs == 9
    assert TrainOptions.from_file(out / BEST_FILE) == best


def test_trials_of_an_earlier_version_did_not_keep_their_options(tmp_path, trained):
    trained.result = lambda number, run: 0.5
    study = optuna.create_study(
        study_name="tiny", storage=f"sqlite:///{tmp_path / 'trials.sqlite3'}", direction="maximize"
    )
    study.optimize(lambda trial: suggested(trial, QUICK).dropout + 1, n_trials=1)
    tune(made_dataset(), QUICK, tmp_path, trials=2, said=lambda text: None)
    best = TrainOptions.from_file(tmp_path / BEST_FILE)
    assert best.dropout == study.best_trial.params["dropout"]


@pytest.mark.parametrize(
    ("options", "kind", "sentence"),
    [
        (replace(QUICK, architecture="vgg99"), OptionError, "Unknown architecture"),
        (replace(QUICK, input_size=8), OptionError, "input_size must be at least 32"),
        (QUICK, DatasetError, "PublicTest has no image of: sad"),
    ],
    ids=["architecture", "size", "class"],
)
@pytest.mark.usefixtures("tiny")
def test_what_every_trial_would_stumble_on_is_said_before_the_first(
    tmp_path, options, kind, sentence
):
    dataset = made_dataset()
    if kind is DatasetError:
        public = dataset.split("PublicTest")
        few = public.take(public.labels != CLASSES.index("sad"))
        dataset = replace(dataset, splits={**dataset.splits, "PublicTest": few})
    out = tmp_path / "search"
    with pytest.raises(kind, match=sentence):
        tune(dataset, options, out, trials=2)
    assert not out.exists()


@pytest.mark.usefixtures("tiny")
def test_without_a_validation_split_there_is_no_search(tmp_path):
    dataset = made_dataset()
    alone = replace(dataset, splits={"Training": dataset.split("Training")})
    with pytest.raises(DatasetError, match="no images of the split 'PublicTest'"):
        tune(alone, QUICK, tmp_path / "search", trials=2)


def test_a_full_disk_ends_the_command_after_three_trials_alike(
    tmp_path, data, config, trained, monkeypatch, capsys, caplog
):
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    monkeypatch.setattr(logging.getLogger("optuna"), "propagate", True)
    trained.result = lambda number, run: TrainingError(f"{run} cannot be written: no space left.")
    out = tmp_path / "search"
    words = ["tune", "--data", data, "--config", config, "--out", out, "--trials", 20]
    assert main([str(word) for word in words]) == 1
    assert len(trained.made) == 3
    printed = capsys.readouterr()
    assert printed.err == (
        f"error: 3 trials in a row failed alike: {out}/trial-* cannot be written: no space left.\n"
    )
    assert printed.out.count(f"fail. {out}/trial-* cannot be written: no space left.\n") == 3
    assert not (out / BEST_FILE).exists()
    assert caplog.records == [], "no traceback of Optuna's"


def test_a_bad_trial_among_others_is_not_the_end(tmp_path, trained):
    bad = TrainingError("The loss is no longer a number.")
    trained.result = lambda number, run: 0.5 if number == 3 else bad
    said: list[str] = []
    table = tune(made_dataset(), QUICK, tmp_path, trials=4, said=said.append)
    assert len(said) == 4
    assert said[0] == "trial 0: fail. The loss is no longer a number."
    with table.open() as stream:
        states = [row["state"] for row in csv.DictReader(stream)]
    assert (states.count("complete"), states.count("fail")) == (1, 3)


def test_trials_that_all_failed_are_an_error_however_few_they_were(tmp_path, trained):
    trained.result = lambda number, run: TrainingError(f"Reason {number}.")
    with pytest.raises(TrainingError, match=r"No trial ended well\. The last one: Reason 2\."):
        tune(made_dataset(), QUICK, tmp_path, trials=2, said=lambda text: None)


@pytest.mark.parametrize("what", ["a file", "a store of another kind", "a disk that fills up"])
def test_a_folder_that_cannot_be_used_is_one_sentence(tmp_path, trained, monkeypatch, what):
    out = tmp_path / "search"
    trained.result = lambda number, run: OSError(28, "No space left on device")
    if what == "a file":
        out.write_text("mine")
    elif what == "a store of another kind":
        out.mkdir()
        (out / "trials.sqlite3").write_text("not a database at all")
    with pytest.raises(TrainingError, match=r"cannot be read or written: .*Make room") as raised:
        tune(made_dataset(), QUICK, out, trials=2, said=lambda text: None)
    assert "\n" not in str(raised.value)
