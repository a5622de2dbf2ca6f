"""Score a shipped model folder as a user runs it: its runtime, its temperature, its card."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fer_core.emotions import CLASSES
from fer_core.errors import OptionError
from fer_core.model_store import ModelCard, load_card, model_folder, verify_model
from fer_core.runtimes import cpu_runtime, create_runtime
from train.batches import resized
from train.corruptions import Run
from train.data import Dataset
from train.data.prepare import prepared_for
from train.evaluation import Calibration, evaluate_split, mean_of_views

_BATCH = 256


def evaluate_folder(
    name: str, dataset: Dataset, split: str, runtime: str, tta: str = "off"
) -> dict[str, Any]:
    """The figures of one split.

    Args:
        name: of the model folder, or a path to one.
        dataset: to measure on.
        split: name of the split.
        runtime: `auto`, or the name of one in `fer_core.runtimes`.
        tta: test-time augmentation, see `train.views`; its figures stand apart, under
            `test_time_augmentation`, beside those of one pass.

    Raises:
        ModelError: there is no such folder, or it is damaged.
        DatasetError: the data set has no such split.
    """
    folder = model_folder(name)
    card = load_card(folder)
    dataset = prepared_for(card, dataset)
    images = resized(dataset.split(split).images, card.input_size)
    calibration = Calibration(card.temperature, card.uncertain_below)

    with opened(folder, card, runtime) as (used, run):

        def figures_of(kind: str) -> dict[str, Any]:
            return evaluate_split(dataset, split, mean_of_views(images, run, kind), calibration)

        result = {"model": card.name, "split": split, "runtime": used, **figures_of("off")}
        if tta != "off":
            result["test_time_augmentation"] = {"views": tta, **figures_of(tta)}
    return result


@contextmanager
def opened(folder: Path, card: ModelCard, runtime: str) -> Iterator[tuple[str, Run]]:
    """The name of the runtime that is used, and what runs the network of a model folder.

    The app's runtimes know the seven classes alone; a network of others is run by Keras.

    Args:
        folder, card: of the model.
        runtime: see `evaluate_folder`.

    Raises:
        ModelError: the folder is damaged.
        OptionError: that runtime cannot run this network.
    """
    if card.classes != CLASSES:
        if runtime not in ("auto", "keras"):
            raise OptionError(
                f"A network of {', '.join(card.classes)} is scored by Keras. Leave out --runtime."
            )
        import keras

        verify_model(folder, only="model.keras")
        model = keras.saving.load_model(folder / "model.keras", compile=False, safe_mode=True)
        yield "keras", _in_parts([model.predict_on_batch], card.input_size)
        return
    # Figures are of the network itself, never of its quantised form unless that is asked for.
    if runtime == "auto" and cpu_runtime(card) == "litert_int8":
        runtime = "keras"
    first = create_runtime(runtime, folder)
    with ExitStack() as closing:
        closing.callback(first.close)
        runtimes = [first]
        if first.name.startswith("litert"):
            # Measured on two cores: two networks of one thread each run 1.4 times as many crops as
            # one network of two threads.
            threads = getattr(first, "threads", 1)
            runtimes = [create_runtime(first.name, folder, 1) for _ in range(threads)]
            for one in runtimes:
                closing.callback(one.close)
        yield first.name, _in_parts([one.run for one in runtimes], card.input_size)


def _in_parts(runs: Sequence[Run], size: int) -> Run:
    """From images of any size and number to the network's own batches, on several copies of it."""

    def all_of(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        crops = resized(images, size)[..., None]

        def share(number: int) -> list[npt.NDArray[np.float32]]:
            starts = range(number * _BATCH, len(crops), len(runs) * _BATCH)
            return [
                runs[number](np.ascontiguousarray(crops[start : start + _BATCH]))
                for start in starts
            ]

        with ThreadPoolExecutor(len(runs)) as pool:
            shares = list(pool.map(share, range(len(runs))))
        count = math.ceil(len(crops) / _BATCH)
        return np.concatenate(
            [shares[part % len(runs)][part // len(runs)] for part in range(count)]
        )

    return all_of
