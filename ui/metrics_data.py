"""What a model folder tells about its training, read with care: files may be missing, half written
or old. What cannot be used becomes a sentence; nothing here raises. A file is read again only
after it has changed."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from fer_core.errors import ModelError
from fer_core.model_store import CARD_FILE, ModelCard, load_card
from ui.metrics_evaluation import Evaluation, parse_evaluations
from ui.metrics_runs import RunState, run_state

HISTORY_COLUMNS = ("loss", "accuracy", "val_loss", "val_accuracy")
OPTIONAL_COLUMNS = ("learning_rate", "seconds")
BYTES_MAX = 32 << 20
"""Larger files are not what they are called."""

KEPT_FILES = 128
"""So many files are kept as they were read: four for each of some thirty models."""

_MISSING = {
    CARD_FILE: "It has no card yet; the card is written when training ends.",
    "history.csv": "It has no history.csv, so there are no curves to show.",
    "evaluation.json": "It has no evaluation.json, so there is no evaluation to show.",
}

Read = tuple[Any, tuple[str, ...]]
"""What a file held, and the sentences about it."""


@dataclass(frozen=True)
class ModelFolder:
    """What was found in one folder.

    Attributes:
        name: as it is shown.
        folder: where it is.
        state: how far it is.
        card: or None.
        history: by column, one value an epoch; empty when there is none.
        evaluations: by split.
        options: of the run, as they were written; empty when there are none.
        notes: sentences about what is missing or cannot be used.
    """

    name: str
    folder: Path
    state: RunState
    card: ModelCard | None = None
    history: dict[str, list[float]] = field(default_factory=dict)
    evaluations: dict[str, Evaluation] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def read_folder(folder: Path, name: str | None = None) -> ModelFolder:
    """Everything that can be shown of `folder`."""
    card, card_notes = _read(folder / CARD_FILE, _card)
    history, history_notes = _read(folder / "history.csv", _history)
    evaluations, evaluation_notes = _read(folder / "evaluation.json", _evaluations)
    options, _ = _read(folder / "options.json", _options)
    state = run_state(folder, history or {}, options or {})
    notes = (*card_notes, *history_notes, *evaluation_notes)
    if state.kind == "training":
        # What is written at the end of a run is not missing before it.
        notes = tuple(note for note in notes if note not in _MISSING.values())
    elif state.kind == "stopped":
        notes = (
            f"Its training stopped after {state.epochs} "
            f"{'epoch' if state.epochs == 1 else 'epochs'}. "
            "Go on with the same `python -m train fit` command and --resume.",
            *(note for note in notes if note not in _MISSING.values()),
        )
    return ModelFolder(
        name=name or folder.name,
        folder=folder,
        state=state,
        card=card,
        history=history or {},
        evaluations=evaluations or {},
        options=options or {},
        notes=notes,
    )


def read_state(folder: Path) -> RunState:
    """How far `folder` is, without a look at its card and evaluation."""
    history, _ = _read(folder / "history.csv", _history)
    options, _ = _read(folder / "options.json", _options)
    return run_state(folder, history or {}, options or {})


def read_card(folder: Path) -> ModelCard | None:
    """The card of `folder`, or None where there is none that can be used."""
    card: ModelCard | None = _read(folder / CARD_FILE, _card)[0]
    return card


def _read(file: Path, read: Callable[[Path], Read]) -> Read:
    """What `read` makes of `file`, kept until the file changes."""
    try:
        stat = file.stat()
    except (OSError, ValueError):
        return None, (_MISSING[file.name],) if file.name in _MISSING else ()
    return _kept(file, stat.st_mtime_ns, stat.st_size, read)


@lru_cache(maxsize=KEPT_FILES)
def _kept(file: Path, changed: int, size: int, read: Callable[[Path], Read]) -> Read:
    if not file.is_file() or size > BYTES_MAX:
        return None, (f"Its {file.name} is too large to be one, or no file; it is left out.",)
    return read(file)


def _card(file: Path) -> Read:
    try:
        return load_card(file.parent), ()
    except ModelError as error:
        return None, (str(error),)
    except Exception as error:  # a card of another program may hold anything
        return None, (f"Its card cannot be used ({type(error).__name__}). Export the model again.",)


def _evaluations(file: Path) -> Read:
    text, notes = _text(file)
    if text is None:
        return {}, tuple(notes)
    return parse_evaluations(text, notes), tuple(notes)


def _options(file: Path) -> Read:
    text, _ = _text(file)
    try:
        data = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}, ()
    return (data if isinstance(data, dict) else {}), ()


def _history(file: Path) -> Read:
    text, notes = _text(file)
    if text is None:
        return {}, tuple(notes)
    try:
        rows = list(csv.DictReader(text.splitlines()))
    except csv.Error:
        rows = []
    known = [name for name in HISTORY_COLUMNS if rows and name in rows[0]]
    extra = [name for name in OPTIONAL_COLUMNS if rows and name in rows[0]]
    history: dict[str, list[float]] = {name: [] for name in ("epoch", *known, *extra)}
    skipped = 0
    for number, row in enumerate(rows, start=1):
        values = {name: _number(row.get(name)) for name in known}
        if any(value is None for value in values.values()):
            skipped += 1
            continue
        epoch = _number(row.get("epoch"))
        history["epoch"].append(number if epoch is None else epoch)
        for name in (*known, *extra):
            value = _number(row.get(name))
            history[name].append(math.nan if value is None else value)
    if not known or not history["epoch"]:
        return {}, ("Its history.csv holds no epoch that can be drawn.",)
    # The last row may be half written while training runs; that needs no word.
    if skipped > 1:
        notes.append(f"{skipped} rows of its history.csv cannot be read and are left out.")
    return history, tuple(notes)


def _text(file: Path) -> tuple[str | None, list[str]]:
    try:
        return file.read_text(encoding="utf-8", errors="replace"), []
    except OSError as error:
        return None, [f"Its {file.name} cannot be read ({error.strerror})."]


def _number(text: Any) -> float | None:
    try:
        value = float(text)
    except (TypeError, ValueError):
        return None
    return value if math.isfinite(value) else None
