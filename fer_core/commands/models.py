"""`models list | show | verify`: what lies in the models folder, and whether it is whole."""

from __future__ import annotations

import argparse
import json
from typing import Any

from fer_core.commands.common import OK, SOME_FAILED, Commands, complain
from fer_core.errors import ModelError
from fer_core.model_store import (
    ModelCard,
    default_model_name,
    list_models,
    load_card,
    model_folder,
    models_root,
    runnable_models,
    verify_model,
)

__all__ = ["add_parser"]

_EXITS = "exit codes: 0 all is well, 1 a model is not, 2 the command cannot be carried out"


def add_parser(commands: Commands) -> None:
    """Add the sub-commands to argparse's."""
    parser = commands.add_parser(
        "models",
        help="list, show and verify the networks",
        description="What lies in the models folder (`models/`, or $FER_LIVE_MODELS).",
        epilog=_EXITS,
    )
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    listing = actions.add_parser(
        "list", help="a line a model", description="A line a model.", epilog=_EXITS
    )
    listing.set_defaults(run=_list)
    showing = actions.add_parser(
        "show",
        help="all that a model's card says",
        description="All that a model's card says.",
        epilog=_EXITS,
    )
    showing.add_argument("name", nargs="?", metavar="NAME", help="default: the default model")
    showing.set_defaults(run=_show)
    verifying = actions.add_parser(
        "verify",
        help="compare files with the SHA-256 that their card lists",
        description="Compare the files of models with the SHA-256 that their card lists.",
        epilog=_EXITS,
    )
    verifying.add_argument(
        "names", nargs="*", metavar="NAME", help="default: all that hold a network"
    )
    verifying.set_defaults(run=_verify)
    for action in (listing, showing, verifying):
        action.add_argument("--json", action="store_true", help="JSON in place of a table")


def _list(options: argparse.Namespace) -> int:
    default = _default_name()
    entries: list[dict[str, Any]] = []
    for name in list_models():
        entry: dict[str, Any] = {"name": name, "default": name == default}
        try:
            entry.update(_in_short(load_card(models_root() / name)))
        except ModelError as error:
            entry["error"] = str(error)
        entries.append(entry)
    if not entries:
        raise ModelError(
            f"There is no model in {models_root()}. Train one with `python -m train fit`."
        )
    bad = [entry["error"] for entry in entries if "error" in entry]
    if options.json:
        print(json.dumps(entries, indent=2))
    else:
        rows = [
            [
                entry["name"] + (" (default)" if entry["default"] else ""),
                entry["architecture"],
                f"{entry['input_size']}x{entry['input_size']}",
                f"{entry['parameters'] / 1e6:.2f} M",
                f"{entry['multiply_adds'] / 1e6:.0f} M",
                "" if entry["accuracy"] is None else f"{100 * entry['accuracy']:.2f} %",
                f"{entry['bytes'] / 1e6:.1f} MB" if entry["bytes"] else "figures only",
            ]
            for entry in entries
            if "error" not in entry
        ]
        columns = ["model", "architecture", "input", "parameters", "multiply-adds"]
        _print_table([*columns, "PrivateTest", "files"], rows, numbers=3)
    for sentence in bad:
        complain(sentence)
    return SOME_FAILED if bad else OK


