"""How fast a network trains: the step alone, and the whole loop with its crops.

python -m benchmarks.train_step [--arch compact48] [--batch-size 128] [--steps 50]
                                [--augment-on auto|host|device] [--precision auto|float32|bfloat16]
                                [--sharpness 0.05] [--plain-memory] [--json]

The step alone is fed the same batch over and over; the loop draws and changes every crop. Made
images of FER2013's size are enough: what is on them changes no figure.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import machine_in_words, versions_of
from benchmarks.report import verdict
from fer_core.errors import FerError
from train.tensorflow_start import prepare_tensorflow

_AIM = 0.9
"""The loop is to reach this share of the step's images a second."""


def measure(options: Any, steps: int, repeats: int) -> dict[str, Any]:
    """Images a second of the step alone and of the loop.

    Args:
        options: a `train.options.TrainOptions`.
        steps: of each measurement.
        repeats: of each measurement, the two in turn; the medians are reported.

    Returns:
        `step` and `loop`, images a second, each with all measurements; `share`, loop over step.
    """
    import keras

    from train.batches import EpochBatches
    from train.data import Split
    from train.devices import use_devices
    from train.feed import Feed
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
        model.fit(batches, epochs=1, shuffle=False, verbose=0)
        # Asking for a weight waits for the device.
        keras.ops.convert_to_numpy(model.trainable_variables[0])
        return float(count / (time.perf_counter() - began))

    same = Same(feed.batches(1, names))
    pace(same)
    pace(feed.batches(1, names))
    step, loop = [], []
    for repeat in range(repeats):
        step.append(pace(same))
        loop.append(pace(feed.batches(2 + repeat, names)))
    return {
        "step": statistics.median(step),
        "loop": statistics.median(loop),
        "share": statistics.median(loop) / statistics.median(step),
        "steps_measured": step,
        "loops_measured": loop,
    }


def main(arguments: list[str] | None = None) -> int:
    """Print the figures; returns the exit code."""
    prepare_tensorflow()
    parsed = _parser().parse_args(arguments)
    from train.memory import keep_freed_memory
    from train.options import TrainOptions
    from train.precision import with_precision

    if not parsed.plain_memory:
        keep_freed_memory()

    try:
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
        found = measure(options, parsed.steps, parsed.repeats)
    except FerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    import keras

    from train.devices import device_in_words

    found |= {
        "architecture": parsed.arch,
        "batch_size": parsed.batch_size,
        "precision": options.precision,
        "device": device_in_words(),
        "backend": keras.backend.backend(),
        "machine": machine_in_words(),
        "versions": versions_of("keras", "tensorflow", "jax", "torch"),
    }
    if parsed.json:
        print(json.dumps(found, indent=2))
        return 0
    images = 28_709
    print(
        f"{parsed.arch}, batches of {parsed.batch_size}, {options.precision}, {found['backend']}, "
        f"{found['device']}"
    )
    print(f"step alone  {found['step']:9,.0f} images a second")
    seconds = math.ceil(images / found["loop"])
    print(
        f"whole loop  {found['loop']:9,.0f} images a second, {seconds:,} s for FER2013's {images:,}"
    )
    print(f"share       {found['share']:9.2f} (aim {_AIM}: {verdict(found['share'] >= _AIM)})")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.train_step", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--arch", default="compact48", help="default compact48")
    parser.add_argument("--batch-size", type=int, default=128, help="default 128")
    parser.add_argument("--steps", type=int, default=50, help="of each measurement (default 50)")
    parser.add_argument("--repeats", type=int, default=3, help="of each measurement (default 3)")
    parser.add_argument("--augment-on", default="auto", choices=("auto", "host", "device"))
    parser.add_argument("--precision", default="auto", choices=("auto", "float32", "bfloat16"))
    parser.add_argument("--devices", default="one", choices=("one", "all"))
    parser.add_argument("--sharpness", type=float, default=0.0, help="as for fit (default 0)")
    parser.add_argument(
        "--plain-memory", action="store_true", help="leave the allocator as it is (Linux)"
    )
    parser.add_argument("--json", action="store_true", help="as JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main())
