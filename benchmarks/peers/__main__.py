"""`python -m benchmarks.peers`: this project beside other packages, in turn, on the same frames.

Each package gets a virtual environment of its own, from the package registry; this project is
installed from its own wheel likewise. Every contestant then runs in a process of its own, and they
take turns on blocks of frames of one made clip (a real face that moves), so that whatever else the
machine does meets all of them. A face counts as missed when no box has half of its true box in
common (intersection over union under 0.3). The time to the first answer is that of a fresh process,
from its start to the expression in one 640x480 photo. With `--data`, each package's network reads
FER2013's PrivateTest images whole, without a detector.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.clip import face_boxes, face_clip
from benchmarks.peers.environments import (
    CONTESTANTS,
    ENVIRONMENTS,
    Contestant,
    PeerError,
    add_venvs,
    python_in,
    size_on_disk,
)
from benchmarks.peers.process import Worker
from benchmarks.report import Benchmark, verdict
from fer_core.emotions import CLASSES
from fer_core.errors import OptionError
from fer_core.results import Box

SIZES = ((640, 480), (1280, 720))
BLOCK = 10
"""Frames a turn; the first of each turn is not counted."""

FOUND = 0.3
MINE = "fer_live"
AIMS = {"640x480": 12.0, "1280x720": 25.0}
FIRST_AIM = 10.0


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Everything that is printed.

    Raises:
        FerError: an option does not fit, or this project's own wheel cannot be installed.
    """
    if options.turns < 1:
        raise OptionError(f"--turns must be at least 1. Received: {options.turns}.")
    chosen = [one for one in CONTESTANTS if one.environment in ("fer_live", *options.peers)]
    rows: dict[str, dict[str, Any]] = {one.kind: {"title": one.title} for one in chosen}
    pythons = _environments(options, chosen, rows)
    with tempfile.TemporaryDirectory() as folder:
        for width, height in SIZES:
            _take_turns(Path(folder), (width, height), options, chosen, pythons, rows)
        _first_answers(Path(folder), options, chosen, pythons, rows)
        if options.data:
            _accuracies(Path(folder), options.data, chosen, pythons, rows)
    return {"turns": options.turns, "faces": 1, "data": bool(options.data), "rows": rows}


def _environments(
    options: argparse.Namespace, chosen: list[Contestant], rows: dict[str, dict[str, Any]]
) -> dict[str, Path]:
    pythons: dict[str, Path] = {}
    for name in dict.fromkeys(one.environment for one in chosen):
        environment = ENVIRONMENTS[name]
        try:
            pythons[name] = python_in(options.venvs, environment)
        except PeerError as error:
            if name == MINE:
                raise
            for one in chosen:
                if one.environment == name:
                    rows[one.kind]["failed"] = str(error)
            continue
        size = round(size_on_disk(options.venvs, environment))
        for one in chosen:
            if one.environment == name:
                rows[one.kind]["megabytes_on_disk"] = size
    return pythons


def _take_turns(
    folder: Path,
    size: tuple[int, int],
    options: argparse.Namespace,
    chosen: list[Contestant],
    pythons: dict[str, Path],
    rows: dict[str, dict[str, Any]],
) -> None:
    width, height = size
    frames = BLOCK * options.turns
    clip = list(face_clip(width, height, 1, frames))
    true = [face_boxes(width, height, 1, seconds) for seconds, _ in clip]
    file = folder / f"{width}.npy"
    np.save(file, np.stack([picture for _, picture in clip]))
    del clip
    key = f"{width}x{height}"
    with ExitStack() as stack:
        workers = {}
        for one in chosen:
            if "failed" in rows[one.kind]:
                continue
            try:
                worker = stack.enter_context(Worker(pythons[one.environment], one.kind))
                worker.ask(do="pictures", file=str(file), **{"from": 0, "to": 3})
                workers[one.kind] = worker
            except PeerError as error:
                rows[one.kind]["failed"] = str(error)
        seconds: dict[str, list[float]] = {kind: [] for kind in workers}
        missed = dict.fromkeys(workers, 0)
        for first in range(0, frames, BLOCK):
            for kind, worker in workers.items():
                answer = worker.ask(
                    do="pictures", file=str(file), **{"from": first, "to": first + BLOCK}
                )
                seconds[kind] += answer["seconds"][1:]
                for boxes, wanted in zip(answer["boxes"], true[first:], strict=False):
                    missed[kind] += _missed(boxes, wanted)
        for kind, worker in workers.items():
            rows[kind][key] = {
                "milliseconds": round(1000 * statistics.median(seconds[kind]), 2),
                "p95": round(1000 * float(np.percentile(seconds[kind], 95)), 2),
                "frames_a_second": round(1 / statistics.median(seconds[kind]), 1),
                "missed": missed[kind],
                "frames": frames,
                "peak_megabytes": round(worker.ask(do="memory")["peak"]),
            }


def _missed(boxes: list[list[float]], wanted: list[Box]) -> int:
    found = [Box(*box) for box in boxes]
    return sum(max((one.iou(true) for one in found), default=0.0) < FOUND for true in wanted)