def _show(options: argparse.Namespace) -> int:
    folder = model_folder(options.name)
    card = load_card(folder)
    if options.json:
        print(json.dumps({"folder": str(folder), **card.to_dict()}, indent=2, ensure_ascii=False))
        return OK
    crop = f"margin {card.crop.margin:g}, eyes {card.crop.eyes}"
    rows = [
        ["folder", str(folder)],
        ["architecture", card.architecture],
        ["input", f"{card.input_size}x{card.input_size}, {_colours(card)}; {crop}"],
        ["classes", ", ".join(card.classes)],
        ["parameters", f"{card.parameters:,}"],
        ["multiply-adds", f"{card.multiply_adds:,} a face"],
        ["temperature", f"{card.temperature:g}"],
        ["uncertain below", f"{card.uncertain_below:g}"],
    ]
    rows += [[f"on {split}", _figures(values)] for split, values in card.figures.items()]
    rows += [
        [f"training: {name}", str(value)]
        for name, value in card.training.items()
        if isinstance(value, (str, int, float))
    ]
    rows += [
        [name, f"{facts.get('bytes', 0):,} bytes, SHA-256 {str(facts.get('sha256'))[:12]}..."]
        for name, facts in sorted(card.files.items())
    ]
    rows.append(["made with", ", ".join(f"{name} {v}" for name, v in card.versions.items())])
    rows.append(["intended use", card.intended_use])
    rows += [["out of scope", sentence] for sentence in card.out_of_scope]
    rows += [["limit", limit] for limit in card.limits]
    _print_table([card.name, ""], [row for row in rows if row[1]])
    return OK


def _verify(options: argparse.Namespace) -> int:
    names = options.names or runnable_models()
    if not names:
        raise ModelError(
            f"There is no model in {models_root()}. Train one with `python -m train fit`."
        )
    entries = []
    for name in names:
        try:
            files = sorted(verify_model(model_folder(name)).files)
            entries.append({"name": name, "ok": True, "files": files})
        except ModelError as error:
            entries.append({"name": name, "ok": False, "error": str(error)})
            complain(str(error))
    if options.json:
        print(json.dumps(entries, indent=2))
    else:
        _print_table(
            ["model", "", "files"],
            [
                [
                    str(entry["name"]),
                    "whole" if entry["ok"] else "NOT WHOLE",
                    ", ".join(entry.get("files", ())),  # type: ignore[arg-type]
                ]
                for entry in entries
            ],
        )
    return OK if all(entry["ok"] for entry in entries) else SOME_FAILED


def _in_short(card: ModelCard) -> dict[str, Any]:
    return {
        "architecture": card.architecture,
        "input_size": card.input_size,
        "parameters": card.parameters,
        "multiply_adds": card.multiply_adds,
        "accuracy": card.figures.get("PrivateTest", {}).get("accuracy"),
        "uncertain_below": card.uncertain_below,
        "bytes": sum(facts.get("bytes", 0) for facts in card.files.values()),
    }


def _default_name() -> str | None:
    try:
        return default_model_name()
    except ModelError:
        return None


def _colours(card: ModelCard) -> str:
    return "grey" if card.channels == 1 else "RGB"


_SHARES = {
    "accuracy": "accuracy",
    "top2_accuracy": "right with one of the best two",
    "macro_f1": "macro-F1",
    "expected_calibration_error": "calibration error",
    "share_shown": "labelled",
    "accuracy_shown": "right of those labelled",
}
"""Figures that are shares, 0 to 1, in words."""


def _figures(values: dict[str, float]) -> str:
    said = []
    for name, value in values.items():
        if name == "images":
            said.append(f"{value:,.0f} images")
        elif name in _SHARES and isinstance(value, (int, float)):
            said.append(f"{_SHARES[name]} {100 * value:.2f} %")
            low, high = (values.get(f"{name}_{end}") for end in ("low", "high"))
            if low is not None and high is not None:
                said[-1] += f" (95 %: {100 * low:.2f} to {100 * high:.2f})"
        elif isinstance(value, (int, float)) and not name.endswith(("_low", "_high")):
            said.append(f"{name.replace('_', ' ')} {value:g}")
    return ", ".join(said)


def _print_table(columns: list[str], rows: list[list[str]], numbers: int = 99) -> None:
    """A table on standard output; columns from `numbers` on are set to the right."""
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    if not console.is_terminal:
        # A pipe has no width; wrapped cells would be of no use to `grep`.
        console = Console(width=max(200, *(sum(map(len, row)) + 8 * len(row) for row in rows)))
    table = Table(box=SIMPLE, pad_edge=False)
    for place, name in enumerate(columns):
        table.add_column(Text(name), justify="right" if place >= numbers else "left")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)
