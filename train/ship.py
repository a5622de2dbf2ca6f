"""A trained network becomes a model folder: files, evaluation, card."""

from __future__ import annotations

import json
import platform
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

import keras

from fer_core.model_store import CropSpec, ModelCard, write_card
from train.checkpoint import History, write_text
from train.cost import count_cost
from train.data import Dataset
from train.devices import device_in_words
from train.evaluation import evaluate_splits
from train.export import files_of, save_keras, save_litert
from train.fit import architecture_options, predict
from train.options import TrainOptions

INTENDED_USE = (
    "Naming the expression that a face shows, one of seven, in pictures, clips and live video, "
    "for learning, research and play, with the knowledge of the people seen."
)
LIMITS = (
    "It reads what a face shows in one picture, not what a person feels.",
    "FER2013's labels are noisy: people agree with them about two times in three.",
    "The images were found by web search on emotion words; posed and exaggerated faces are many.",
    "Faces turned far from the camera, covered, very small or very dark are often read wrongly.",
    "No audit by age, sex, skin colour or origin was made, since the data carry no such labels.",
    "Not for judging workers, applicants or pupils, nor for any decision about a person.",
)


def ship(
    model: keras.Model, history: History, dataset: Dataset, options: TrainOptions, out: Path
) -> str:
    """Write `model.keras`, `model.tflite`, `evaluation.json` and `card.json` into `out`.

    Args:
        model: in float32, with the weights to ship.
        history: of the run.
        dataset: whose PublicTest chooses temperature and threshold, and whose PrivateTest is
            scored here, once.
        options: of the run.
        out: the model folder.

    Returns:
        One line with the accuracies.
    """
    save_keras(model, out)
    # Other backends cannot write it; `python -m train export` does so later under TensorFlow.
    if keras.backend.backend() == "tensorflow":
        save_litert(model, out)
    probabilities = {name: predict(model, split.images) for name, split in dataset.splits.items()}
    evaluation, temperature, threshold = evaluate_splits(dataset, probabilities)
    write_text(out / "evaluation.json", json.dumps(evaluation, indent=1) + "\n")
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
        crop=CropSpec(),
        temperature=temperature,
        uncertain_below=threshold,
        parameters=cost.parameters,
        multiply_adds=cost.multiply_adds,
        training=_protocol(dataset, options, history),
        figures=_figures(evaluation),
        files=files_of(out),
        versions=_versions(),
        intended_use=INTENDED_USE,
        limits=LIMITS,
    )
    write_card(card, out)
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
    return {
        "data": "FER2013 (Goodfellow et al., 2013)"
        + (", with FER+ votes (Barsoum et al., 2016) of the same images" if votes else ""),
        "protocol": "trained on Training; epoch, temperature and threshold chosen on PublicTest; "
        "PrivateTest scored once; one pass, no test-time augmentation",
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
