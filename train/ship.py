"""A trained network becomes a model folder: files, evaluation, card."""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from fer_core.model_store import ModelCard, write_card
from train.checkpoint import History, write_text
from train.cost import count_cost
from train.data import Dataset
from train.devices import device_in_words
from train.evaluation import (
    EVALUATION_FILE,
    add_corruptions,
    cost_of,
    evaluate_splits,
    evaluation_text,
)
from train.export import files_of, save_keras, save_litert
from train.model_card import with_words, write_readme
from train.network import architecture_options
from train.options import TrainOptions
from train.packed import round_kernels
from train.precision import exact_products
from train.predicting import predict
from train.scenes import crop_spec


def ship(
    model: keras.Model,
    history: History,
    dataset: Dataset,
    options: TrainOptions,
    out: Path,
    said: Callable[[str], None] = lambda text: None,
) -> str:
    """Write the network's files, `evaluation.json`, `card.json` and `README.md` into `out`.

    Args:
        model: in float32, with the weights to ship; its kernels are rounded, see `train.packed`.
        history: of the run.
        dataset: whose PublicTest chooses temperature and threshold, and whose PrivateTest is
            scored here, once.
        options: of the run.
        out: the model folder.
        said: is told what takes a while.

    Returns:
        One line with the accuracies.
    """
    round_kernels(model)
    save_keras(model, out)
    # Other backends cannot write these; `python -m train export` does so later under TensorFlow.
    if keras.backend.backend() == "tensorflow":
        save_litert(model, out)

    def run(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        with exact_products():
            return predict(model, images)

    evaluation, calibration = evaluate_splits(dataset, run)
    add_corruptions(evaluation, dataset, run, said)
    cost = count_cost(model)
    training = dataset.split("Training")
    built = architecture_options(options, float(training.images.mean()), 1.0)
    card = ModelCard(
        name=out.name,
        architecture=options.architecture,
        architecture_options=built.to_dict() | _normalisation(model),
        input_size=model.input_shape[1],
        classes=training.classes,
        channels=model.input_shape[3],
        crop=crop_spec(options),
        temperature=calibration.temperature,
        uncertain_below=calibration.threshold,
        parameters=cost.parameters,
        multiply_adds=cost.multiply_adds,
        training=_protocol(dataset, options, history),
        figures=_figures(evaluation),
        files=files_of(out),
        versions=_versions(),
    )
    write_text(out / EVALUATION_FILE, evaluation_text({"network": cost_of(card), **evaluation}))
    write_card(with_words(card), out)
    write_readme(out)
    return ", ".join(
        f"{name} {100 * figures['accuracy']:.2f} %" for name, figures in evaluation.items()
    )


def _normalisation(model: keras.Model) -> dict[str, float]:
    layer = model.get_layer("normalise")
    deviation = 1.0 / layer.scale
    return {"mean": -layer.offset * deviation, "deviation": deviation}


def _figures(evaluation: dict[str, Any]) -> dict[str, dict[str, float]]:
    return {
        name: {
            "accuracy": split["accuracy"],
            "accuracy_low": split["accuracy_interval"][0],
            "accuracy_high": split["accuracy_interval"][1],
            "macro_f1": split["macro_f1"],
            "expected_calibration_error": split["expected_calibration_error"],
            "share_shown": split["uncertain"]["share_shown"],
            "accuracy_shown": split["uncertain"]["accuracy_shown"],
            "images": split["images"],
        }
        for name, split in evaluation.items()
    }


def _protocol(dataset: Dataset, options: TrainOptions, history: History) -> dict[str, Any]:
    best = max(history, key=lambda row: row["val_accuracy"])
    votes = dataset.split("Training").votes is not None
    private = "PrivateTest scored once" if "PrivateTest" in dataset.splits else "no PrivateTest"
    return {
        "data": "FER2013 (Goodfellow et al., 2013)"
        + (", with FER+ votes (Barsoum et al., 2016) of the same images" if votes else ""),
        "protocol": "trained on Training; epoch, temperature and threshold chosen on PublicTest; "
        f"{private}; one pass, no test-time augmentation",
        "classes": {name: split.counts() for name, split in dataset.splits.items()},
        "options": asdict(options),
        "epochs_trained": len(history),
        "best_epoch": int(best["epoch"]),
        "seconds": round(sum(row["seconds"] for row in history)),
        "device": f"{device_in_words()}, {platform.machine()}, Keras on {keras.backend.backend()}",
    }


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "backend": keras.backend.backend()}
    for package in ("keras", "tensorflow", "jax", "torch", "numpy"):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found
