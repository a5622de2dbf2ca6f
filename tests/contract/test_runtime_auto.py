"""Which runtime `auto` takes, and what the usual way does without."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

import fer_core.runtimes as runtimes
from fer_core.errors import ModelError, RuntimeMissingError
from fer_core.model_store import ModelCard, load_card, write_card
from fer_core.runtimes import create_runtime
from tests.contract.kinds import python


def fake(name: str, device: str = "CPU") -> SimpleNamespace:
    return SimpleNamespace(name=name, device=device, closed=[], close=lambda: None)


@pytest.mark.parametrize(
    ("gpu_shown", "keras_device", "expected"),
    [
        (False, "GPU: any", "litert"),
        (True, "GPU: any", "keras"),
        (True, "CPU", "litert"),
        (True, None, "litert"),
    ],
    ids=["no card", "a card", "a card that TensorFlow cannot use", "a card without TensorFlow"],
)
def test_what_auto_takes(
    gpu_shown: bool,
    keras_device: str | None,
    expected: str,
    model_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def keras(*_: object) -> SimpleNamespace:
        if keras_device is None:
            raise RuntimeMissingError("no TensorFlow")
        return fake("keras", keras_device)

    keras.file_name = "model.keras"  # type: ignore[attr-defined]
    monkeypatch.setattr(runtimes, "gpu_may_be_usable", lambda: gpu_shown)
    monkeypatch.setitem(runtimes._KINDS, "keras", keras)
    runtime = create_runtime("auto", model_folder)
    assert runtime.name == expected
    runtime.close()


def test_auto_takes_keras_where_there_is_no_litert_file(
    copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def keras(*_: object) -> SimpleNamespace:
        return fake("keras")

    keras.file_name = "model.keras"  # type: ignore[attr-defined]
    monkeypatch.setitem(runtimes._KINDS, "keras", keras)
    card = load_card(copied)
    only = {"model.keras": card.files["model.keras"]}
    write_card(ModelCard(card.name, card.architecture, 48, files=only), copied)
    assert create_runtime("auto", copied).name == "keras"


def test_a_network_without_the_float_file_runs_in_int8_and_says_what_it_lacks(
    copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtimes, "gpu_may_be_usable", lambda: False)
    card = load_card(copied)
    files = {name: what for name, what in card.files.items() if name != "model.tflite"}
    (copied / "model.tflite").unlink()
    write_card(ModelCard(card.name, card.architecture, 48, files=files), copied)
    with closing(create_runtime("auto", copied)) as runtime:
        assert runtime.name == "litert_int8"
    with pytest.raises(ModelError) as said:
        create_runtime("litert", copied)
    assert str(said.value) == (
        "model has no model.tflite, which the runtime litert needs. Choose litert_int8 or keras, "
        f"or write it with `python -m train export --model {copied}`."
    )


@pytest.mark.parametrize("detector", ["blazeface", "haar"])
def test_the_usual_way_never_imports_tensorflow(detector: str, model_folder: Path) -> None:
    code = f"""
import sys
from fer_core import Analyzer, AnalyzerOptions
from skimage.data import astronaut
with Analyzer(AnalyzerOptions(detector={detector!r}, model={str(model_folder)!r})) as analyzer:
    assert analyzer.classifier.runtime.name == "litert"
    assert analyzer.analyze(astronaut()).faces
    assert analyzer.track(astronaut(), 0.0).faces
print(sorted(m for m in ("tensorflow", "keras", "mediapipe", "streamlit") if m in sys.modules))
"""
    assert python(code, CUDA_VISIBLE_DEVICES="-1") == "[]"
