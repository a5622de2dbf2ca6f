"""Every model folder in one table, beside the figures that others published."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fer_core.emotions import CLASSES
from fer_core.errors import ModelError
from fer_core.model_store import ModelCard, list_models, load_card, models_root

THREE = ("happy", "sad", "neutral")
"""The classes of the figures that others published for three."""


@dataclass(frozen=True)
class Target:
    """Published PrivateTest accuracies, per cent.

    Attributes:
        accuracy: on all seven classes; None where nobody published one.
        three: on happy, sad and neutral alone; None likewise.
        note: beside the figure for seven classes.
        note_three: beside that for three.
    """

    accuracy: float | None = None
    three: float | None = None
    note: str = ""
    note_three: str = ""


TARGETS = {
    "cnn48": Target(63.4),
    "base": Target(),
    "dcnn": Target(62.0, 83.0, note_three="F1 to beat: happy 0.92, sad 0.76, neutral 0.75"),
    "cnn56": Target(),
    "vgg13": Target(61.1, 73.0),
    "vgg16": Target(61.1, 73.0),
    "resnet18": Target(65.0),
    "resnet34": Target(65.0),
    "resnet50": Target(62.5, 68.4),
    "googlenet": Target(63.6),
    "inception_v3": Target(68.7),
    "mini_xception": Target(66.0),
    "tiny48": Target(70.0, note="at most 0.3 million parameters"),
}
"""What is to be met or beaten, by architecture."""

FLAGSHIP = Target(75.2, note="best ensemble without extra images")
"""For the project's own networks (Pramerdorfer and Kampel, 2016)."""

_SPLITS = ("PublicTest", "PrivateTest")

_HEADING: tuple[str, ...] = (
    "model",
    "architecture",
    "parameters",
    "mult-adds",
    "PublicTest",
    "PrivateTest (95 %)",
    "macro-F1",
    "AUC",
    "ECE",
    "damaged",
    "to beat",
    "difference",
    "note",
)


def compare(root: Path | None = None) -> tuple[list[dict[str, Any]], list[str]]:
    """A row for each model folder, and a sentence for each fault.

    Networks of seven classes come first; among equals, the best PublicTest accuracy does.

    Args:
        root: folder of model folders; None for the project's own.

    Returns:
        Rows: `model`, `architecture`, `classes` (number of them), `parameters`, `multiply_adds`,
        `public` and `private` accuracy in per cent (None where not scored) with `interval`;
        `macro_f1`, `calibration_error` and `damaged` (the mean accuracy on damaged images), per
        cent; `macro_auc`, 0 to 1; `to_beat`, `difference`, `note`, `seconds`, `device`.
    """
    base = root or models_root()
    rows, faults = [], []
    for name in list_models(base):
        try:
            rows.append(_row(base / name))
        except ModelError as error:
            faults.append(str(error))
    rows.sort(key=lambda row: (row["classes"] != len(CLASSES), -(row["public"] or 0.0)))
    return rows, faults


def table(rows: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    """Heading and rows as text."""
    lines = [_HEADING]
    for row in rows:
        interval = row["interval"]
        lines.append(
            (
                row["model"],
                row["architecture"],
                f"{row['parameters'] / 1e6:.2f} M",
                f"{row['multiply_adds'] / 1e6:.0f} M",
                _figure(row["public"]),
                _figure(row["private"])
                + (f" ({interval[0]:.1f} to {interval[1]:.1f})" if interval else ""),
                _figure(row["macro_f1"]),
                _figure(row["macro_auc"], 3),
                _figure(row["calibration_error"]),
                _figure(row["damaged"]),
                _figure(row["to_beat"], 1),
                "" if row["difference"] is None else f"{row['difference']:+.2f}",
                row["note"],
            )
        )
    return lines


def text_lines(rows: list[dict[str, Any]]) -> list[str]:
    """The table in columns."""
    cells = table(rows)
    widths = [max(len(line[place]) for line in cells) for place in range(len(cells[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    ]


def markdown_lines(rows: list[dict[str, Any]]) -> list[str]:
    """The table in Markdown."""
    heading, *rest = table(rows)
    lines = (heading, ("---",) * len(heading), *rest)
    return ["| " + " | ".join(line) + " |" for line in lines]


def _figure(value: float | None, digits: int = 2) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _row(folder: Path) -> dict[str, Any]:
    card = load_card(folder)
    scored = _evaluation(folder)
    public, private = (
        dict[str, Any](scored.get(name) or card.figures.get(name) or {}) for name in _SPLITS
    )
    target = TARGETS.get(card.architecture, FLAGSHIP)
    three = set(card.classes) == set(THREE)
    accuracy = _percent(private.get("accuracy"))
    interval = private.get("accuracy_interval")
    to_beat = target.three if three else target.accuracy if card.classes == CLASSES else None
    return {
        "model": card.name,
        "architecture": card.architecture,
        "classes": len(card.classes),
        "parameters": card.parameters,
        "multiply_adds": card.multiply_adds,
        "public": _percent(public.get("accuracy")),
        "private": accuracy,
        "interval": [_percent(value) for value in interval] if interval else None,
        "macro_f1": _percent(private.get("macro_f1")),
        "macro_auc": private.get("macro_auc"),
        "damaged": _percent(private.get("corruption_mean")),
        "calibration_error": _percent(private.get("expected_calibration_error")),
        "to_beat": to_beat,
        "difference": None if accuracy is None or to_beat is None else accuracy - to_beat,
        "note": _note(card, target, private) if card.classes != CLASSES else target.note,
        "seconds": card.training.get("seconds"),
        "device": card.training.get("device"),
    }


def _note(card: ModelCard, target: Target, private: dict[str, Any]) -> str:
    """What stands beside a network of other classes than the seven: which, and how well each."""
    per_class = private.get("per_class", {})
    each = ", ".join(
        f"{name} {per_class[name]['f1']:.2f}" if name in per_class else name
        for name in card.classes
    )
    others = target.note_three if set(card.classes) == set(THREE) else ""
    return f"F1 of {each}. {others}".strip() if per_class else f"{each} alone. {others}".strip()


def _evaluation(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder / 'evaluation.json'} cannot be read: {error}.") from None
    if not isinstance(found, dict):
        raise ModelError(f"{folder / 'evaluation.json'} is not a JSON object.")
    return found


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share
