"""`python -m benchmarks.sessions`: one session, and several at once that share a network.

Each session is an `Analyzer` in a thread of its own on its own moving clip; all share one
`Classifier`. Sessions that fought over cores would together do less than one alone.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from typing import Any

import numpy as np

from benchmarks.clip import FRAMES_A_SECOND, face_clip
from benchmarks.report import Benchmark
from fer_core.analyzer import Analyzer
from fer_core.classifier import Classifier
from fer_core.detectors import Picture
from fer_core.errors import OptionError
from fer_core.model_store import model_folder

WAYS: tuple[tuple[str, int | None], ...] = (
    ("litert", 1),
    ("litert", None),
    ("litert_int8", None),
)
SIZE = (640, 480)

Clip = list[tuple[float, Picture]]


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Everything that is printed.

    Raises:
        FerError: an option does not fit, or the model cannot be had.
    """
    if min(options.sessions, options.faces, options.frames) < 1:
        raise OptionError(
            "--sessions, --faces and --frames must be at least 1. Received: "
            f"{options.sessions}, {options.faces}, {options.frames}."
        )
    clip = list(face_clip(*SIZE, options.faces, options.frames))
    rows = []
    for runtime, threads in WAYS:
        with Classifier(model_folder(), runtime, threads) as classifier:
            for sessions in (1, options.sessions):
                rows.append(
                    {
                        "runtime": f"{runtime}, {classifier.runtime.device}",
                        "sessions": sessions,
                        **_together(sessions, classifier, clip),
                    }
                )
    return {"faces": options.faces, "frames": options.frames, "rows": rows}


def _together(sessions: int, classifier: Classifier, clip: Clip) -> dict[str, float]:
    analyzers = [Analyzer(classifier=classifier) for _ in range(sessions)]
    times: list[list[float]] = [[] for _ in analyzers]
    for analyzer in analyzers:
        _run(analyzer, clip, [])
    threads = [
        threading.Thread(target=_run, args=(analyzer, clip, own))
        for analyzer, own in zip(analyzers, times, strict=True)
    ]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - started
    for analyzer in analyzers:
        analyzer.close()
    every = 1000 * np.concatenate(times)
    return {
        "median": round(float(np.median(every)), 2),
        "p95": round(float(np.percentile(every, 95)), 2),
        "frames_a_second": round(len(every) / seconds, 1),
    }


def _run(analyzer: Analyzer, clip: Clip, times: list[float], rounds: int = 4) -> None:
    for again in range(rounds):
        for seconds, picture in clip:
            started = time.perf_counter()
            analyzer.track(picture, seconds + again * len(clip) / FRAMES_A_SECOND)
            times.append(time.perf_counter() - started)
    analyzer.reset()


def _table(report: dict[str, Any]) -> str:
    lines = [
        f"{SIZE[0]}x{SIZE[1]}, faces a frame: {report['faces']}; blazeface; {report['frames']} "
        "frames four times over, after as many of warm-up",
        "",
        f"{'runtime':<30}{'sessions':>10}{'ms a frame, median / p95':>27}{'frames/s, all':>16}",
    ]
    for row in report["rows"]:
        cell = f"{row['median']:.2f} / {row['p95']:.2f}"
        lines.append(
            f"{row['runtime']:<30}{row['sessions']:>10}{cell:>27}{row['frames_a_second']:>16.0f}"
        )
    return "\n".join(lines)


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sessions", type=int, default=2, metavar="N", help="default: 2")
    parser.add_argument("--faces", type=int, default=1, metavar="N", help="default: 1")
    parser.add_argument("--frames", type=int, default=40, metavar="N", help="default: 40")


BENCHMARK = Benchmark(
    name="sessions",
    describe="Measure sessions that run at once and share a network.",
    add_options=_add_options,
    measure=measure,
    heading=lambda report: f"sessions: faces {report['faces']}",
    table=_table,
    packages=("numpy", "opencv-contrib-python", "ai-edge-litert"),
)
main = BENCHMARK.main

if __name__ == "__main__":
    sys.exit(main())
