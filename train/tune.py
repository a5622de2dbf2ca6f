"""A search for good options by Optuna, which prunes what does badly and can be gone on with."""

from __future__ import annotations

import csv
import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras

from fer_core.errors import FerError, OptionError, TrainingError
from train.augmentation import MOST_CROPPED, AugmentationOptions
from train.checkpoint import one_line, write_text
from train.data import Dataset
from train.data.prepare import prepare, training_rows
from train.fit import fit
from train.network import architecture_options
from train.options import OPTIMISERS, TrainOptions
from train.progress import Progress

if TYPE_CHECKING:
    import optuna

_STORE = "trials.sqlite3"
_OPTIONS = "options"
_TABLE = "trials.csv"
BEST_FILE = "best.json"
# Warming up: so many trials, and so many epochs of each, are never pruned.
_FREE_TRIALS, _FREE_EPOCHS = 5, 2
# So many failures for one and the same reason, and none of another kind between, end the search.
_ALIKE = 3


def tune(
    dataset: Dataset,
    options: TrainOptions,
    out: Path,
    *,
    trials: int,
    minutes: float | None = None,
    said: Callable[[str], None] = print,
) -> Path:
    """Search batch size, rate, optimiser, dropout and augmentation strength on PublicTest.

    Args:
        dataset: with Training and PublicTest; PrivateTest is not looked at.
        options: everything that is not searched; its `epochs` are those of each trial.
        out: folder for the trials, `trials.csv` and `best.json`, the options of the best trial for
            `fit --config`; with trials of an earlier call in it, the search goes on until there are
            `trials` in all.
        trials: how many in all.
        minutes: no trial begins later than this.
        said: is told of each trial.

    Returns:
        The table, best first.

    Raises:
        OptionError: Optuna is not installed, or there is no such architecture.
        DatasetError: the data do not fit the options.
        TrainingError: the trials fail all alike, or `out` cannot be written.
    """
    library = _optuna()
    _check(dataset, options)
    with _writing(out):
        return _search(library, dataset, options, out, trials, minutes, said)


def _check(dataset: Dataset, options: TrainOptions) -> None:
    """Raise at once what every trial would."""
    prepared = prepare(dataset, options)
    training_rows(prepared, options, drop_not_a_face=options.drop_not_a_face)
    prepared.split("PublicTest")
    architecture_options(options, 0.0, 1.0)


@contextmanager
def _writing(out: Path) -> Iterator[None]:
    """One sentence where the folder, or Optuna's file in it, cannot be read or written."""
    try:
        yield
    except FerError:
        raise
    except Exception as error:
        # SQLAlchemy and Optuna each put an error of their own around the reason.
        cause = error
        while isinstance(cause.__cause__, Exception):
            cause = cause.__cause__
        if not isinstance(cause, OSError | sqlite3.Error):
            raise
        raise TrainingError(
            f"The search in {out} cannot be read or written: {one_line(cause)}. Make room and give "
            "the same command again, which goes on, or give --out another folder."
        ) from None