def _first_answers(
    folder: Path,
    options: argparse.Namespace,
    chosen: list[Contestant],
    pythons: dict[str, Path],
    rows: dict[str, dict[str, Any]],
) -> None:
    file = folder / f"{SIZES[0][0]}.npy"
    for one in chosen:
        if "failed" in rows[one.kind]:
            continue
        times, peaks = [], []
        for _ in range(options.starts):
            started = time.perf_counter()
            with Worker(pythons[one.environment], one.kind) as worker:
                worker.ask(do="pictures", file=str(file), **{"from": 0, "to": 1})
                times.append(time.perf_counter() - started)
                peaks.append(worker.ask(do="memory")["peak"])
                names = list(ENVIRONMENTS[one.environment].shown)
                rows[one.kind]["versions"] = worker.ask(do="versions", of=names)["versions"]
        rows[one.kind]["first_answer_seconds"] = round(statistics.median(times), 2)
        rows[one.kind]["first_answer_megabytes"] = round(max(peaks))


def _accuracies(
    folder: Path,
    data: Path,
    chosen: list[Contestant],
    pythons: dict[str, Path],
    rows: dict[str, dict[str, Any]],
) -> None:
    from train.data import load_dataset

    split = load_dataset(data).split("PrivateTest")
    labels = np.array(CLASSES)[np.asarray(split.labels)]
    file = folder / "crops.npy"
    np.save(file, split.images)
    for one in chosen:
        # The detector plays no part in it, so one of a package's rows is enough.
        if "failed" in rows[one.kind] or one.kind not in ("fer_live-int8", one.environment):
            continue
        try:
            with Worker(pythons[one.environment], one.kind, patience=1800.0) as worker:
                given = np.array(worker.ask(do="crops", file=str(file))["labels"])
            rows[one.kind]["accuracy"] = round(float((given == labels).mean()), 4)
            rows[one.kind]["images"] = len(labels)
        except PeerError as error:
            rows[one.kind]["no_accuracy"] = str(error)


def _table(report: dict[str, Any]) -> str:
    lines = [
        f"one face; {report['turns']} turns of {BLOCK} frames each, medians of all but the first "
        "of a turn",
        "",
    ]
    head = f"{'':<28}"
    for key in AIMS:
        head += f"{key + ' ms':>16}{'a second':>10}{'missed':>9}"
    lines.append(
        head + f"{'first, s':>10}{'MB':>6}{'most, MB':>10}{'disk, MB':>10}{'PrivateTest':>13}"
    )
    for row in report["rows"].values():
        if "failed" in row:
            lines.append(f"{row['title']:<28}did not run: {row['failed']}")
            continue
        text = f"{row['title']:<28}"
        for key in AIMS:
            one = row[key]
            text += f"{one['milliseconds']:>16.2f}{one['frames_a_second']:>10.1f}"
            text += f"{one['missed']:>5}/{one['frames']}"
        text += f"{row['first_answer_seconds']:>10.2f}{row['first_answer_megabytes']:>6}"
        text += f"{max(row[key]['peak_megabytes'] for key in AIMS):>10,}"
        text += f"{row['megabytes_on_disk']:>10,}"
        accuracy = row.get("accuracy")
        text += f"{100 * accuracy:>11.2f} %" if accuracy is not None else f"{'':>13}"
        lines.append(text)
    return "\n".join([*lines, *_verdicts(report["rows"]), *_versions(report["rows"])])


def _versions(rows: dict[str, dict[str, Any]]) -> list[str]:
    # Contestants of one environment have one line between them.
    said = dict.fromkeys(
        ", ".join(f"{name} {number}" for name, number in row["versions"].items())
        for row in rows.values()
        if row.get("versions")
    )
    return ["", *said] if said else []


def _verdicts(rows: dict[str, dict[str, Any]]) -> list[str]:
    mine, peer = rows[MINE], rows.get("fer")
    if peer is None or "failed" in peer or "failed" in mine:
        return []
    lines = [""]
    for key, aim in AIMS.items():
        times = mine[key]["frames_a_second"] / peer[key]["frames_a_second"]
        fewer = mine[key]["missed"] <= peer[key]["missed"]
        lines.append(
            f"{key}: {times:.1f} times the frames a second of fer (aim {aim:.0f}: "
            f"{verdict(times >= aim)}); no more faces missed: {'yes' if fewer else 'no'}"
        )
    times = peer["first_answer_seconds"] / mine["first_answer_seconds"]
    lines.append(
        f"first answer {times:.1f} times as fast as fer (aim {FIRST_AIM:.0f}: "
        f"{verdict(times >= FIRST_AIM)})"
    )
    return lines


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, metavar="PATH", help="FER2013, in any of its layouts")
    add_venvs(parser)
    peers = sorted(name for name in ENVIRONMENTS if name != MINE)
    parser.add_argument("--peers", nargs="*", choices=peers, default=peers, help="default: all")
    parser.add_argument("--turns", type=int, default=12, metavar="N", help="default: %(default)s")
    parser.add_argument(
        "--starts", type=int, default=3, metavar="N", help="fresh processes (default: %(default)s)"
    )


BENCHMARK = Benchmark(
    name="peers",
    describe="Measure this project beside other packages: each in an environment of its own.",
    add_options=_add_options,
    measure=measure,
    heading=lambda report: "peers",
    table=_table,
    packages=(),
)
main = BENCHMARK.main

if __name__ == "__main__":
    sys.exit(main())
