"""`export` and `teach` as commands: what they write, and what they say where they cannot."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import keras
import numpy as np
import pytest

from fer_core.model_store import load_card, verify_model
from fer_core.runtimes import create_runtime
from train.cli import main
from train.evaluate import opened
from train.export import export_folder, files_of

from .tiny import teacher_folder

pytestmark = pytest.mark.usefixtures("tiny")

ALL = {"model.keras", "model.tflite", "model.int8.tflite"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model folder with `model.keras` alone."""
    return teacher_folder(tmp_path / "mine", 1)


def full(*arguments: object, **named: object) -> None:
    raise OSError(28, "No space left on device")


def test_export_writes_both_files_of_litert_and_their_checksums(folder, capsys):
    assert set(verify_model(folder).files) == {"model.keras"}
    (folder / "model.tflite").write_bytes(b"of an older network")
    assert main(["export", "--model", str(folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        f"{folder / name}: {(folder / name).stat().st_size:,} bytes"
        for name in ("model.tflite", "model.int8.tflite")
    ]
    card = verify_model(folder)
    assert card.files == files_of(folder)
    assert set(card.files) == ALL
    assert "tiny" in (folder / "README.md").read_text()
    assert not list(folder.glob("*.part"))
    crops = np.random.default_rng(0).integers(0, 256, (2, 48, 48, 1)).astype(np.uint8)
    with closing(create_runtime("litert", folder)) as runtime:
        answers = runtime.run(crops)
    model = keras.saving.load_model(folder / "model.keras", compile=False)
    np.testing.assert_allclose(answers, model(crops.astype(np.float32)), atol=1e-3)


def test_export_of_one_runtime_removes_the_file_of_the_other(folder, capsys):
    assert main(["export", "--model", str(folder)]) == 0
    assert main(["export", "--model", str(folder), "--runtimes", "litert_int8"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith(f"{folder / 'model.int8.tflite'}: ")
    assert set(verify_model(folder).files) == ALL - {"model.tflite"}
    assert not (folder / "model.tflite").exists()
    with closing(create_runtime("auto", folder)) as runtime:
        assert runtime.name == "litert_int8"


@pytest.mark.parametrize(
    ("files", "asked", "used"),
    [
        (("litert", "litert_int8"), "auto", "litert"),
        (("litert_int8",), "auto", "keras"),
        (("litert_int8",), "litert_int8", "litert_int8"),
    ],
)
def test_figures_are_never_of_the_quantised_network_unasked(folder, files, asked, used):
    export_folder(str(folder), files)
    card = load_card(folder)
    with opened(folder, card, asked) as (name, run):
        assert name == used
        assert run(np.zeros((2, 48, 48), np.uint8)).shape == (2, 7)


def _is_one_sentence(printed: str, *words: str) -> None:
    assert printed.startswith("error: ")
    assert printed.count("\n") == 1
    for word in words:
        assert word in printed


@pytest.mark.parametrize("what", ["write_bytes", "write_text"])
def test_a_disk_too_full_to_export_to_is_one_sentence(folder, monkeypatch, capsys, what):
    monkeypatch.setattr("train.export._converted", lambda saved, quantised: b"converted")
    monkeypatch.setattr(Path, what, full)
    assert main(["export", "--model", str(folder)]) == 1
    _is_one_sentence(
        capsys.readouterr().err, f"The files of {folder} cannot be written", "No space left"
    )
    assert not list(folder.glob("*.tflite.part"))


def test_a_full_temporary_folder_is_named(folder, monkeypatch, capsys):
    import tensorflow as tf

    def save(*arguments: object, **named: object) -> None:
        raise tf.errors.ResourceExhaustedError(None, None, "part-00000; No space left")

    monkeypatch.setattr(tf.saved_model, "save", save)
    assert main(["export", "--model", str(folder)]) == 1
    _is_one_sentence(capsys.readouterr().err, "TensorFlow cannot write into the temporary folder")


@pytest.mark.parametrize("what", ["a file for a folder", "a full disk"])
def test_teach_says_where_it_cannot_write(folder, tmp_path, data, monkeypatch, capsys, what):
    out = (data if what == "a file for a folder" else tmp_path) / "said.npz"
    if what == "a full disk":
        monkeypatch.setattr("train.teachers.np.savez_compressed", full)
    words = ["teach", "--models", folder, "--data", data, "--out", out]
    assert main([str(word) for word in words]) == 1
    _is_one_sentence(capsys.readouterr().err, f"The teachers' probabilities {out} cannot be")
