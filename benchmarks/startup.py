"""`python -m benchmarks.startup`: from an empty process to the first answer.

Each figure comes from a process of its own, started several times; the disk's cache is warm. The
photo is 512x512 with one face. `whole` is the time from starting Python to its end, as a user of
the command waits for it; `peak` is the most memory that the process had.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from PIL import Image

from benchmarks.report import Benchmark
from fer_core.errors import OptionError

AIM_SECONDS, AIM_MEGABYTES, AIM_IMPORT = 0.7, 200.0, 0.3
HEAVY = ("tensorflow", "keras", "jax", "torch", "mediapipe", "streamlit", "pandas")

_IMPORT = "import fer_core"
_PHOTO = """
from fer_core import Analyzer, AnalyzerOptions
with Analyzer(AnalyzerOptions(detector={detector!r}, runtime={runtime!r})) as analyzer:
    faces = len(analyzer.analyze({photo!r}).faces)
assert faces == 1, faces
"""
_AROUND = """
import time; began = time.perf_counter()
{work}
inside = time.perf_counter() - began
import json, sys
from benchmarks.machine import peak_megabytes
heavy = [name for name in {heavy!r} if name in sys.modules]
print(json.dumps({{"inside": inside, "peak": peak_megabytes(), "heavy": heavy}}))
"""

WAYS = (
    ("blazeface", "litert"),
    ("blazeface", "litert_int8"),
    ("haar", "litert"),
    ("mediapipe", "litert"),
    ("blazeface", "keras"),
)


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Everything that is printed.

    Raises:
        FerError: an option does not fit.
    """
    if options.runs < 1:
        raise OptionError(f"--runs must be at least 1. Received: {options.runs}.")
    with tempfile.TemporaryDirectory() as folder:
        photo = str(_photo(Path(folder)))
        rows = [{"what": "import fer_core", **_measured(_IMPORT, options.runs)}]
        for detector, runtime in WAYS:
            if runtime == "keras" and not options.keras:
                continue
            what = f"photo: {detector}, {runtime}"
            rows.append({"what": what, **_of_photo(detector, runtime, photo, options.runs)})
    return {"runs": options.runs, "rows": rows}


def first_answer(detector: str, runtime: str) -> dict[str, Any]:
    """Seconds and megabytes of one new process that reads the expression in one photo."""
    with tempfile.TemporaryDirectory() as folder:
        return _of_photo(detector, runtime, str(_photo(Path(folder))), 1)


def _of_photo(detector: str, runtime: str, photo: str, runs: int) -> dict[str, Any]:
    return _measured(_PHOTO.format(detector=detector, runtime=runtime, photo=photo), runs)


def _photo(folder: Path) -> Path:
    from skimage.data import astronaut

    file = folder / "photo.jpg"
    Image.fromarray(astronaut()).save(file, quality=95)  # type: ignore[no-untyped-call]
    return file


def _measured(work: str, runs: int) -> dict[str, Any]:
    """Median seconds and megabytes of `runs` processes, after one that warms the disk's cache."""
    code = _AROUND.format(work=work, heavy=HEAVY)
    root = Path(__file__).resolve().parents[1]
    found, whole = [], []
    for run in range(runs + 1):
        started = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=root,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.perf_counter() - started
        if done.returncode != 0:
            return {"failed": (done.stderr.strip().splitlines() or ["no reason given"])[-1]}
        if run > 0:
            whole.append(seconds)
            found.append(json.loads(done.stdout.strip().splitlines()[-1]))
    return {
        "seconds_inside": round(statistics.median(one["inside"] for one in found), 3),
        "seconds_whole": round(statistics.median(whole), 3),
        "seconds_whole_most": round(max(whole), 3),
        "peak_megabytes": max(one["peak"] for one in found),
        "heavy": found[0]["heavy"],
    }


def _table(report: dict[str, Any]) -> str:
    lines = [
        f"median of {report['runs']} processes after one; seconds, megabytes. Aims: import "
        f"{AIM_IMPORT} s; photo with blazeface and litert {AIM_SECONDS} s whole, "
        f"{AIM_MEGABYTES:.0f} MB",
        "",
        f"{'':<34}{'inside':>8}{'whole':>8}{'slowest':>9}{'peak':>8}   heavy imports",
    ]
    for row in report["rows"]:
        if "failed" in row:
            lines.append(f"{row['what']:<34}failed: {row['failed']}")
            continue
        lines.append(
            f"{row['what']:<34}{row['seconds_inside']:>8.2f}{row['seconds_whole']:>8.2f}"
            f"{row['seconds_whole_most']:>9.2f}{row['peak_megabytes']:>8.0f}   "
            f"{', '.join(row['heavy']) or 'none'}"
        )
    return "\n".join(lines)


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="default: %(default)s")
    parser.add_argument("--keras", action="store_true", help="the Keras runtime too: slow")


BENCHMARK = Benchmark(
    name="startup",
    describe="Measure an empty process up to its first answer: seconds, memory, heavy imports.",
    add_options=_add_options,
    measure=measure,
    heading=lambda _: "startup",
    table=_table,
    packages=("numpy", "opencv-contrib-python", "ai-edge-litert", "mediapipe", "tensorflow"),
)
main = BENCHMARK.main

if __name__ == "__main__":
    sys.exit(main())
