"""The state of a run on disk: enough to go on after a kill as if nothing had happened.

    RUN/checkpoint/epoch-0012.keras   weights and optimiser after epoch 12
    RUN/checkpoint/best.weights.h5    weights of the best epoch so far
    RUN/checkpoint/state.json         which of the files above is valid, the history, the options

`state.json` is moved into place last, so a kill at any moment leaves the state of a whole epoch.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import math
import shutil
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from fer_core.errors import TrainingError
from train.options import TrainOptions

HISTORY_COLUMNS = (
    "epoch",
    "seconds",
    "learning_rate",
    "loss",
    "accuracy",
    "val_loss",
    "val_accuracy",
)
History = list[dict[str, float]]


@dataclass(frozen=True)
class Resumed:
    """What an earlier, unfinished run left."""

    model: keras.Model
    history: History


class Checkpoint:
    """Writes and reads the state of one run folder."""

    def __init__(self, run: Path) -> None:
        self._run = run
        self._folder = run / "checkpoint"
        self._written = -math.inf
        self._best: list[Any] | None = None

    @property
    def exists(self) -> bool:
        """Whether there is an unfinished run to go on with."""
        return (self._folder / "state.json").is_file()

    @property
    def folder(self) -> Path:
        """Where the state lies; gone when the run is finished."""
        return self._folder

    @property
    def epoch(self) -> int:
        """The epoch whose state lies on disk; 0 where there is none."""
        if not self.exists:
            return 0
        state = json.loads((self._folder / "state.json").read_text(encoding="utf-8"))
        return int(state["epoch"])

    def save(
        self,
        model: keras.Model,
        history: History,
        options: TrainOptions,
        best: bool,
        weights: list[Any] | None = None,
        *,
        last: bool = True,
    ) -> None:
        """Keep the state after the last epoch of `history`, unless that was done just before.

        `options.checkpoint_seconds` says what just before is. The best weights are then held in
        memory until the state is written.

        Args:
            model: as training goes on with it.
            history: so far.
            options: of the run.
            best: whether this epoch is the best so far.
            weights: what is to be kept as the best, if not the weights of `model`.
            last: False where an epoch follows at once, which may write the state in its place.

        Raises:
            TrainingError: it cannot be written (disk full, say); the previous state is whole.
        """
        epoch = int(history[-1]["epoch"])
        if best:
            self._best = copies_of_weights(model) if weights is None else weights
        now = time.monotonic()
        if not last and now - self._written < options.checkpoint_seconds:
            return
        self._written = now
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._save_best(model)
            file = self._folder / f"epoch-{epoch:04d}.keras"
            model.save(file)
            state = {"epoch": epoch, "history": history, "options": options.to_dict()}
            write_text(self._folder / "state.json", json.dumps(state))
            write_text(self._run / "history.csv", history_csv(history))
        except (OSError, RuntimeError) as error:
            if not is_write_failure(error):
                raise
            after = "go on with --resume; the last whole epoch is kept."
            if not self.exists:
                after = "start again."
            raise TrainingError(
                f"The checkpoint of epoch {epoch} cannot be written to {self._folder}: "
                f"{one_line(error)}. Make room and {after}"
            ) from None
        for old in self._folder.glob("epoch-*.keras"):
            if old != file:
                old.unlink(missing_ok=True)

    def refuse_unfinished(self) -> None:
        """Raise where there is an unfinished run, so that none is trained over.

        Raises:
            TrainingError: there is one.
        """
        if self.exists:
            raise TrainingError(
                f"{self._run} holds an unfinished run. Go on with --resume, or remove "
                f"{self._folder}."
            )

    def _save_best(self, model: keras.Model) -> None:
        """Write the best weights, if there are better ones than those written."""
        if self._best is None:
            return
        beside = self._folder / "best.part.weights.h5"
        own = copies_of_weights(model)
        model.set_weights(self._best)
        model.save_weights(beside)
        model.set_weights(own)
        beside.replace(self._folder / "best.weights.h5")
        self._best = None

    def finish(self, model: keras.Model, history: History) -> None:
        """Put the best weights into `model`, which has no optimiser any more after this."""
        write_text(self._run / "history.csv", history_csv(history))
        # The file also holds the optimiser of its epoch, which may have had fewer weights to train.
        model.optimizer = None
        if self._best is not None:
            model.set_weights(self._best)
            return
        model.load_weights(self._folder / "best.weights.h5")

    def resume(self, options: TrainOptions) -> Resumed:
        """The state after the last whole epoch.

        Raises:
            TrainingError: there is none, it is damaged, or it belongs to other options.
        """
        file = self._folder / "state.json"
        try:
            state = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise TrainingError(
                f"There is nothing to resume in {self._run}: {error}. Start without --resume."
            ) from None
        try:
            kept, epoch, history = state["options"], int(state["epoch"]), state["history"]
            _same_options(kept, options, self._run)
            model = keras.saving.load_model(self._folder / f"epoch-{epoch:04d}.keras")
        except (OSError, KeyError, ValueError, TypeError, zipfile.BadZipFile) as error:
            raise TrainingError(
                f"The checkpoint in {self._folder} is damaged: {one_line(error)}. Remove that "
                "folder and start without --resume."
            ) from None
        return Resumed(model, history)

    def discard(self) -> None:
        """Remove the checkpoint of a finished run."""
        # First what says that there is one: a kill must not leave half of it looking whole.
        (self._folder / "state.json").unlink(missing_ok=True)
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self._folder)


def copies_of_weights(model: keras.Model) -> list[npt.NDArray[Any]]:
    """The weights of `model` in memory of their own."""
    return [np.array(values, copy=True) for values in model.get_weights()]


def history_csv(history: History) -> str:
    """The history as the text of `history.csv`."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(HISTORY_COLUMNS)
    for row in history:
        writer.writerow([int(row["epoch"]), *(f"{row[name]:.6g}" for name in HISTORY_COLUMNS[1:])])
    return stream.getvalue()


def write_text(file: Path, text: str) -> None:
    """Write `file` beside and move it into place."""
    beside = file.with_name(file.name + ".part")
    beside.write_text(text, encoding="utf-8")
    beside.replace(file)


def is_write_failure(error: Exception) -> bool:
    """Whether a file could not be written; h5py says so by a `RuntimeError`."""
    return isinstance(error, OSError) or "errno = " in str(error)


def one_line(error: Exception) -> str:
    """What an error says, in one line and not at length: libraries print whole pages."""
    return f"{' '.join(str(error).split()):.160}"


def _same_options(kept: dict[str, Any], options: TrainOptions, run: Path) -> None:
    # Through JSON and back, so that tuples and lists compare equal; and through the options, so
    # that a run which an earlier version began, when there were fewer, can be gone on with.
    kept = json.loads(json.dumps(TrainOptions.from_dict(kept).to_dict()))
    asked = json.loads(json.dumps(options.to_dict()))
    other = sorted(name for name in asked if asked[name] != kept.get(name))
    if other:
        name = other[0]
        raise TrainingError(
            f"The unfinished run in {run} had {name} = {kept.get(name)!r}, now it is "
            f"{asked[name]!r}. Resume with the same options, or train into another folder."
        )
