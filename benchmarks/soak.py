"""`python -m benchmarks.soak`: one viewer for half an hour, minute by minute.

What is looked for is what grows: the delay of the picture, and the memory of the server. A real
browser films a moving face with a number in every frame, and reads the numbers of what comes back
for a part of each minute. Needs Chromium and the packages of requirements-dev.txt.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.live import PACKAGES, filming_browser, ranked_delays
from benchmarks.report import Benchmark
from fer_core.errors import OptionError

SETTLED_MINUTE = 2
"""What was loaded until its end counts as the beginning."""
READ_SECONDS = 20.0
"""Of each minute; to read the numbers takes time that a viewer's browser does not spend."""


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Everything that is printed.

    Raises:
        OptionError: an option does not fit.
    """
    if options.minutes <= SETTLED_MINUTE:
        raise OptionError(
            f"--minutes must be more than {SETTLED_MINUTE}. Received: {options.minutes}."
        )
    server = import_module("tests.browser.server")
    live = import_module("tests.browser.live_page")
    rows = []
    with (
        tempfile.TemporaryDirectory() as folder,
        server.serve(Path(folder)) as app,
        filming_browser(Path(folder)) as browser,
    ):
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        context.add_init_script(live.KEEP_CAMERA)
        page = live.LivePage(context.new_page(), app.url).open()
        video = page.start(0)
        begin = time.monotonic()
        for minute in range(1, options.minutes + 1):
            raw = page.numbers(video, READ_SECONDS)
            late = ranked_delays(raw)
            page.page.wait_for_timeout(max(0.0, 1000 * (begin + 60 * minute - time.monotonic())))
            rows.append(
                {
                    "minute": minute,
                    "fresh_a_second": len(raw["returned"]) / READ_SECONDS,
                    "delay_ms": statistics.median(late),
                    "delay_95_ms": late[int(0.95 * (len(late) - 1))],
                    "memory_mb": app.memory_mb(),
                    "threads": app.threads(),
                }
            )
        page.stop()
    return {"rows": rows}


def _table(report: dict[str, Any]) -> str:
    rows = report["rows"]
    lines = [
        "640x480, 15 frames a second, one face; browser and server share the machine",
        "",
        f"{'minute':>6}{'fresh':>8}{'delay ms':>10}{'p95':>7}{'memory MB':>11}{'threads':>9}",
    ]
    # The first ones, then every fifth.
    shown = [row for row in rows if row["minute"] <= SETTLED_MINUTE or not row["minute"] % 5]
    lines += [
        f"{row['minute']:6}{row['fresh_a_second']:8.1f}{row['delay_ms']:10.0f}"
        f"{row['delay_95_ms']:7.0f}{row['memory_mb']:11.1f}{row['threads']:9}"
        for row in shown
    ]
    settled, later = rows[SETTLED_MINUTE - 1], rows[SETTLED_MINUTE:]
    quarter = max(1, len(rows) // 4)
    first, last = (
        statistics.median(row["delay_ms"] for row in part)
        for part in (rows[:quarter], rows[-quarter:])
    )
    most = max(row["memory_mb"] for row in later)
    lines += [
        "",
        f"delay in the last quarter {last - first:+.0f} ms against the first; most memory after "
        f"minute {SETTLED_MINUTE} {100 * (most / settled['memory_mb'] - 1):+.1f} % (aim: within 5)",
    ]
    return "\n".join(lines)


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--minutes", type=int, default=30, metavar="N", help="default: %(default)s")


BENCHMARK = Benchmark(
    name="soak",
    describe="Measure what grows while one viewer streams for long.",
    add_options=_add_options,
    measure=measure,
    heading=lambda report: f"soak: {len(report['rows'])} minutes",
    table=_table,
    packages=PACKAGES,
)
main = BENCHMARK.main

if __name__ == "__main__":
    sys.exit(main())
