"""The forms in which a network is shipped: `model.keras`, and `model.tflite` for LiteRT."""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
from pathlib import Path
from typing import Any

import keras

from fer_core.errors import ModelError
from fer_core.model_store import file_sha256, load_card, model_folder, verify_model, write_card

KERAS_FILE = "model.keras"
LITERT_FILE = "model.tflite"


def save_keras(model: keras.Model, folder: Path) -> Path:
    """Write `model.keras`, beside and moved into place."""
    file = folder / KERAS_FILE
    beside = folder / "model.part.keras"
    model.save(beside)
    beside.replace(file)
    return file


def save_litert(model: keras.Model, folder: Path) -> Path:
    """Write `model.tflite`: the same network in float32 for LiteRT, any number of crops a call.

    Raises:
        ModelError: TensorFlow, which does the conversion, is not the backend.
    """
    if keras.backend.backend() != "tensorflow":
        raise ModelError(
            "model.tflite is written by TensorFlow. Run `python -m train export --model NAME` "
            "with KERAS_BACKEND=tensorflow."
        )
    file = folder / LITERT_FILE
    beside = folder / (LITERT_FILE + ".part")
    beside.write_bytes(_convert(model))
    beside.replace(file)
    return file


def files_of(folder: Path) -> dict[str, dict[str, Any]]:
    """SHA-256 and size of each executable file, for the card."""
    return {
        name: {"sha256": file_sha256(folder / name), "bytes": (folder / name).stat().st_size}
        for name in (KERAS_FILE, LITERT_FILE)
        if (folder / name).is_file()
    }


def export_folder(name: str) -> str:
    """Write `model.tflite` of a model folder anew from its `model.keras`, and the card's checksums.

    Raises:
        ModelError: there is no such folder, or its `model.keras` is not the one the card lists.
    """
    folder = model_folder(name)
    verify_model(folder, only=KERAS_FILE)
    model = keras.saving.load_model(folder / KERAS_FILE, compile=False, safe_mode=True)
    file = save_litert(model, folder)
    card = load_card(folder)
    from dataclasses import replace

    write_card(replace(card, files=files_of(folder)), folder)
    return f"{file}: {file.stat().st_size:,} bytes"


def _convert(model: keras.Model) -> bytes:
    import tensorflow as tf

    size, channels = model.input_shape[1], model.input_shape[3]
    signature = [tf.TensorSpec((None, size, size, channels), tf.float32, name="crops")]
    # The converter talks to the terminal from C++ and Python; only its result is of use.
    with tempfile.TemporaryDirectory() as scratch, contextlib.redirect_stdout(io.StringIO()):
        archive = keras.export.ExportArchive()
        archive.track(model)
        archive.add_endpoint(
            name="serve", fn=lambda crops: model(crops, training=False), input_signature=signature
        )
        path = os.path.join(scratch, "saved")  # noqa: PTH118 - the converter wants a string
        archive.write_out(path, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(path, signature_keys=["serve"])
        return bytes(converter.convert())
