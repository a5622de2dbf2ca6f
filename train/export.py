"""The forms in which a network is shipped: `model.keras`, and two files for LiteRT."""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras

from fer_core.errors import ModelError
from fer_core.model_store import file_sha256, model_folder, write_card
from fer_core.runtimes.litert import LitertInt8Runtime, LitertRuntime
from train.checkpoint import one_line
from train.finished import FILE, open_finished
from train.model_card import write_readme
from train.portable import make_portable

LITERT_FILES = {kind.name: kind.file_name for kind in (LitertRuntime, LitertInt8Runtime)}
"""By runtime, the file that it runs."""


def save_keras(model: keras.Model, folder: Path) -> Path:
    """Write `model.keras`, readable by older Keras 3 too, beside and moved into place."""
    file = folder / FILE
    written, beside = folder / "model.written.keras", folder / "model.part.keras"
    try:
        model.save(written)
        make_portable(written, beside)
    finally:
        written.unlink(missing_ok=True)
    beside.replace(file)
    return file


def save_litert(
    model: keras.Model, folder: Path, runtimes: Collection[str] = tuple(LITERT_FILES)
) -> list[Path]:
    """Write the files of LiteRT's runtimes: the same network, any number of crops a call.

    Of `litert` everything is float32. Kernels in float16 would halve it, but they are multiplied by
    what normalises the batch before they are rounded, which moves answers by a little more than a
    thousandth. Of `litert_int8` weights are int8 and activations quantised as they come (Jacob et
    al., 2018, arXiv:1712.05877), a quarter of the size; input and output stay float32. No pictures
    are needed for it, since nothing about the activations is fixed beforehand.

    Args:
        model: for use.
        folder: to write into; each file is written beside and moved into place.
        runtimes: keys of `LITERT_FILES`.

    Raises:
        ModelError: TensorFlow, which does the conversion, is not the backend.
        OSError: a file cannot be written.
    """
    if keras.backend.backend() != "tensorflow":
        raise ModelError(
            "LiteRT's files are written by TensorFlow. Run `python -m train export --model NAME` "
            "with KERAS_BACKEND=tensorflow."
        )
    wanted = {name: folder / file for name, file in LITERT_FILES.items() if name in runtimes}
    # TensorFlow talks to the terminal from C++ and Python; only its result is of use.
    with tempfile.TemporaryDirectory() as scratch, contextlib.redirect_stdout(io.StringIO()):
        saved = _saved(model, scratch)
        for runtime, file in wanted.items():
            _write(_converted(saved, quantised=runtime == LitertInt8Runtime.name), file)
    return list(wanted.values())


def files_of(folder: Path) -> dict[str, dict[str, Any]]:
    """SHA-256 and size of each executable file, for the card."""
    return {
        name: {"sha256": file_sha256(folder / name), "bytes": (folder / name).stat().st_size}
        for name in (FILE, *LITERT_FILES.values())
        if (folder / name).is_file()
    }


def export_folder(name: str, runtimes: Collection[str] = tuple(LITERT_FILES)) -> str:
    """Write LiteRT's files of a model folder anew from its `model.keras`; checksums and README too.

    Args:
        name: of the folder, or a path to it.
        runtimes: `litert`, `litert_int8` or both: those of others are removed.

    Returns:
        A line a file: where it is and its size.

    Raises:
        ModelError: there is no such folder, its `model.keras` is not the one the card lists,
            TensorFlow is not the backend, or a file cannot be written.
    """
    folder = model_folder(name)
    model, card = open_finished(name)
    try:
        files = save_litert(model, folder, runtimes)
        for runtime, file_name in LITERT_FILES.items():
            if runtime not in runtimes:
                (folder / file_name).unlink(missing_ok=True)
        write_card(replace(card, files=files_of(folder)), folder)
        write_readme(folder)
    except OSError as error:
        raise ModelError(
            f"The files of {folder} cannot be written: {one_line(error)}. Make room and export it "
            "again."
        ) from None
    return "\n".join(f"{file}: {file.stat().st_size:,} bytes" for file in files)


def _saved(model: keras.Model, folder: str) -> str:
    """`model` as TensorFlow saves it, below `folder`, with one endpoint, `serve`."""
    import tensorflow as tf

    signature = [tf.TensorSpec((None, *model.input_shape[1:]), tf.float32, name="crops")]
    module = tf.Module()
    # Its variables are all that it needs. `keras.export` also goes through its layers, which takes
    # three times as long and is converted to the same bytes.
    module.kept = [variable.value for variable in model.variables]
    module.serve = tf.function(
        lambda crops: {"output_0": model(crops, training=False)},
        input_signature=signature,
        autograph=False,
    )
    path = os.path.join(folder, "saved")  # noqa: PTH118 - the converter wants a string
    try:
        tf.saved_model.save(module, path, signatures={"serve": module.serve})
    except tf.errors.OpError:
        # TensorFlow writes from C++, and says it at length.
        raise OSError(
            f"TensorFlow cannot write into the temporary folder {tempfile.gettempdir()}"
        ) from None
    return path


def _converted(saved: str, *, quantised: bool) -> bytes:
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_saved_model(saved, signature_keys=["serve"])
    if quantised:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    return bytes(converter.convert())


def _write(data: bytes, file: Path) -> None:
    beside = file.with_name(file.name + ".part")
    try:
        beside.write_bytes(data)
        beside.replace(file)
    finally:
        # On a full disk half of it would stay.
        beside.unlink(missing_ok=True)
