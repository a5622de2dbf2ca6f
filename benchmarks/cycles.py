"""`python -m benchmarks.cycles`: START and STOP, two hundred times.

What is looked for is what a stream leaves behind in the server when it ends: threads, open files
and sockets, memory. A real browser with a camera that films a moving face presses START, waits for
some frames, and presses STOP. Needs Chromium and the packages of requirements-dev.txt.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
from collections import deque
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.live import PACKAGES, filming_browser
from benchmarks.report import Benchmark
from fer_core.errors import OptionError

WARM_CYCLES = 20
"""Until then pools fill, and what is loaded at the first START is: memory counts from there on."""
LATELY = 10
"""The memory is the least of so many cycles: what the allocator keeps for later goes up and down by
a tenth from one to the next, and what is lost for good is in the least as well."""
SPARE = 4
"""So many threads or descriptors come and go with the web server's own pools."""
SPARE_MB = 5.0
SPARE_SHARE = 0.1
"""Of the memory after the warm cycles, or `SPARE_MB` where that is more."""


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Everything that is printed.

    Raises:
        OptionError: an option does not fit.
    """
    if options.cycles <= WARM_CYCLES:
        raise OptionError(f"--cycles must be more than {WARM_CYCLES}. Received: {options.cycles}.")
    server = import_module("tests.browser.server")
    live = import_module("tests.browser.live_page")
    rest = import_module("tests.browser.rest").Rest
    rows = []
    with (
        tempfile.TemporaryDirectory() as folder,
        server.serve(Path(folder)) as app,
        filming_browser(Path(folder)) as browser,
    ):
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        page = live.LivePage(context.new_page(), app.url).open()
        lately: deque[float] = deque(maxlen=LATELY)
        for done in range(options.cycles + 1):
            if done:
                page.start(options.frames)
                page.stop()
            lately.append(app.memory_mb())
            if done in (0, WARM_CYCLES, options.cycles):
                held = dataclasses.asdict(rest(app).before)
                rows.append({"cycles": done, **held, "memory_mb": min(lately)})
    return {"frames": options.frames, "rows": rows}


def _table(report: dict[str, Any]) -> str:
    rows = report["rows"]
    lines = [
        f"640x480, 15 frames a second, one face; {report['frames']} frames in each cycle; the "
        f"server at rest; memory: the least after the last {LATELY} cycles",
        "",
        f"{'cycles':>6}{'threads':>9}{'descriptors':>13}{'udp sockets':>13}{'memory MB':>11}",
    ]
    lines += [
        f"{row['cycles']:6}{row['threads']:9}{row['descriptors']:13}{row['udp']:13}"
        f"{row['memory_mb']:11.1f}"
        for row in rows
    ]
    return "\n".join([*lines, "", *_verdicts(*rows)])


def _verdicts(
    before: dict[str, float], warm: dict[str, float], last: dict[str, float]
) -> list[str]:
    lines = []
    for name, words, spare in (
        ("threads", "threads", SPARE),
        ("descriptors", "descriptors", SPARE),
        ("udp", "udp sockets", 0),
    ):
        more = last[name] - before[name]
        lines.append(
            f"{words}: {more:+} against the beginning (aim: at most {spare:+}): "
            f"{_said(more, spare)}"
        )
    more_mb = last["memory_mb"] - warm["memory_mb"]
    spare_mb = max(SPARE_MB, SPARE_SHARE * warm["memory_mb"])
    lines.append(
        f"memory: {more_mb:+.1f} MB against {warm['cycles']} cycles (aim: at most "
        f"{spare_mb:+.1f}): {_said(more_mb, spare_mb)}"
    )
    return lines


def _said(more: float, spare: float) -> str:
    return "kept" if more <= spare else "NOT KEPT"


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--cycles", type=int, default=200, metavar="N", help="default: %(default)s")
    parser.add_argument(
        "--frames", type=int, default=5, metavar="N", help="in each cycle (default: %(default)s)"
    )


BENCHMARK = Benchmark(
    name="cycles",
    describe="Measure what START and STOP, many times, leave behind in the server.",
    add_options=_add_options,
    measure=measure,
    heading=lambda _: "cycles",
    table=_table,
    packages=PACKAGES,
)
main = BENCHMARK.main

if __name__ == "__main__":
    sys.exit(main())
