"""`python -m benchmarks.gpu`: faces a second of the shipped Keras model, by batch size.

Crops start in the computer's memory and probabilities end there, so transfer is counted. `share` is
what the network's multiply-adds are of the card's matrix multiplication rate, which is measured in
the same run (float32 as Keras does it, and bfloat16). Runs on the Keras backend of `KERAS_BACKEND`;
without a GPU it says so and measures the CPU, with smaller batches unless told otherwise.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from benchmarks.report import Benchmark, verdict
from fer_core.errors import OptionError
from fer_core.model_store import load_card, model_folder
from fer_core.runtimes import create_runtime

LARGEST = 4096
LARGEST_ON_CPU = 64
AIM = 200_000
"""Faces a second on a current data-centre card."""

MATRIX, MATRIX_ON_CPU = 8192, 1024


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Everything that is printed.

    Raises:
        FerError: an option does not fit, or Keras or the model cannot be had.
    """
    if options.seconds <= 0 or (options.largest is not None and options.largest < 1):
        raise OptionError(
            f"--seconds must be above 0 and --largest at least 1. Received: {options.seconds}, "
            f"{options.largest}."
        )
    folder = model_folder(options.model)
    card = load_card(folder)
    runtime: Any = create_runtime("keras", folder)
    on_gpu = bool(runtime.on_gpu)
    largest = options.largest or (LARGEST if on_gpu else LARGEST_ON_CPU)
    shape = (largest, card.input_size, card.input_size, 1)
    crops = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    rates, size = {}, 1
    while size <= largest:
        part = crops[:size]
        rates[size] = round(size * _calls_a_second(partial(runtime.run, part), options.seconds))
        size *= 2
    side = MATRIX if on_gpu else MATRIX_ON_CPU
    peaks = {kind: _matrix_rate(kind, side, options.seconds) for kind in ("float32", "bfloat16")}
    device, backend = runtime.device, runtime.backend
    runtime.close()
    return {
        "model": card.name,
        "multiply_adds": card.multiply_adds,
        "device": device,
        "backend": backend,
        "on_gpu": on_gpu,
        "faces_a_second": rates,
        "matrix_side": side,
        "matrix_flops": peaks,
    }


def _calls_a_second(call: Callable[[], Any], seconds: float) -> float:
    """Median rate of single calls within about `seconds`, after three of warm-up."""
    for _ in range(3):
        call()
    times: list[float] = []
    while sum(times) < seconds or len(times) < 3:
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return float(1 / np.median(times))


def _matrix_rate(kind: str, side: int, seconds: float) -> float:
    """Floating-point operations a second of a product of two large matrices, on the device."""
    import keras

    start = np.random.default_rng(0).standard_normal((side, side)).astype(np.float32)
    left = keras.ops.cast(keras.ops.convert_to_tensor(start), kind)
    several = 4

    def product() -> Any:
        found = left
        for _ in range(several):
            found = keras.ops.matmul(left, found)
        # Asking for one number waits for the device without moving the whole matrix.
        return keras.ops.convert_to_numpy(keras.ops.cast(found[0, 0], "float32"))

    return several * 2 * side**3 * _calls_a_second(product, seconds)


def _table(report: dict[str, Any]) -> str:
    peaks = report["matrix_flops"]
    lines = [
        f"model {report['model']}, {report['multiply_adds']:,} multiply-adds a face; Keras on "
        f"{report['backend']}, {report['device']}",
        "products of two matrices of "
        f"{report['matrix_side']:,} x {report['matrix_side']:,}: "
        + ", ".join(f"{rate / 1e12:.2f} TFLOP/s in {kind}" for kind, rate in peaks.items()),
    ]
    if not report["on_gpu"]:
        lines.append("This Keras backend sees no GPU here; these are figures of the CPU.")
    lines += ["", f"{'batch':>7}{'faces a second':>17}{'share of float32 rate':>25}"]
    for size, rate in report["faces_a_second"].items():
        share = 100 * 2 * report["multiply_adds"] * rate / peaks["float32"]
        lines.append(f"{size:>7}{rate:>17,}{share:>23.1f} %")
    if report["on_gpu"]:
        best = max(report["faces_a_second"].values())
        lines += ["", f"aim {AIM:,} faces a second: {verdict(best >= AIM)} ({best:,})"]
    return "\n".join(lines)


def _heading(report: dict[str, Any]) -> str:
    where = report["device"] if report["on_gpu"] else "no GPU"
    return f"gpu: {report['model']}, {report['backend']}, {where}"


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", metavar="NAME", help="default: see models/default")
    parser.add_argument(
        "--largest",
        type=int,
        metavar="N",
        help=f"batch; default {LARGEST}, CPU {LARGEST_ON_CPU}",
    )
    parser.add_argument(
        "--seconds", type=float, default=1.0, metavar="S", help="a batch size (default: 1)"
    )


BENCHMARK = Benchmark(
    name="gpu",
    describe="Measure faces a second of the shipped Keras model by batch size.",
    add_options=_add_options,
    measure=measure,
    heading=_heading,
    table=_table,
    packages=("numpy", "keras", "tensorflow", "jax", "torch"),
)
main = BENCHMARK.main

if __name__ == "__main__":
    sys.exit(main())
