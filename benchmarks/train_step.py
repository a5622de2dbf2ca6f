"""How fast a network trains: the step alone, and the whole loop with its crops.

python -m benchmarks.train_step [--arch compact48] [--batch-size 128] [--steps 50] [--repeats 5]
                                [--augment-on auto|host|device] [--precision auto|float32|bfloat16]
                                [--sharpness 0.05] [--plain-memory] [--json]

The step alone is fed the same batch over and over; the loop draws and changes every crop. Made
images of FER2013's size are enough: what is on them changes no figure.
"""

from __future__ import annotations

import argparse
import itertools
import math
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.report import Benchmark, verdict
from train.tensorflow_start import prepare_tensorflow

AIM = 0.9
"""The loop is to reach this share of the step's images a second."""

IMAGES = 28_709
"""Of FER2013's training split."""


def measure(parsed: argparse.Namespace) -> dict[str, Any]:
    """The figures, and what they are of; see `paces`."""
    prepare_tensorflow()
    import keras

    from train.devices import device_in_words
    from train.memory import keep_freed_memory
    from train.options import TrainOptions
    from train.precision import with_precision

    if not parsed.plain_memory:
        keep_freed_memory()
    options = replace(
        TrainOptions(),
        architecture=parsed.arch,
        batch_size=parsed.batch_size,
        precision=parsed.precision,
        augment_on=parsed.augment_on,
        devices=parsed.devices,
        sharpness=parsed.sharpness,
    )
    options = with_precision(options)
    return paces(options, parsed.steps, parsed.repeats) | {
        "architecture": parsed.arch,
        "batch_size": parsed.batch_size,
        "precision": options.precision,
        "device": device_in_words(),
        "backend": keras.backend.backend(),
        "sharpness": parsed.sharpness,
        "plain_memory": parsed.plain_memory,
    }


def paces(options: Any, steps: int, repeats: int) -> dict[str, Any]:
    """Images a second of the step alone and of the loop.

    Args:
        options: a `train.options.TrainOptions`.
        steps: of each measurement.
        repeats: of each measurement, the two in turn; the medians are reported.

    Returns:
        `step` and `loop`, images a second, each with all measurements; `share`, loop over step,
        each loop set beside the steps before and after it: a machine may be slower for a while.

    Raises:
        OptionError: the options do not fit the architecture or the backend.
    """
    import keras

    from train.batches import EpochBatches
    from train.data import Split
    from train.devices import use_devices
    from train.feed import Feed
    from train.keras_input import keras_input
    from train.network import network_for_training, output_names
    from train.sharpness import make_sharpness_aware

    use_devices(options.devices, options.batch_size)
    random = np.random.default_rng(0)
    model = network_for_training(options, 128.0, 64.0)
    make_sharpness_aware(model, options.sharpness)
    count, side = steps * options.batch_size, model.input_shape[1]
    images = random.integers(0, 256, (count, side, side)).astype(np.uint8)
    split = Split(images, random.integers(0, 7, count), np.arange(count))
    feed = Feed(split, options, Path(tempfile.gettempdir()), split)
    names = output_names(model)

    class Same(EpochBatches):
        """One batch over and over."""

        def __init__(self, batches: EpochBatches) -> None:
            super().__init__(split, np.zeros((count, 7), np.float32), options, 1)
            self._batch_made = batches[0]

        def __getitem__(self, index: int) -> tuple[Any, ...]:
            return self._batch_made

    def pace(batches: EpochBatches) -> float:
        began = time.perf_counter()
        model.fit(keras_input(batches), epochs=1, shuffle=False, verbose=0)
        # Asking for a weight waits for the device.
        keras.ops.convert_to_numpy(model.trainable_variables[0])
        return float(count / (time.perf_counter() - began))

    same = Same(feed.batches(1, names))
    pace(same)
    pace(feed.batches(1, names))
    step, loop = [pace(same)], []
    for repeat in range(repeats):
        loop.append(pace(feed.batches(2 + repeat, names)))
        step.append(pace(same))
    return {
        "step": statistics.median(step),
        "loop": statistics.median(loop),
        "share": statistics.median(shares(step, loop)),
        "steps_measured": step,
        "loops_measured": loop,
    }


def shares(step: list[float], loop: list[float]) -> list[float]:
    """Each loop over the mean of the step before it and the one after it."""
    around = itertools.pairwise(step)
    return [2 * one / (before + after) for one, (before, after) in zip(loop, around, strict=True)]


def _table(report: dict[str, Any]) -> str:
    seconds = math.ceil(IMAGES / report["loop"])
    each = shares(report["steps_measured"], report["loops_measured"])
    return "\n".join(
        [
            _trained(report),
            f"step alone  {report['step']:9,.0f} images a second",
            f"whole loop  {report['loop']:9,.0f} images a second, {seconds:,} s for FER2013's "
            f"{IMAGES:,}",
            f"share       {report['share']:9.2f} ({min(each):.2f} to {max(each):.2f}; aim {AIM}: "
            f"{verdict(report['share'] >= AIM)})",
        ]
    )


def _heading(report: dict[str, Any]) -> str:
    memory = ", plain memory" if report["plain_memory"] else ""
    return f"train_step: {_trained(report)}{memory}"


def _trained(report: dict[str, Any]) -> str:
    beside = f", sharpness {report['sharpness']}" if report["sharpness"] else ""
    return (
        f"{report['architecture']}, batches of {report['batch_size']}, {report['precision']}, "
        f"{report['backend']}, {report['device']}{beside}"
    )


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--arch", default="compact48", help="default compact48")
    parser.add_argument("--batch-size", type=int, default=128, help="default 128")
    parser.add_argument("--steps", type=int, default=50, help="of each measurement (default 50)")
    parser.add_argument("--repeats", type=int, default=5, help="of each measurement (default 5)")
    parser.add_argument("--augment-on", default="auto", choices=("auto", "host", "device"))
    parser.add_argument("--precision", default="auto", choices=("auto", "float32", "bfloat16"))
    parser.add_argument("--devices", default="one", choices=("one", "all"))
    parser.add_argument("--sharpness", type=float, default=0.0, help="as for fit (default 0)")
    parser.add_argument(
        "--plain-memory", action="store_true", help="leave the allocator as it is (Linux)"
    )


BENCHMARK = Benchmark(
    name="train_step",
    describe="Measure how fast a network trains: the step alone, and the whole loop.",
    add_options=_add_options,
    measure=measure,
    heading=_heading,
    table=_table,
    packages=("keras", "tensorflow", "jax", "torch"),
)
main = BENCHMARK.main

if __name__ == "__main__":
    sys.exit(main())
