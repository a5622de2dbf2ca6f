"""`python -m train`: fit, evaluate, export and archs; `train.commands` has the others."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, NoReturn

from fer_core.errors import FerError, OptionError
from train import options as run_options
from train import recipe
from train.commands import add_commands, add_views, loaded
from train.options import TrainOptions
from train.tensorflow_start import prepare_tensorflow
from train.words import words_of


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    prepare_tensorflow()
    parsed = _parser().parse_args(arguments)
    try:
        parsed.command(parsed)
        sys.stdout.flush()
    except FerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; go on with --resume", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader has had enough; nothing more can be printed, not even while leaving.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


def _fit(parsed: argparse.Namespace) -> None:
    from train import memory

    memory.keep_freed_memory()

    options = TrainOptions.from_file(parsed.config) if parsed.config else TrainOptions()
    given = {
        item.name: getattr(parsed, item.name)
        for item in fields(TrainOptions)
        if getattr(parsed, item.name, None) is not None
    }
    if "classes" in given:
        words = " ".join(given["classes"]).replace(",", " ")
        given["classes"] = words.split()
    if "augmentation" in given:
        given["augmentation"] = _strengths(options, given["augmentation"])
    options = TrainOptions.from_dict({**options.to_dict(), **given})
    until = None if parsed.minutes is None else time.monotonic() + 60 * parsed.minutes
    dataset = loaded(parsed)
    # Brings TensorFlow, which takes seconds: what is wrong with the data is said before.
    from train.run import train_and_ship

    report = train_and_ship(dataset, options, parsed.out, resume=parsed.resume, until=until)
    print(report)


def _strengths(options: TrainOptions, words: list[str]) -> dict[str, Any]:
    """The augmentation of `options`, changed by words such as `flip=0.5`."""
    strengths = options.augmentation.to_dict()
    for word in words:
        name, _, value = word.partition("=")
        try:
            numbers = [float(part) for part in value.split(",")]
        except ValueError:
            raise OptionError(
                f"--augmentation takes NAME=NUMBER, flip=0.5 say. Received: {word!r}."
            ) from None
        strengths[name] = numbers[0] if len(numbers) == 1 else numbers
    return strengths


def _evaluate(parsed: argparse.Namespace) -> None:
    from train.data import load_dataset
    from train.evaluate import evaluate_folder

    result = evaluate_folder(
        parsed.model,
        load_dataset(parsed.data, parsed.ferplus),
        parsed.split,
        parsed.runtime,
        parsed.tta,
    )
    print(json.dumps(result, indent=2))


def _export(parsed: argparse.Namespace) -> None:
    from train.export import export_folder

    print(export_folder(parsed.model, parsed.runtimes))


def _archs(parsed: argparse.Namespace) -> None:
    from train.listing import describe_all, table_lines

    if parsed.json:
        print(json.dumps(list(describe_all()), indent=2))
        return
    for line in table_lines(describe_all()):
        print(line, flush=True)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One sentence, as everywhere else, in place of the whole usage."""
        self.exit(2, f"error: {message}. See `{self.prog} --help`.\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m train",
        description="Train, measure and export facial-expression networks on FER2013.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _fit_parser(commands)
    _evaluate_parser(commands)

    export = commands.add_parser("export", help="write the files for LiteRT and the card anew")
    export.add_argument("--model", required=True, help="name in models/, or a folder")
    export.add_argument(
        "--runtimes",
        nargs="+",
        choices=(both := ("litert", "litert_int8")),
        default=both,
        help="whose files the folder has afterwards; both, unless a large network is to be small",
    )
    export.set_defaults(command=_export)

    archs = commands.add_parser("archs", help="list the architectures with their cost")
    archs.add_argument("--json", action="store_true", help="as a JSON list")
    archs.set_defaults(command=_archs)
    add_commands(commands)
    return parser


def _fit_parser(commands: Any) -> None:
    fit = commands.add_parser(
        "fit",
        help="train a network and write a model folder",
        description="Train a network. Everything is chosen on PublicTest; PrivateTest is scored "
        "once, at the end.",
    )
    fit.add_argument(
        "--data", required=True, type=Path, help="fer2013.csv, an .npz, or a folder with train/"
    )
    fit.add_argument("--ferplus", type=Path, help="fer2013new.csv with the FER+ votes")
    fit.add_argument("--out", required=True, type=Path, help="model folder to write")
    fit.add_argument("--config", type=Path, help="options from a JSON file; flags override it")
    fit.add_argument("--resume", action="store_true", help="go on with the unfinished run in --out")
    defaults = TrainOptions()
    fit.add_argument(
        "--arch",
        dest="architecture",
        metavar="NAME",
        help=f"architecture (default {defaults.architecture}; see `archs`)",
    )
    fit.add_argument("--minutes", type=float, help="no epoch begins that would not end by then")
    fit.add_argument(
        "--augmentation",
        nargs="+",
        metavar="NAME=VALUE",
        help="strengths of the changes, flip=0.5 rotation=12 say (see `train/augmentation.py`)",
    )
    known = run_options.KNOWN | recipe.KNOWN
    words = words_of(TrainOptions)
    for item in fields(TrainOptions):
        value = getattr(defaults, item.name)
        if item.name in ("architecture", "augmentation"):
            continue
        flag = "--" + item.name.replace("_", "-")
        # argparse reads a per cent sign as the beginning of a name.
        said = words.get(item.name, "").rstrip(".").replace("`", "").replace("%", "%%")
        default = "none" if value in ("", ()) else value
        help_text = f"{said} (default {default})"
        if isinstance(value, tuple):
            fit.add_argument(flag, nargs="+", metavar="NAME", help=help_text)
        elif isinstance(value, bool):
            fit.add_argument(
                flag, action=argparse.BooleanOptionalAction, help=help_text, default=None
            )
        else:
            fit.add_argument(
                flag,
                type=type(value),
                choices=known.get(item.name),
                metavar=None if item.name in known else type(value).__name__.upper(),
                help=help_text,
            )
    fit.set_defaults(command=_fit)


def _evaluate_parser(commands: Any) -> None:
    from train.data import SPLITS

    evaluate = commands.add_parser("evaluate", help="score a model folder on one split, as JSON")
    evaluate.add_argument("--model", required=True, help="name in models/, or a folder")
    evaluate.add_argument("--data", required=True, type=Path, help="as for fit")
    evaluate.add_argument("--ferplus", type=Path, help="as for fit")
    add_views(evaluate)
    evaluate.add_argument("--split", default="PublicTest", choices=SPLITS)
    evaluate.add_argument("--runtime", default="auto", help="auto, litert or keras (default auto)")
    evaluate.set_defaults(command=_evaluate)
