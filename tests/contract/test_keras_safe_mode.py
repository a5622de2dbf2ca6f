"""A Keras file may carry code, also one whose checksum is right; it is never run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fer_core.emotions import CLASSES
from fer_core.errors import ModelError
from fer_core.model_store import ModelCard, file_sha256, write_card
from fer_core.runtimes import create_runtime


def folder_with(layer_made_of_code: bool, folder: Path) -> Path:
    """A model folder whose card fits its file."""
    import keras

    crops = keras.Input((48, 48, 1))
    # Code that would leave a file behind, if it were run.
    trace = str(folder / "trace")
    code = keras.layers.Lambda(lambda x: (os.close(os.open(trace, os.O_CREAT)), x)[1])
    answer = keras.layers.Dense(len(CLASSES), activation="softmax")(keras.layers.Flatten()(crops))
    network = keras.Model(crops, code(answer) if layer_made_of_code else answer)
    file = folder / "model.keras"
    network.save(file)
    (folder / "trace").unlink(missing_ok=True)
    listed = {file.name: {"sha256": file_sha256(file), "bytes": file.stat().st_size}}
    write_card(ModelCard(folder.name, "made", 48, files=listed), folder)
    return folder


@pytest.mark.parametrize("runtime", ["keras", "auto"])
def test_code_in_a_model_is_refused_in_a_sentence_and_not_run(tmp_path: Path, runtime: str) -> None:
    folder = folder_with(True, tmp_path)
    with pytest.raises(ModelError) as caught:
        create_runtime(runtime, folder)
    sentence = str(caught.value)
    assert "model.keras cannot be loaded by Keras" in sentence
    assert "\n" not in sentence
    assert sentence.endswith(".")
    assert not (folder / "trace").exists()


def test_the_same_model_without_code_is_read(tmp_path: Path) -> None:
    create_runtime("keras", folder_with(False, tmp_path)).close()
