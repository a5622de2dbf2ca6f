"""`analyze`: pictures and clips in; JSON, tables, annotated copies and a report out."""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from fer_core.commands.common import (
    INTERRUPTED,
    OK,
    SOME_FAILED,
    Commands,
    add_analysis_options,
    analyzer_options,
    check_file_place,
    make_folder,
    quiet,
)
from fer_core.commands.ledger import LEDGER_FILE, Ledger
from fer_core.commands.sources import find_sources
from fer_core.errors import OptionError
from fer_core.sampling import check_every

if TYPE_CHECKING:
    from fer_core.analyzer import Analyzer

__all__ = ["add_parser"]

_TABLES = ("csv", "jsonl", "parquet")


def add_parser(commands: Commands) -> None:
    """Add the sub-command to argparse's."""
    parser = commands.add_parser(
        "analyze",
        help="read the faces of pictures and clips",
        usage="%(prog)s PATH... [options]",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=(
            "Find the faces in pictures and clips and read their expressions.\n\n"
            "Without --csv, --jsonl, --parquet or --report it prints one JSON array, an object a\n"
            "file. A picture: its size, and for each face box (pixels), label, confidence and the\n"
            "probability of each expression. A clip: its size, length and how many faces had\n"
            "which label. A file that cannot be read has an `error` instead."
        ),
        epilog=(
            "examples:\n"
            "  %(prog)s portrait.jpg\n"
            "  %(prog)s holidays/ --csv faces.csv --report report.html\n"
            "  %(prog)s 'clips/*.mp4' --every 5 --parquet faces.parquet --annotate drawn\n"
            "  find . -name '*.jpg' -print0 | %(prog)s - --jsonl faces.jsonl\n"
            "  %(prog)s --ray clips/ s3://bucket/more --out faces\n\n"
            "A run that writes files keeps what it has done in fer-live.ledger beside them, by\n"
            "the content of each file. A run that was broken off goes on where it was when the\n"
            "same command is given again, with no row lost or twice. After a run over a folder, a\n"
            "pattern or a list the ledger stays, so that the next run does only what is new;\n"
            "remove it to start afresh.\n\n"
            "exit codes: 0 all files read, 1 some not (each has its sentence on standard error),\n"
            "2 the command cannot be carried out, 130 interrupted"
        ),
    )
    parser.add_argument(
        "paths",
        nargs="+",
        metavar="PATH",
        help="a picture, clip or folder, a pattern in quotes, or - for a list on standard input",
    )
    out = parser.add_argument_group("what comes out")
    out.add_argument("--csv", type=Path, metavar="FILE", help="a table with a row a face")
    out.add_argument(
        "--jsonl", type=Path, metavar="FILE", help="a JSON object a frame, also without a face"
    )
    out.add_argument(
        "--parquet", type=Path, metavar="FILE", help="the table of --csv, typed and compressed"
    )
    out.add_argument(
        "--annotate",
        type=Path,
        metavar="DIR",
        help="write each file once more with its faces drawn in, as DIR/NAME-annotated.EXT",
    )
    out.add_argument(
        "--bars", action="store_true", help="with --annotate: draw a bar for each expression too"
    )
    out.add_argument(
        "--report",
        type=Path,
        metavar="FILE",
        help="one HTML file: shares of the expressions, a table, a few frames of each file",
    )
    out.add_argument("--pretty", action="store_true", help="indent the JSON for people")
    out.add_argument(
        "--quiet", action="store_true", help="no progress bar and no summary, only what goes wrong"
    )
    out.add_argument(
        "--verbose", action="store_true", help="let the libraries underneath print their notices"
    )
    add_analysis_options(parser).add_argument(
        "--every",
        type=int,
        default=1,
        metavar="N",
        help="in clips, analyse every N-th frame; default: each",
    )
    cluster = parser.add_argument_group("over many cores or machines, with Ray")
    cluster.add_argument(
        "--ray",
        nargs="?",
        const="local",
        metavar="ADDRESS",
        help="hand the files out to workers: of this machine without an address, or of the Ray "
        "cluster at HOST:PORT; PATH may then also be an address such as s3://bucket/clips",
    )
    cluster.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="with --ray: where Parquet goes, faces/ with a row a face, files.parquet with a row a "
        "file; failed.csv names what could not be read",
    )
    cluster.add_argument(
        "--workers",
        type=int,
        metavar="N",
        help="with --ray: default one a core, or one a GPU; without --threads each has one thread",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Carry the command out; returns the exit code."""
    check_every(options.every)
    if options.ray is not None:
        from fer_core.cluster.run import run_on_ray

        return run_on_ray(options, _settings)
    for name in ("out", "workers"):
        if getattr(options, name) is not None:
            raise OptionError(f"--{name} goes only with --ray. Add --ray, or leave it away.")
    _check_places(options)
    sources, many = find_sources(options.paths, sys.stdin.buffer)
    with quiet(not options.verbose):
        from fer_core.analyzer import Analyzer
        from fer_core.commands.run import Run

        analyzer = Analyzer(analyzer_options(options))
    with contextlib.ExitStack() as stack:
        stack.enter_context(analyzer)
        ledger = _open_ledger(options, analyzer, lasting=many)
        if ledger is not None:
            stack.callback(ledger.close)
        whole_run = Run(options, analyzer, ledger, sources)
        try:
            whole_run.analyze()
            whole_run.write_results()
        except KeyboardInterrupt:
            if ledger is None:
                raise
            whole_run.say_interrupted()
            return INTERRUPTED
        if ledger is not None:
            ledger.close(complete=True)
    return SOME_FAILED if whole_run.failed else OK


def _open_ledger(options: argparse.Namespace, analyzer: Analyzer, lasting: bool) -> Ledger | None:
    files = [
        file for name in ("parquet", "csv", "jsonl", "report") if (file := getattr(options, name))
    ]
    if files:
        folder = files[0].absolute().parent
    elif options.annotate is not None:
        folder = options.annotate
    else:
        return None
    return Ledger(folder / LEDGER_FILE, _settings(options, analyzer), lasting)


def _settings(options: argparse.Namespace, analyzer: Analyzer) -> str:
    """Fingerprint of everything that the results depend on, but for the file."""
    chosen = asdict(analyzer.options)
    del chosen["threads"], chosen["model"]
    classifier = analyzer.classifier
    chosen.update(
        every=options.every,
        runtime=classifier.runtime.name,
        min_confidence=analyzer.min_confidence,
        card=classifier.card.to_dict(),
    )
    text = json.dumps(chosen, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _check_places(options: argparse.Namespace) -> None:
    names = [name for name in (*_TABLES, "report") if getattr(options, name)]
    places: dict[Path, str] = {}
    for name in names:
        file: Path = getattr(options, name)
        check_file_place(file, f"--{name}")
        other = places.setdefault(file.absolute(), name)
        if other != name:
            raise OptionError(f"--{other} and --{name} name the same file, {file}. Name two files.")
    if options.parquet is not None:
        try:
            import pyarrow  # noqa: F401
        except ImportError:
            raise OptionError(
                "--parquet needs the package pyarrow, which is not installed. "
                "Run `pip install pyarrow`, or use --csv."
            ) from None
    if options.annotate is not None:
        make_folder(options.annotate, "--annotate")
