"""What the runtimes of LiteRT do beside what every runtime promises."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from fer_core.classifier import Classifier
from fer_core.runtimes import create_runtime, litert


def test_litert_names_its_threads(model_folder: Path) -> None:
    with Classifier(model_folder, "litert", threads=1) as classifier:
        assert classifier.runtime.device == "CPU, 1 thread"
    with Classifier(model_folder, "litert_int8") as classifier:
        assert classifier.runtime.device == "CPU, 1 thread"


def test_calls_at_once_leave_every_thread_a_core(
    model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(litert, "available_cores", lambda: 6)
    for threads, taken, calls in ((None, 4, 1), (1, 1, 6), (2, 2, 3), (6, 6, 1), (9, 9, 1)):
        runtime = create_runtime("litert", model_folder, threads)
        assert (runtime.threads, runtime.calls) == (taken, calls)  # type: ignore[attr-defined]
        runtime.close()


@pytest.mark.parametrize("name", ["litert", "litert_int8"])
def test_a_file_that_changes_or_goes_changes_nothing(
    model_folder: Path, tmp_path: Path, name: str
) -> None:
    """Larger batches and other numbers of threads are made ready when they are first needed."""
    folder = tmp_path / "model"
    shutil.copytree(model_folder, folder)
    crops = np.random.default_rng(3).integers(0, 256, (24, 48, 48, 1), np.uint8)
    with Classifier(folder, name) as classifier:
        (folder / "model.tflite").write_bytes(b"another network")
        (folder / "model.int8.tflite").unlink()
        several = [classifier.classify(crops) for _ in range(3)]
    with Classifier(model_folder, name, threads=1) as classifier:
        expected = classifier.classify(crops)
    for probabilities in several:
        np.testing.assert_allclose(probabilities, expected, atol=1e-5)


def test_a_call_that_runs_while_the_runtime_is_closed_ends_well(model_folder: Path) -> None:
    runtime = create_runtime("litert", model_folder, threads=1)
    with runtime._interpreter(1, 1) as interpreter:  # type: ignore[attr-defined]
        runtime.close()
        assert interpreter is not None
    assert runtime._idle == {}  # type: ignore[attr-defined]
