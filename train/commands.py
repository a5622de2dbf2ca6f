"""The commands around a run: teach, report, card, audit, compare, tune and queue."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer_core.errors import OptionError, TrainingError
from train.options import TrainOptions
from train.recipe import TEST_VIEWS

if TYPE_CHECKING:
    from train.data import Dataset

_ROOT = Path(__file__).resolve().parents[1]


def add_commands(commands: Any) -> None:
    """Add the parsers of these commands."""
    teach = _command(commands, "teach", "write what teachers say of the training images", _teach)
    teach.add_argument("--models", required=True, nargs="+", help="names in models/, or folders")
    _data(teach)
    teach.add_argument("--out", required=True, type=Path, help=".npz for --teacher-probabilities")

    report = _command(commands, "report", "write evaluation.json of a model folder anew", _report)
    report.add_argument("--model", required=True, help="name in models/, or a folder")
    _data(report)
    report.add_argument("--runtime", default="auto", help="auto, litert or keras (default auto)")
    add_views(report)
    report.add_argument("--out", type=Path, help="file to write (default: the one in the folder)")

    card = _command(commands, "card", "write README.md of a model folder anew", _card)
    card.add_argument("--model", required=True, help="name in models/, or a folder")

    audit = _command(commands, "audit", "count classes, duplicates and non-faces", _audit)
    _data(audit)
    audit.add_argument("--sheets", type=Path, help="folder for a picture of each class")
    audit.add_argument("--json", action="store_true", help="as JSON")

    compare = _command(commands, "compare", "all models beside the figures to beat", _compare)
    compare.add_argument("--models", type=Path, help="folder of model folders (default models/)")
    form = compare.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="as JSON")
    form.add_argument("--markdown", action="store_true", help="as a Markdown table")
    form.add_argument(
        "--missing", action="store_true", help="the commands that train what is not trained yet"
    )

    tune = _command(commands, "tune", "search good options (needs Optuna)", _tune)
    _data(tune)
    tune.add_argument("--out", required=True, type=Path, help="folder; one in use is gone on with")
    tune.add_argument("--config", type=Path, help="options that are not searched, as JSON")
    tune.add_argument("--arch", metavar="NAME", help="architecture")
    tune.add_argument("--epochs", type=int, help="of each trial")
    tune.add_argument("--trials", type=int, default=30, help="in all (default 30)")
    tune.add_argument("--minutes", type=float, help="no trial begins later than this")

    queue = _command(commands, "queue", "train a list of runs, skipping finished ones", _queue)
    queue.add_argument("file", type=Path, help="JSON list of {name, config or like, options}")
    _data(queue)
    queue.add_argument("--out", required=True, type=Path, help="folder for the model folders")
    queue.add_argument("--minutes", type=float, help="for all runs; the rest goes on next time")


def _command(commands: Any, name: str, what: str, run: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=what, description=f"{what}.")
    parser.set_defaults(command=run)
    return parser


def _data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", required=True, type=Path, help="fer2013.csv, an .npz, or a folder with train/"
    )
    parser.add_argument("--ferplus", type=Path, help="fer2013new.csv with the FER+ votes")


def add_views(parser: argparse.ArgumentParser) -> None:
    """Add `--tta`."""
    parser.add_argument(
        "--tta",
        default="off",
        choices=TEST_VIEWS,
        help="also score the mean over several views of each image, reported apart",
    )


def loaded(parsed: argparse.Namespace) -> Dataset:
    """The data set, and a line for each thing that was assumed while reading it."""
    from train.data import load_dataset

    dataset = load_dataset(parsed.data, parsed.ferplus)
    for note in dataset.notes:
        print(note)
    return dataset


def _teach(parsed: argparse.Namespace) -> None:
    from fer_core.model_store import load_card, model_folder
    from train.data.prepare import prepared_for
    from train.teachers import Taught, Teachers

    card = load_card(model_folder(parsed.models[0]))
    teachers = Teachers(parsed.models, card.classes)
    split = prepared_for(card, loaded(parsed)).split("Training")
    found = Taught(teachers.of_images(split.images), split.rows, split.classes, teachers.names)
    out = parsed.out if parsed.out.suffix == ".npz" else parsed.out.with_suffix(".npz")
    found.save(out)
    right = float((found.probabilities.argmax(axis=1) == split.labels).mean())
    print(
        f"{out}: {len(parsed.models)} teachers, {len(split):,} training images seen as they are "
        f"and mirrored; {100 * right:.2f} % as labelled"
    )


def _report(parsed: argparse.Namespace) -> None:
    from train.report import report_folder

    dataset = loaded(parsed)
    file = report_folder(
        parsed.model,
        dataset,
        runtime=parsed.runtime,
        tta=parsed.tta,
        out=parsed.out,
        said=print,
    )
    print(file)


def _card(parsed: argparse.Namespace) -> None:
    from train.model_card import describe_folder

    print(describe_folder(parsed.model))


def _audit(parsed: argparse.Namespace) -> None:
    from train.audit import audit, audit_lines, write_sheets
    from train.data import load_dataset

    if parsed.sheets and _ROOT in (parsed.sheets.resolve(), *parsed.sheets.resolve().parents):
        raise OptionError(
            f"{parsed.sheets} lies in the project, and images of the data set may not be passed on "
            "with it. Give --sheets a folder elsewhere."
        )
    dataset = load_dataset(parsed.data, parsed.ferplus)
    found = audit(dataset, (lambda text: None) if parsed.json else print)
    for line in [json.dumps(found, indent=2)] if parsed.json else audit_lines(found):
        print(line)
    for file in write_sheets(dataset, parsed.sheets) if parsed.sheets else ():
        if not parsed.json:
            print(file)


def _compare(parsed: argparse.Namespace) -> None:
    import sys

    from train.compare import compare, markdown_lines, text_lines
    from train.missing import missing_lines, missing_sentence

    rows, faults = compare(parsed.models)
    if parsed.json:
        lines = [json.dumps(rows, indent=2)]
    elif parsed.missing:
        lines = missing_lines(rows)
    elif parsed.markdown:
        lines = markdown_lines(rows)
    else:
        sentence = missing_sentence(rows)
        lines = [*text_lines(rows), *(["", sentence] if sentence else [])]
    for line in lines:
        print(line)
    for fault in faults:
        print(fault, file=sys.stderr)


def _tune(parsed: argparse.Namespace) -> None:
    from dataclasses import replace

    from train import memory
    from train.tune import BEST_FILE, tune

    memory.keep_freed_memory()
    if parsed.trials < 1:
        raise OptionError(f"trials must be at least 1. Received: {parsed.trials}.")
    options = TrainOptions.from_file(parsed.config) if parsed.config else TrainOptions()
    if parsed.arch:
        options = replace(options, architecture=parsed.arch)
    if parsed.epochs is not None:
        options = replace(options, epochs=parsed.epochs)
    dataset = loaded(parsed)
    table = tune(dataset, options, parsed.out, trials=parsed.trials, minutes=parsed.minutes)
    best = table.with_name(BEST_FILE)
    print(f"The table is in {table}.")
    if best.is_file():
        print(f"The options of the best trial are in {best}; give them to `fit --config`.")


def _queue(parsed: argparse.Namespace) -> None:
    from train import memory
    from train.many import read_queue, run_queue

    memory.keep_freed_memory()
    planned = read_queue(parsed.file)
    dataset = loaded(parsed)
    results = run_queue(planned, dataset, parsed.out, minutes=parsed.minutes)
    failed = [result.name for result in results if result.state == "failed"]
    left = sum(result.state == "unfinished" for result in results)
    if left:
        print(f"{left} of {len(results)} runs are unfinished; the same command goes on with them.")
    if failed:
        raise TrainingError(f"These runs failed: {', '.join(failed)}. Each said above why.")
