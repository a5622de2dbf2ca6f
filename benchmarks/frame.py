"""`python -m benchmarks.frame`: milliseconds per frame and stage, detector by detector.

Every frame goes the way of the live stream: detect, crop, classify, track, draw, a crowd's faces
read in turn (`--all-faces` reads each in every frame). `total` is the time around all of it; making
the frames is not counted.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from typing import Any

import cv2
import numpy as np

from benchmarks.clip import face_clip
from benchmarks.report import Benchmark, verdict
from fer_core.analyzer import Analyzer, AnalyzerOptions
from fer_core.classifier import Classifier
from fer_core.detectors import DETECTORS
from fer_core.errors import OptionError
from fer_core.live_analyzer import FACES_PER_FRAME
from fer_core.model_store import default_model_name, model_folder
from fer_core.overlay import OverlayOptions, draw
from fer_core.runtimes import RUNTIMES, runtime_in_words

STAGES = ("detect", "crop", "classify", "track", "draw", "total")
WARM_UP_FRAMES = 20

AIMS: dict[tuple[int, int, int], dict[str, float]] = {
    (640, 480, 1): {"blazeface": 5.0, "haar": 10.0},
    (640, 480, 8): {"blazeface": 15.0, "haar": 15.0},
    (1280, 720, 1): {"blazeface": 8.0, "haar": 16.0},
}
"""The most that the median of `total` should be, milliseconds on two cores, by width, height and
faces; its 95th percentile at most twice as much."""


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Everything that is printed, as a dictionary.

    Raises:
        FerError: an option does not fit, or a detector or model cannot be had.
    """
    width, height = _size(options.size)
    if options.faces < 1 or options.frames < 1:
        raise OptionError(
            f"--faces and --frames must be at least 1. Received: {options.faces}, {options.frames}."
        )
    for detector in options.detectors:
        AnalyzerOptions(detector=detector)
    folder = model_folder(options.model)
    with Classifier(folder, options.runtime, options.threads) as classifier:
        return {
            "size": [width, height],
            "faces": options.faces,
            "frames": options.frames,
            "warm_up_frames": WARM_UP_FRAMES,
            "model": classifier.card.name,
            "runtime": runtime_in_words(classifier.runtime),
            "asked_runtime": options.runtime,
            "opencv_threads": cv2.getNumThreads(),
            "bars": options.bars,
            "faces_per_frame": options.faces_per_frame,
            "detectors": {
                name: _measure_detector(name, classifier, width, height, options)
                for name in options.detectors
            },
        }


def _measure_detector(
    name: str, classifier: Classifier, width: int, height: int, options: argparse.Namespace
) -> dict[str, Any]:
    overlay = OverlayOptions(bars=options.bars)
    times: dict[str, list[float]] = {stage: [] for stage in STAGES}
    found = 0
    analysis = AnalyzerOptions(detector=name, faces_per_frame=options.faces_per_frame)
    with Analyzer(analysis, classifier=classifier) as analyzer:
        clip = face_clip(width, height, options.faces, options.frames + WARM_UP_FRAMES)
        for index, (seconds, picture) in enumerate(clip):
            started = time.perf_counter()
            result = analyzer.track(picture, seconds)
            analysed = time.perf_counter()
            draw(picture, result, overlay)
            ended = time.perf_counter()
            if index < WARM_UP_FRAMES:
                continue
            found += min(len(result.faces), options.faces)
            for stage, milliseconds in result.timings.items():
                times[stage].append(milliseconds)
            times["draw"].append(1000 * (ended - analysed))
            times["total"].append(1000 * (ended - started))
    return {
        "faces_found_share": round(found / (options.frames * options.faces), 4),
        "milliseconds": {
            stage: {
                "median": round(float(np.median(values)), 3),
                "p95": round(float(np.percentile(values, 95)), 3),
            }
            for stage, values in times.items()
        },
    }


