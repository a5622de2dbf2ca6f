"""`python -m benchmarks.outside --photos FOLDER`: photos and clips that were never in FER2013.

Every network of this project, and the package `fer` (mini-Xception) with either of its detectors,
finds the faces itself and names the expression of the largest one; of a clip it is what most of its
frames show. The right answer is a word in the file's name, or else in those of its folders:
`happy_face_1.jpg`, or `sad/somebody.mp4`. Nothing is chosen or tuned on such pictures.
"""

from __future__ import annotations

import argparse
import math
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.environments import (
    CONTESTANTS,
    ENVIRONMENTS,
    PeerError,
    add_venvs,
    python_in,
)
from benchmarks.peers.process import Worker
from benchmarks.peers.worker import faces_of
from benchmarks.report import Benchmark
from fer_core.analyzer import Analyzer, AnalyzerOptions
from fer_core.commands.sources import PICTURE, belongs, kind_of
from fer_core.detectors import Picture
from fer_core.emotions import CLASSES
from fer_core.errors import OptionError
from fer_core.model_store import runnable_models
from fer_core.pictures import load_picture
from fer_core.video.contracts import TICKS
from fer_core.video.reader import ClipReader
from train.metrics import wilson_interval

FRAMES_APART = 0.2
"""Seconds between two frames of a clip that are looked at."""

WORDS = {
    **{name: name for name in CLASSES},
    "anger": "angry",
    "disgusted": "disgust",
    "afraid": "fear",
    "fearful": "fear",
    "happiness": "happy",
    "joy": "happy",
    "sadness": "sad",
    "surprised": "surprise",
}
PEERS = {one.kind: one.title for one in CONTESTANTS if one.environment == "fer"}
"""Title by kind, see `benchmarks.peers.worker`."""

Seen = list[list[Any]]
"""Faces of one frame: x0, y0, x1, y1, expression."""


def label_of(file: Path, root: Path) -> str | None:
    """The expression that a file is named after, or None; the nearest name counts."""
    inside = file.relative_to(root)
    for name in (file.stem, *reversed(inside.parts[:-1])):
        found = {WORDS[word] for word in re.findall("[a-z]+", name.lower()) if word in WORDS}
        if found:
            return found.pop() if len(found) == 1 else None
    return None


