"""What a model folder tells about its training, read with care: files may be missing, half written
or old. What cannot be used becomes a sentence; nothing here raises."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fer_core.errors import ModelError
from fer_core.model_store import CARD_FILE, ModelCard, load_card

SPLITS = ("PrivateTest", "PublicTest", "Training")
"""In the order in which people want to see them: the test first."""

SPLIT_WORDS = {
    "PrivateTest": "PrivateTest (test)",
    "PublicTest": "PublicTest (validation)",
    "Training": "Training",
}
HISTORY_COLUMNS = ("loss", "accuracy", "val_loss", "val_accuracy")
BYTES_MAX = 32 << 20
"""Larger files are not what they are called."""


@dataclass(frozen=True)
class Evaluation:
    """Figures of one split.

    Attributes:
        accuracy, macro_f1: 0 to 1.
        interval: 95 % interval of the accuracy, or None.
        images: how many they were measured on.
        classes: names, in the order of the rows.
        per_class: by class: precision, recall, f1 (0 to 1) and support (images).
        confusion: counts, rows are the truth, columns the answers.
        calibration_error: expected calibration error, 0 to 1, or None.
        top2: share of images whose truth is among the two best answers, or None.
    """

    accuracy: float
    macro_f1: float | None
    interval: tuple[float, float] | None
    images: int
    classes: tuple[str, ...]
    per_class: dict[str, dict[str, float]]
    confusion: tuple[tuple[int, ...], ...]
    calibration_error: float | None
    top2: float | None


@dataclass(frozen=True)
class ModelFolder:
    """What was found in one folder.

    Attributes:
        name: of the folder.
        card: or None.
        history: by column, one value an epoch; empty when there is none.
        evaluations: by split.
        notes: sentences about what is missing or cannot be used.
    """

    name: str
    card: ModelCard | None = None
    history: dict[str, list[float]] = field(default_factory=dict)
    evaluations: dict[str, Evaluation] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def folder_names(root: Path) -> list[str]:
    """Every folder in `root`, also those that are empty or half written, sorted."""
    try:
        return sorted(
            entry.name for entry in root.iterdir() if entry.is_dir() and entry.name[0] not in "._"
        )
    except OSError:
        return []


def read_folder(folder: Path) -> ModelFolder:
    """Everything that can be shown of `folder`."""
    notes: list[str] = []
    return ModelFolder(
        name=folder.name,
        card=_read_card(folder, notes),
        history=_read_history(folder / "history.csv", notes),
        evaluations=_read_evaluations(folder / "evaluation.json", notes),
        notes=tuple(notes),
    )


def _read_card(folder: Path, notes: list[str]) -> ModelCard | None:
    if not (folder / CARD_FILE).is_file():
        notes.append("It has no card yet; the card is written when training ends.")
        return None
    try:
        return load_card(folder)
    except ModelError as error:
        notes.append(str(error))
    except Exception as error:  # a card of another program may hold anything
        notes.append(f"Its card cannot be used ({type(error).__name__}). Export the model again.")
    return None


def _read_history(file: Path, notes: list[str]) -> dict[str, list[float]]:
    text = _text(file, "history.csv", "curves", notes)
    if text is None:
        return {}
    try:
        rows = list(csv.DictReader(text.splitlines()))
    except csv.Error:
        rows = []
    known = [name for name in HISTORY_COLUMNS if rows and name in rows[0]]
    history: dict[str, list[float]] = {name: [] for name in ("epoch", "learning_rate", *known)}
    skipped = 0
    for number, row in enumerate(rows, start=1):
        values = {name: _number(row.get(name)) for name in known}
        if any(value is None for value in values.values()):
            skipped += 1
            continue
        epoch = _number(row.get("epoch"))
        history["epoch"].append(number if epoch is None else epoch)
        rate = _number(row.get("learning_rate"))
        history["learning_rate"].append(math.nan if rate is None else rate)
        for name, value in values.items():
            history[name].append(math.nan if value is None else value)
    if not known or not history["epoch"]:
        notes.append("Its history.csv holds no epoch that can be drawn.")
        return {}
    # The last row may be half written while training runs; that needs no word.
    if skipped > 1:
        notes.append(f"{skipped} rows of its history.csv cannot be read and are left out.")
    return history


def _read_evaluations(file: Path, notes: list[str]) -> dict[str, Evaluation]:
    text = _text(file, "evaluation.json", "evaluation", notes)
    if text is None:
        return {}
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        notes.append("Its evaluation.json is not complete JSON; it may be half written.")
        return {}
    found: dict[str, Evaluation] = {}
    for split in SPLITS:
        if not isinstance(data, dict) or split not in data:
            continue
        try:
            found[split] = _evaluation(data[split])
        except (LookupError, AttributeError, TypeError, ValueError, OverflowError) as error:
            notes.append(
                f"Its evaluation of {split} is of another form and is left out ({_short(error)})."
            )
    if not found and not any("left out" in note for note in notes):
        notes.append(f"Its evaluation.json names none of the splits {', '.join(SPLITS)}.")
    return found


def _evaluation(data: dict[str, Any]) -> Evaluation:
    classes = tuple(str(name) for name in data["classes"])
    confusion = tuple(tuple(int(count) for count in row) for row in data["confusion_matrix"])
    if not classes or len(confusion) != len(classes):
        raise ValueError(f"{len(confusion)} rows for {len(classes)} classes")
    if any(len(row) != len(classes) or min(row) < 0 for row in confusion):
        raise ValueError("the confusion matrix is not square")
    per_class = {
        name: {
            figure: float(data["per_class"][name][figure])
            for figure in ("precision", "recall", "f1", "support")
        }
        for name in classes
    }
    interval = data.get("accuracy_interval")
    return Evaluation(
        accuracy=_share(data["accuracy"]),
        macro_f1=_maybe(data.get("macro_f1")),
        interval=None if interval is None else (_share(interval[0]), _share(interval[1])),
        images=int(data.get("images", sum(map(sum, confusion)))),
        classes=classes,
        per_class=per_class,
        confusion=confusion,
        calibration_error=_maybe(data.get("expected_calibration_error")),
        top2=_maybe(data.get("top2_accuracy")),
    )


def _text(file: Path, name: str, what: str, notes: list[str]) -> str | None:
    try:
        if not file.is_file():
            notes.append(f"It has no {name}, so there is no {what} to show.")
            return None
        if file.stat().st_size > BYTES_MAX:
            notes.append(f"Its {name} is too large to be one; it is left out.")
            return None
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        notes.append(f"Its {name} cannot be read ({error.strerror}).")
        return None


def _number(text: Any) -> float | None:
    try:
        value = float(text)
    except (TypeError, ValueError):
        return None
    return value if math.isfinite(value) else None


def _share(value: Any) -> float:
    number = float(value)
    if not 0 <= number <= 1:
        raise ValueError(f"{number} is not from 0 to 1")
    return number


def _maybe(value: Any) -> float | None:
    return None if value is None else _share(value)


def _short(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"{error} is missing"
    return str(error)[:80]
