"""What every benchmark command does alike: options, errors, printing, and the page of results."""

from __future__ import annotations

import argparse
import datetime
import json
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.machine import machine_in_words, versions_of
from benchmarks.results import RESULTS_FILE, put_section
from fer_core.errors import FerError

__all__ = ["Benchmark", "verdict"]

Report = dict[str, Any]


@dataclass(frozen=True)
class Benchmark:
    """A command that measures something.

    Attributes:
        name: `frame` for `python -m benchmarks.frame`.
        describe: one sentence for `--help`.
        add_options: adds the command's own options.
        measure: from the options to everything found; raises FerError when an option does not fit.
        heading: what the section of results is called; the same measurement, the same heading.
        table: what was found, as lines of text.
        packages: whose versions matter.
    """

    name: str
    describe: str
    add_options: Callable[[argparse.ArgumentParser], None]
    measure: Callable[[argparse.Namespace], Report]
    heading: Callable[[Report], str]
    table: Callable[[Report], str]
    packages: tuple[str, ...]

    def main(self, arguments: Sequence[str] | None = None) -> int:
        """Measure, print, write down; 0 when done, 2 when an option does not fit."""
        given = list(sys.argv[1:] if arguments is None else arguments)
        options = self._parser().parse_args(given)
        try:
            report = self.measure(options)
        except FerError as error:
            print(error, file=sys.stderr)
            return 2
        report = {
            "date": datetime.date.today().isoformat(),
            "machine": machine_in_words(),
            "versions": versions_of(*self.packages),
            **report,
        }
        text = self._text(report)
        print(json.dumps(report, indent=2) if options.json else text)
        if options.results is not None:
            command = shlex.join(["python", "-m", f"benchmarks.{self.name}", *_shown(given)])
            body = f"`{command}`, {report['date']}\n\n```text\n{text}\n```"
            put_section(options.results, self.heading(report), body)
        return 0

    def _text(self, report: Report) -> str:
        versions = ", ".join(f"{name} {number}" for name, number in report["versions"].items())
        return f"{report['machine']}\n{versions}\n{self.table(report)}"

    def _parser(self) -> argparse.ArgumentParser:
        parser = argparse.ArgumentParser(
            prog=f"python -m benchmarks.{self.name}", description=self.describe
        )
        self.add_options(parser)
        parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
        parser.add_argument(
            "--results",
            type=Path,
            default=RESULTS_FILE,
            metavar="FILE",
            help="page whose section is replaced (default: benchmarks/RESULTS.md)",
        )
        parser.add_argument(
            "--no-results", dest="results", action="store_const", const=None, help="write none"
        )
        return parser


def _shown(given: Sequence[str]) -> list[str]:
    """The options as they go into the results: paths of this machine are nobody's business."""
    shown: list[str] = []
    for word in given:
        name = word.partition("=")[0]
        if shown and shown[-1] in _PATHS:
            shown.append("PATH")
        elif name != word and name in _PATHS:
            shown.append(f"{name}=PATH")
        else:
            shown.append(word)
    return shown


_PATHS = ("--data", "--photos", "--results", "--venvs")


def verdict(reached: bool) -> str:
    """What is said of an aim."""
    return "reached" if reached else "not reached"