def answer_of(frames: list[Seen]) -> str | None:
    """What the largest face shows in most frames; None where no frame has a face."""
    largest = (max(faces, key=lambda f: (f[2] - f[0]) * (f[3] - f[1])) for faces in frames if faces)
    counted = Counter(face[4] for face in largest)
    return counted.most_common(1)[0][0] if counted else None


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Everything that is printed.

    Raises:
        FerError: there is no labelled file, one cannot be read, or a model cannot be had.
    """
    root: Path = options.photos
    files = sorted(file for file in root.rglob("*") if belongs(file.name))
    labelled = [(file, label) for file in files if (label := label_of(file, root)) is not None]
    if not labelled:
        raise OptionError(
            f"{root} has no picture or clip with one of {', '.join(CLASSES)} in its name."
        )
    wanted = [label for _, label in labelled]
    models = options.models or runnable_models()
    answers: dict[str, list[str | None]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        arrays = []
        for number, (file, _) in enumerate(labelled):
            arrays.append(Path(scratch) / f"{number}.npy")
            np.save(arrays[-1], np.stack(list(frames_of(file))))
        for name in models:
            with Analyzer(AnalyzerOptions(model=name)) as analyzer:
                answers[name] = [answer_of(_ours(analyzer, array)) for array in arrays]
        missing = {}
        for kind, title in PEERS.items():
            try:
                answers[title] = _theirs(options.venvs, kind, arrays)
            except PeerError as error:
                missing[title] = str(error)
    return {
        "files": len(labelled),
        "unlabelled": len(files) - len(labelled),
        "labels": dict(Counter(wanted)),
        "rows": {name: _row(given, wanted) for name, given in answers.items()},
        "pairs": [
            _pair(name, title, answers, wanted)
            for name in models
            for title in PEERS.values()
            if title in answers
        ],
        "missing": missing,
    }


def frames_of(file: Path) -> Iterator[Picture]:
    """A picture, or frames of a clip, RGB uint8 (height, width, 3)."""
    if kind_of(str(file)) == PICTURE:
        yield load_picture(file)
        return
    after = -math.inf
    with ClipReader(file) as clip:
        for frame in clip.frames():
            seconds = frame.ticks / TICKS
            if seconds >= after + FRAMES_APART:
                after = seconds
                yield frame.picture


def _ours(analyzer: Analyzer, array: Path) -> list[Seen]:
    pictures = np.load(array, mmap_mode="r")
    return [faces_of(analyzer.analyze(np.array(picture))) for picture in pictures]


def _theirs(venvs: Path, kind: str, arrays: list[Path]) -> list[str | None]:
    with ExitStack() as stack:
        worker = stack.enter_context(Worker(python_in(venvs, ENVIRONMENTS["fer"]), kind))
        return [answer_of(worker.ask(do="faces", file=str(array))["faces"]) for array in arrays]


def _row(given: list[str | None], wanted: list[str]) -> dict[str, Any]:
    right = sum(a == b for a, b in zip(given, wanted, strict=True))
    by_class = {
        name: sum(a == b == name for a, b in zip(given, wanted, strict=True))
        for name in dict.fromkeys(wanted)
    }
    return {
        "right": right,
        "no_face": given.count(None),
        "interval": wilson_interval(right, len(wanted)),
        "by_class": by_class,
    }


def _pair(
    one: str, other: str, answers: dict[str, list[str | None]], wanted: list[str]
) -> dict[str, Any]:
    both = list(zip(answers[one], answers[other], wanted, strict=True))
    only_one = sum(a == label != b for a, b, label in both)
    only_other = sum(b == label != a for a, b, label in both)
    return {
        "one": one,
        "other": other,
        "only_one": only_one,
        "only_other": only_other,
        "chance": _sign_test(only_one, only_other),
    }


def _sign_test(one: int, other: int) -> float:
    """How often chance alone makes a difference as large, either way (McNemar's, exact)."""
    count, least = one + other, min(one, other)
    tail = sum(math.comb(count, k) for k in range(least + 1))
    return min(1.0, 2 * tail / (1 << count))


def _table(report: dict[str, Any]) -> str:
    count = report["files"]
    labels = ", ".join(f"{number} {name}" for name, number in report["labels"].items())
    lines = [f"{count} pictures and clips: {labels}", ""]
    names = list(report["labels"])
    lines.append(
        f"{'':<26}{'right':>8}{'no face':>9}  {'95 % interval':<18}"
        + "".join(f"{name:>10}" for name in names)
    )
    for title, row in report["rows"].items():
        low, high = row["interval"]
        span = f"{100 * low:.0f} to {100 * high:.0f} %"
        lines.append(
            f"{title:<26}{row['right']:>8}{row['no_face']:>9}  {span:<18}"
            + "".join(f"{row['by_class'][name]:>10}" for name in names)
        )
    lines += [f"{title:<26}did not run: {why}" for title, why in report["missing"].items()]
    lines += ["", "right where the other is not:"]
    lines += [
        f"{pair['one']} {pair['only_one']}, {pair['other']} {pair['only_other']}; chance alone "
        f"differs as much in {100 * pair['chance']:.0f} % of cases"
        for pair in report["pairs"]
    ]
    return "\n".join(lines)


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--photos",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="pictures and clips, by name or folder: happy_1.jpg, sad/1.mp4",
    )
    parser.add_argument("--models", nargs="+", metavar="NAME", help="default: all with a network")
    add_venvs(parser)


BENCHMARK = Benchmark(
    name="outside",
    describe="Score networks on labelled photos and clips that were never in FER2013.",
    add_options=_add_options,
    measure=measure,
    heading=lambda report: f"outside: {report['files']} pictures and clips",
    table=_table,
    packages=("numpy", "opencv-contrib-python", "ai-edge-litert"),
)
main = BENCHMARK.main

if __name__ == "__main__":
    sys.exit(main())
