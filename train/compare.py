"""Every model folder in one table, beside the figures that others published."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fer_core.errors import ModelError
from fer_core.model_store import list_models, load_card, models_root


@dataclass(frozen=True)
class Target:
    """A published PrivateTest accuracy, per cent, on all seven classes unless `note` says more."""

    accuracy: float | None
    note: str = ""


TARGETS = {
    "cnn48": Target(63.4),
    "base": Target(None),
    "dcnn": Target(62.0, "happy/sad/neutral alone: 83"),
    "cnn56": Target(None),
    "vgg13": Target(61.1, "3 classes: 73"),
    "vgg16": Target(61.1, "3 classes: 73"),
    "resnet18": Target(65.0),
    "resnet34": Target(65.0),
    "resnet50": Target(62.5, "3 classes: 68.4"),
    "googlenet": Target(63.6),
    "inception_v3": Target(68.7),
    "mini_xception": Target(66.0),
}
"""What is to be met or beaten, by architecture; None where nobody published a figure."""

FLAGSHIP = Target(75.2, "best ensemble without extra images")
"""For the project's own networks (Pramerdorfer and Kampel, 2016)."""

_SPLITS = ("PublicTest", "PrivateTest")

_HEADING: tuple[str, ...] = (
    "model",
    "architecture",
    "parameters",
    "mult-adds",
    "PublicTest",
    "PrivateTest",
    "95 %",
    "macro-F1",
    "ECE",
    "to beat",
    "difference",
    "note",
)


def compare(root: Path | None = None) -> tuple[list[dict[str, Any]], list[str]]:
    """A row for each model folder, best PublicTest accuracy first, and a sentence for each fault.

    Args:
        root: folder of model folders; None for the project's own.

    Returns:
        Rows: `model`, `architecture`, `classes` (number of them), `parameters`, `multiply_adds`,
        `public` and `private` accuracy in per cent (None where not scored) with `interval`,
        `macro_f1`, `calibration_error`, `to_beat`, `difference`, `note`, `seconds`, `device`.
    """
    base = root or models_root()
    rows, faults = [], []
    for name in list_models(base):
        try:
            rows.append(_row(base / name))
        except ModelError as error:
            faults.append(str(error))
    rows.sort(key=lambda row: -(row["public"] or 0.0))
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
                _figure(row["private"]),
                f"{interval[0]:.1f} to {interval[1]:.1f}" if interval else "",
                _figure(row["macro_f1"]),
                _figure(row["calibration_error"]),
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
    seven = len(card.classes) == 7
    accuracy = _percent(private.get("accuracy"))
    interval = private.get("accuracy_interval")
    to_beat = target.accuracy if seven else None
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
        "calibration_error": _percent(private.get("expected_calibration_error")),
        "to_beat": to_beat,
        "difference": None if accuracy is None or to_beat is None else accuracy - to_beat,
        "note": target.note if seven else f"{', '.join(card.classes)} alone. {target.note}",
        "seconds": card.training.get("seconds"),
        "device": card.training.get("device"),
    }


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