def _search(
    library: Any,
    dataset: Dataset,
    options: TrainOptions,
    out: Path,
    trials: int,
    minutes: float | None,
    said: Callable[[str], None],
) -> Path:
    # A trial that fails is told of below, in a sentence and without Optuna's traceback.
    library.logging.set_verbosity(library.logging.ERROR)
    out.mkdir(parents=True, exist_ok=True)
    study = library.create_study(
        study_name=options.architecture,
        storage=f"sqlite:///{(out / _STORE).resolve()}",
        load_if_exists=True,
        direction="maximize",
        sampler=library.samplers.TPESampler(seed=options.seed),
        pruner=library.pruners.MedianPruner(_FREE_TRIALS, _FREE_EPOCHS),
    )
    states = library.trial.TrialState
    done = sum(trial.state in (states.COMPLETE, states.PRUNED) for trial in study.trials)
    failures = _Failures()

    def objective(trial: optuna.Trial) -> float:
        chosen = suggested(trial, options)
        trial.set_user_attr(_OPTIONS, chosen.to_dict())
        scratch = out / f"trial-{trial.number:04d}"
        try:
            _, history = fit(dataset, chosen, scratch, progress=_Report(trial, library))
        except FerError as error:
            # Without the number of the trial: others that fail alike have another.
            failures.add(str(error).replace(scratch.name, "trial-*"))
            raise
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
            keras.backend.clear_session()
        return max(row["val_accuracy"] for row in history)

    def told(study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
        if trial.state == states.FAIL:
            said(f"trial {trial.number}: fail. {failures.last}")
            if failures.alike:
                study.stop()
        else:
            failures.none()
            value = "none" if trial.value is None else f"{100 * trial.value:.2f} %"
            said(f"trial {trial.number}: {trial.state.name.lower()}, PublicTest {value}")
        _write_table(study, out / _TABLE)
        _write_best(study, options, out / BEST_FILE)

    if done < trials:
        study.optimize(
            objective,
            n_trials=trials - done,
            timeout=None if minutes is None else 60 * minutes,
            callbacks=[told],
            # A network too large for the machine, say, is one bad trial and not the end.
            catch=(FerError,),
        )
    failures.check()
    return _write_table(study, out / _TABLE)


def suggested(trial: optuna.trial.BaseTrial, options: TrainOptions) -> TrainOptions:
    """The options of one trial."""
    optimiser = trial.suggest_categorical("optimiser", OPTIMISERS)
    # A good rate of SGD is far above one of the adaptive optimisers.
    low, high = (1e-3, 0.3) if optimiser == "sgd" else (1e-5, 1e-2)
    rate = trial.suggest_float(f"learning_rate_{optimiser}", low, high, log=True)
    strength = trial.suggest_float("augmentation_strength", 0.0, 2.0)
    return replace(
        options,
        optimiser=optimiser,
        learning_rate=rate,
        batch_size=trial.suggest_categorical("batch_size", (32, 64, 128, 256)),
        dropout=trial.suggest_float("dropout", 0.0, 0.6),
        augmentation=strengthened(options.augmentation, strength),
    )


def strengthened(options: AugmentationOptions, factor: float) -> AugmentationOptions:
    """Every change `factor` times as strong, but for the mirror: that has no degrees."""
    low, high = options.erasing_area
    return replace(
        options,
        rotation=min(180.0, factor * options.rotation),
        shift=min(1.0, factor * options.shift),
        zoom=min(0.9, factor * options.zoom),
        contrast=min(1.0, factor * options.contrast),
        brightness=min(1.0, factor * options.brightness),
        erasing=min(1.0, factor * options.erasing),
        erasing_area=(low, high),
        degrade=min(1.0, factor * options.degrade),
        crop=min(MOST_CROPPED, factor * options.crop),
    )


class _Failures:
    """Why trials failed, one after another, and whether any did not."""

    def __init__(self) -> None:
        self._in_a_row: list[str] = []
        self._some_ended_well = False

    def add(self, reason: str) -> None:
        """One more failed."""
        self._in_a_row.append(reason)

    def none(self) -> None:
        """One ended well, or was pruned."""
        self._in_a_row.clear()
        self._some_ended_well = True

    @property
    def last(self) -> str:
        """The reason of the last one."""
        return self._in_a_row[-1]

    @property
    def alike(self) -> bool:
        """Whether the last ones failed for the same reason, as all others then will."""
        return len(self._in_a_row) >= _ALIKE and len(set(self._in_a_row[-_ALIKE:])) == 1

    def check(self) -> None:
        """Raise where the trials were of no use.

        Raises:
            TrainingError: the last ones failed alike, or all of them failed.
        """
        if not self._in_a_row:
            return
        if self.alike:
            raise TrainingError(f"{_ALIKE} trials in a row failed alike: {self.last}")
        if not self._some_ended_well:
            raise TrainingError(f"No trial ended well. The last one: {self.last}")


def _optuna() -> Any:
    try:
        import optuna
    except ImportError:
        raise OptionError(
            "`tune` needs Optuna, which is not installed. Run "
            "`pip install -r requirements-tune.txt`."
        ) from None
    return optuna


class _Report(Progress):
    """Tells Optuna of each epoch, and ends the trial where Optuna says so."""

    def __init__(self, trial: optuna.Trial, library: Any) -> None:
        self._trial = trial
        self._library = library

    def epoch(self, row: dict[str, float], best: bool) -> None:
        """See `Progress.epoch`."""
        self._trial.report(row["val_accuracy"], int(row["epoch"]))
        if self._trial.should_prune():
            raise self._library.TrialPruned


def _write_best(study: optuna.Study, options: TrainOptions, file: Path) -> None:
    """The options of the best trial, for `fit --config`; nothing where none was complete."""
    whole = [trial for trial in study.trials if trial.state.name == "COMPLETE"]
    if whole:
        best = max(whole, key=lambda trial: trial.value or 0.0)
        # Trials of an earlier version did not keep theirs.
        values = best.user_attrs.get(_OPTIONS) or suggested(best, options).to_dict()
        write_text(file, json.dumps(values, indent=2) + "\n")


def _write_table(study: optuna.Study, file: Path) -> Path:
    names = sorted({name for trial in study.trials for name in trial.params})
    rows = sorted(study.trials, key=lambda trial: -(trial.value or 0.0))
    beside = file.with_suffix(".part")
    with beside.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["trial", "state", "public_accuracy", "epochs", "seconds", *names])
        for trial in rows:
            seconds = "" if trial.duration is None else round(trial.duration.total_seconds(), 1)
            epochs = len(trial.intermediate_values)
            values = [trial.params.get(name, "") for name in names]
            writer.writerow(
                [trial.number, trial.state.name.lower(), trial.value, epochs, seconds, *values]
            )
    beside.replace(file)
    return file
