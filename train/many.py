"""Several runs one after another: for a night, or for the minutes that a GPU is lent."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras

from fer_core.errors import FerError, OptionError
from fer_core.model_store import CARD_FILE
from train.checkpoint import Checkpoint
from train.data import Dataset
from train.fit import OutOfTimeError
from train.options import TrainOptions
from train.run import train_and_ship


@dataclass(frozen=True)
class Planned:
    """One run of a queue.

    Attributes:
        name: of its model folder.
        options: of the run; runs of the queue that it learns or starts from are still plain names.
    """

    name: str
    options: TrainOptions


@dataclass(frozen=True)
class Result:
    """What became of a run: `done`, `skipped` (finished before), `failed` or `unfinished`."""

    name: str
    state: str
    sentence: str


def read_queue(file: Path) -> list[Planned]:
    """The runs of a queue file.

    Args:
        file: a JSON list of objects: `name`, and `config` (a file of options, its path seen from
            the queue file), `like` (the name of a run above, whose options these are too) or
            neither; `options` override either.

    Raises:
        OptionError: it cannot be read, a name comes twice or is no folder name, or an option or
            the run of `like` is unknown.
    """
    try:
        entries = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise OptionError(f"The queue {file} cannot be read: {error}.") from None
    if not isinstance(entries, list) or not entries:
        raise OptionError(f"The queue {file} must be a JSON list of runs, at least one.")
    planned: list[Planned] = []
    for place, entry in enumerate(entries, 1):
        planned.append(_planned(entry, place, file, planned))
    names = [run.name for run in planned]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise OptionError(f"The queue {file} has two runs called {', '.join(twice)}.")
    return planned


def run_queue(
    planned: list[Planned],
    dataset: Dataset,
    out: Path,
    *,
    minutes: float | None = None,
    said: Callable[[str], None] = print,
) -> list[Result]:
    """Train what is not finished yet; one that fails does not stop the others.

    Args:
        planned: the runs, in order. A teacher, or a network to start from, with the name of a run
            is that run's folder; `answers` is seen from `out`.
        dataset: for all of them.
        out: gets a model folder for each.
        minutes: for all of them together; what is unfinished then goes on at the next call.
        said: is told how it goes.
    """
    until = None if minutes is None else time.monotonic() + 60 * minutes
    results = []
    for number, run in enumerate(planned, 1):
        said(f"Run {number} of {len(planned)}: {run.name}")
        result = _run(_with_folders(run, planned, out), dataset, out / run.name, until)
        said(f"{run.name}: {result.state}. {result.sentence}")
        results.append(result)
        # Networks of finished runs would fill a GPU's memory.
        keras.backend.clear_session()
    return results


def _run(run: Planned, dataset: Dataset, folder: Path, until: float | None) -> Result:
    if (folder / CARD_FILE).is_file():
        return Result(run.name, "skipped", "It is finished.")
    if until is not None and time.monotonic() >= until:
        return Result(run.name, "unfinished", "The time is up.")
    try:
        resume = Checkpoint(folder).exists
        return Result(
            run.name,
            "done",
            train_and_ship(dataset, run.options, folder, resume=resume, until=until),
        )
    except OutOfTimeError as error:
        return Result(run.name, "unfinished", str(error))
    except FerError as error:
        return Result(run.name, "failed", str(error))


def _with_folders(run: Planned, planned: list[Planned], out: Path) -> Planned:
    names = {other.name for other in planned}

    def folder(name: str) -> str:
        return str((out / name).resolve()) if name in names else name

    teachers = tuple(folder(name) for name in run.options.teachers)
    start = folder(run.options.start_from)
    answers = run.options.answers and str((out / run.options.answers).resolve())
    options = replace(run.options, teachers=teachers, start_from=start, answers=answers)
    return replace(run, options=options)


def _planned(entry: Any, place: int, file: Path, above: list[Planned]) -> Planned:
    known = {"name", "config", "like", "options"}
    if (
        not isinstance(entry, dict)
        or "name" not in entry
        or not set(entry) <= known
        or {"config", "like"} <= set(entry)
    ):
        raise OptionError(
            f"Run {place} of {file} must be an object with `name` and, if need be, `config` or "
            f"`like`, and `options`. Received: {json.dumps(entry):.80}"
        )
    name = str(entry["name"])
    if name in ("", ".", "..") or "/" in name or "\\" in name:
        raise OptionError(f"Run {place} of {file} is called {name!r}, which is no folder name.")
    base = _base(entry, place, file, above)
    own = dict(entry.get("options", {}))
    if isinstance(own.get("augmentation"), dict):
        own["augmentation"] = {**base.get("augmentation", {}), **own["augmentation"]}
    return Planned(name, TrainOptions.from_dict({**base, **own}))


def _base(entry: dict[str, Any], place: int, file: Path, above: list[Planned]) -> dict[str, Any]:
    """The options that those of the entry override."""
    if "config" in entry:
        return TrainOptions.from_file(file.parent / str(entry["config"])).to_dict()
    if "like" not in entry:
        return {}
    alike = {run.name: run.options for run in above}.get(str(entry["like"]))
    if alike is None:
        raise OptionError(
            f"Run {place} of {file} is to be like {entry['like']!r}, and no run above it is "
            f"called so. Above it: {', '.join(run.name for run in above) or 'none'}."
        )
    return alike.to_dict()
