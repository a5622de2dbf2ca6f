"""`python -m benchmarks.runtimes`: what each runtime costs, and what it loses.

The shipped network on 1, 4, 8 and 16 crops, with one thread and with two; how far its probabilities
lie from those of the Keras runtime; and, with `--data`, its accuracy on FER2013.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.clip import face_clip
from benchmarks.report import Benchmark
from fer_core.crops import crop_faces, grey_of
from fer_core.detectors import create_detector
from fer_core.errors import ModelError, OptionError, RuntimeMissingError
from fer_core.model_store import load_card, model_folder
from fer_core.runtimes import RUNTIMES, Crops, Runtime, create_runtime

COUNTS = (1, 4, 8, 16)
THREADS = (1, 2)
SPLITS = ("PublicTest", "PrivateTest")
ALLOWED_LOSS = 0.2
"""Points of accuracy that a quantised network may lose."""

WARM_UP = 10


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Everything that is printed.

    Raises:
        FerError: an option does not fit, or model or data cannot be read.
    """
    if options.repeats < 1:
        raise OptionError(f"--repeats must be at least 1. Received: {options.repeats}.")
    folder = model_folder(options.model)
    crops = _real_crops(max(COUNTS), load_card(folder).input_size)
    data = _load(options.data) if options.data else {}
    names = [name for name in RUNTIMES if name != "auto"]
    rows: list[dict[str, Any]] = []
    answers = {}
    for name in names:
        # Keras's own threads are fixed once it has run, so it is measured with its own choice.
        for threads in (None,) if name == "keras" else THREADS:
            try:
                runtime = create_runtime(name, folder, threads)
            except (RuntimeMissingError, ModelError) as error:
                rows.append({"runtime": name, "device": "", "missing": str(error)})
                break
            answers[name] = runtime.run(crops)
            times = {count: _times(runtime, crops[:count], options.repeats) for count in COUNTS}
            rows.append({"runtime": name, "device": runtime.device, "milliseconds": times})
            if threads is None or threads == THREADS[-1]:
                rows[-1]["accuracy"] = {
                    split: _accuracy(runtime, *data[split]) for split in SPLITS if split in data
                }
            runtime.close()
    if not answers:
        raise ModelError(f"No runtime runs {folder}: {rows[0]['missing']}")
    compared = next(name for name in ("keras", "litert", "litert_int8") if name in answers)
    return {
        "model": load_card(folder).name,
        "repeats": options.repeats,
        "compared_with": compared,
        "furthest": {
            name: float(np.abs(answer - answers[compared]).max())
            for name, answer in answers.items()
        },
        "images": {split: len(labels) for split, (_, labels) in data.items()},
        "rows": rows,
    }


def _real_crops(count: int, size: int) -> Crops:
    """Crops of the moving portrait."""
    crops = []
    with create_detector("blazeface") as detector:
        for _, picture in face_clip(640, 480, 1, count):
            crops.append(crop_faces(grey_of(picture), detector.detect(picture)[:1], size))
    return np.concatenate(crops)


def _load(file: Path) -> dict[str, tuple[Crops, Any]]:
    from train.data import load_dataset

    dataset = load_dataset(file)
    splits = {name: dataset.split(name) for name in SPLITS}
    return {name: (split.images[..., None], split.labels) for name, split in splits.items()}


def _times(runtime: Runtime, crops: Crops, repeats: int) -> dict[str, float]:
    times = []
    for repeat in range(WARM_UP + repeats):
        started = time.perf_counter()
        runtime.run(crops)
        if repeat >= WARM_UP:
            times.append(1000 * (time.perf_counter() - started))
    return {
        "median": round(float(np.median(times)), 3),
        "p95": round(float(np.percentile(times, 95)), 3),
    }


def _accuracy(runtime: Runtime, crops: Crops, labels: Any) -> float:
    return float((runtime.run(crops).argmax(axis=1) == labels).mean())


def _table(report: dict[str, Any]) -> str:
    lines = [
        f"model {report['model']}; milliseconds a call, median / p95 of {report['repeats']} calls "
        f"after {WARM_UP} of warm-up",
        "",
        f"{'runtime':<12}{'':<26}" + "".join(f"{f'{n} crops':>18}" for n in COUNTS),
    ]
    for row in report["rows"]:
        if "missing" in row:
            lines.append(f"{row['runtime']:<12}{row['missing']}")
            continue
        cells = [f"{t['median']:.2f} / {t['p95']:.2f}" for t in row["milliseconds"].values()]
        lines.append(
            f"{row['runtime']:<12}{row['device'][:25]:<26}" + "".join(f"{c:>18}" for c in cells)
        )
    compared = report["compared_with"]
    lines += ["", f"furthest from {compared} in any probability of {max(COUNTS)} crops"]
    lines += [f"{name:<12}{far:.5f}" for name, far in report["furthest"].items()]
    scored = {row["runtime"]: row["accuracy"] for row in report["rows"] if row.get("accuracy")}
    for split, images in report["images"].items():
        lines += ["", f"accuracy on {split}, {images:,} images"]
        best = scored.get(compared, {}).get(split)
        for name, accuracy in scored.items():
            lost = 100 * (best - accuracy[split]) if best is not None else 0.0
            verdict = "" if lost <= ALLOWED_LOSS else f", MORE THAN {ALLOWED_LOSS}"
            lines.append(
                f"{name:<12}{100 * accuracy[split]:.2f} %, {lost:+.2f} points lost{verdict}"
            )
    return "\n".join(lines)


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, metavar="PATH", help="FER2013, in any of its layouts")
    parser.add_argument("--model", metavar="NAME", help="default: see models/default")
    parser.add_argument("--repeats", type=int, default=100, metavar="N", help="default: 100")


BENCHMARK = Benchmark(
    name="runtimes",
    describe="Measure the ways to run the network: time, and how far they are from Keras.",
    add_options=_add_options,
    measure=measure,
    heading=lambda report: f"runtimes: {report['model']}",
    table=_table,
    packages=("numpy", "ai-edge-litert", "keras", "tensorflow"),
)
main = BENCHMARK.main

if __name__ == "__main__":
    sys.exit(main())