def _table(report: dict[str, Any]) -> str:
    width, height = report["size"]
    lines = [
        f"{width}x{height}, {report['faces']} face(s), {report['frames']} frames after "
        f"{report['warm_up_frames']} of warm-up; model {report['model']} on {report['runtime']}; "
        f"OpenCV threads: {report['opencv_threads']}; bars {'on' if report['bars'] else 'off'}; "
        f"faces read a frame: {report['faces_per_frame'] or 'all'}",
        "",
        "milliseconds a frame, median / p95",
        f"{'detector':<11}" + "".join(f"{stage:>17}" for stage in STAGES) + f"{'faces found':>14}",
    ]
    for name, figures in report["detectors"].items():
        cells = [
            f"{figures['milliseconds'][stage]['median']:.2f} / "
            f"{figures['milliseconds'][stage]['p95']:.2f}"
            for stage in STAGES
        ]
        share = f"{100 * figures['faces_found_share']:.1f} %"
        lines.append(f"{name:<11}" + "".join(f"{cell:>17}" for cell in cells) + f"{share:>14}")
    return "\n".join([*lines, *_verdicts(report)])


def _verdicts(report: dict[str, Any]) -> list[str]:
    width, height = report["size"]
    lines = []
    for name, aim in AIMS.get((width, height, report["faces"]), {}).items():
        if name not in report["detectors"]:
            continue
        total = report["detectors"][name]["milliseconds"]["total"]
        reached = total["median"] <= aim and total["p95"] <= 2 * aim
        lines.append(
            f"{name}: median {total['median']:.2f} of at most {aim:g} ms, p95 {total['p95']:.2f} "
            f"of at most {2 * aim:g}: {verdict(reached)}"
        )
    return ["", *lines] if lines else []


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{2,5})x(\d{2,5})", text)
    if match is None:
        raise OptionError(f"--size must be WIDTHxHEIGHT, such as 640x480. Received: {text!r}.")
    return int(match[1]), int(match[2])


def _heading(report: dict[str, Any]) -> str:
    width, height = report["size"]
    faces = "1 face" if report["faces"] == 1 else f"{report['faces']} faces"
    if report["faces_per_frame"] is None:
        faces += ", all read in each frame"
    runtime = "" if report["asked_runtime"] == RUNTIMES[0] else f", {report['asked_runtime']}"
    model = "" if report["model"] == default_model_name() else f", {report['model']}"
    bars = ", bars" if report["bars"] else ""
    return f"frame: {width}x{height}, {faces}{model}{runtime}{bars}"


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--size", default="640x480", metavar="WxH", help="default: %(default)s")
    parser.add_argument("--faces", type=int, default=1, metavar="N", help="default: %(default)s")
    parser.add_argument("--frames", type=int, default=300, metavar="N", help="default: %(default)s")
    parser.add_argument(
        "--detectors",
        nargs="+",
        default=list(DETECTORS),
        metavar="NAME",
        help=f"default: {' '.join(DETECTORS)}",
    )
    parser.add_argument("--model", metavar="NAME", help="default: see models/default")
    parser.add_argument("--runtime", choices=RUNTIMES, default=RUNTIMES[0])
    parser.add_argument("--threads", type=int, metavar="N", help="processor threads of the model")
    parser.add_argument(
        "--all-faces",
        dest="faces_per_frame",
        action="store_const",
        const=None,
        default=FACES_PER_FRAME,
        help="read every face in every frame",
    )
    parser.add_argument("--bars", action="store_true", help="draw a bar for each class too")


BENCHMARK = Benchmark(
    name="frame",
    describe="Measure the milliseconds of each stage of a frame, for each detector.",
    add_options=_add_options,
    measure=measure,
    heading=_heading,
    table=_table,
    packages=("numpy", "opencv-contrib-python", "ai-edge-litert", "mediapipe"),
)
main = BENCHMARK.main

if __name__ == "__main__":
    sys.exit(main())
