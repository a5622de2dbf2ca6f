"""What every runtime promises, with the shipped model; and which one `auto` takes."""

from __future__ import annotations

import inspect
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import fer_core.runtimes as runtimes
from fer_core.classifier import Classifier
from fer_core.cores import available_cores
from fer_core.errors import ModelError, OptionError, PictureError, RuntimeMissingError
from fer_core.model_store import (
    ModelCard,
    default_model_name,
    file_sha256,
    load_card,
    runnable_models,
    write_card,
)
from fer_core.model_store import model_folder as find_model
from fer_core.runtimes import RUNTIMES, Runtime, create_runtime, litert
from tests.contract.fixed_crops import fixed_crops

SAME = 1e-3
"""How far two runtimes may be apart in any probability."""

SAME_QUANTISED = 0.06
"""How far a quantised one may be: 0.033 is the most on FER2013's 3,589 PublicTest images."""

NAMES = [name for name in RUNTIMES if name != "auto"]
EXACT = [name for name in NAMES if name != "litert_int8"]
FILES = {"litert": "model.tflite", "litert_int8": "model.int8.tflite", "keras": "model.keras"}


@pytest.fixture(scope="module")
def opened(model_folder: Path) -> Iterator[dict[str, Runtime]]:
    made = {name: create_runtime(name, model_folder) for name in NAMES}
    yield made
    for runtime in made.values():
        runtime.close()


def crops_of(count: int, seed: int = 0) -> np.ndarray:
    """Random crops, and real ones among them."""
    crops = np.random.default_rng(seed).integers(0, 256, (count, 48, 48, 1), np.uint8)
    for index, crop in enumerate(list(fixed_crops().values())[:count]):
        crops[index, :, :, 0] = crop
    return crops


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 16, 21, 39])
def test_any_number_of_crops(name: str, count: int, opened: dict[str, Runtime]) -> None:
    crops = crops_of(count)
    before = crops.copy()
    probabilities = opened[name].run(crops)
    assert probabilities.shape == (count, 7)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, atol=1e-4)
    assert (probabilities >= 0).all()
    assert (crops == before).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_crop_is_read_alike_in_every_batch(name: str, opened: dict[str, Runtime]) -> None:
    crops = crops_of(21)
    together = opened[name].run(crops)
    alone = np.concatenate([opened[name].run(crops[i : i + 1]) for i in range(len(crops))])
    np.testing.assert_allclose(together, alone, atol=SAME / 10)


def test_all_runtimes_give_the_same(opened: dict[str, Runtime]) -> None:
    crops = crops_of(40, seed=7)
    answers = {name: opened[name].run(crops) for name in NAMES}
    for name in NAMES:
        allowed = SAME if name in EXACT else SAME_QUANTISED
        np.testing.assert_allclose(answers[name], answers["keras"], atol=allowed)
    assert answers["keras"].std(axis=0).max() > 0.01, "crops that look alike would prove nothing"
    assert (answers["litert_int8"] != answers["litert"]).any(), "the quantised file is another"


@pytest.mark.parametrize("model", sorted(set(runnable_models()) - {default_model_name()}))
def test_every_other_shipped_network_answers_alike_on_each(model: str) -> None:
    crops = crops_of(12, seed=8)
    folder = find_model(model)
    answers = {}
    for name in NAMES:
        # A large network may be shipped without the file of LiteRT's floating-point runtime.
        if name == "litert" and FILES[name] not in load_card(folder).files:
            continue
        with closing(create_runtime(name, folder)) as runtime:
            answers[name] = runtime.run(crops)
    for name in answers:
        allowed = SAME if name in EXACT else SAME_QUANTISED
        np.testing.assert_allclose(answers[name], answers["keras"], atol=allowed)


@pytest.mark.parametrize("name", NAMES)
def test_threads_share_a_runtime(name: str, opened: dict[str, Runtime]) -> None:
    expected = {count: opened[name].run(crops_of(count)) for count in (1, 3, 5)}
    wrong: list[int] = []

    def work(count: int) -> None:
        for _ in range(10):
            if not np.allclose(opened[name].run(crops_of(count)), expected[count], atol=1e-5):
                wrong.append(count)

    threads = [threading.Thread(target=work, args=(count,)) for count in expected]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "crops", [np.zeros((1, 48, 48), np.uint8), np.zeros((1, 48, 48, 1), np.float32)]
)
def test_other_crops_are_refused(name: str, crops: np.ndarray, opened: dict[str, Runtime]) -> None:
    with pytest.raises(PictureError, match="Crops must be uint8"):
        opened[name].run(crops)


@pytest.mark.parametrize("name", NAMES)
def test_closing_twice_is_allowed_and_running_after_it_is_not(
    name: str, model_folder: Path
) -> None:
    runtime = create_runtime(name, model_folder, threads=1)
    runtime.close()
    runtime.close()
    with pytest.raises(ModelError, match=r"has been closed\. Make a new one"):
        runtime.run(crops_of(1))


@pytest.mark.parametrize("name", RUNTIMES)
def test_threads_must_be_positive(name: str, model_folder: Path) -> None:
    with pytest.raises(OptionError, match=r"threads must be at least 1\. Received: 0"):
        create_runtime(name, model_folder, threads=0)


def test_an_unknown_runtime_is_said(model_folder: Path) -> None:
    with pytest.raises(
        OptionError, match=r"Received: 'onnx'\. Known: auto, litert, litert_int8, keras"
    ):
        create_runtime("onnx", model_folder)


@pytest.fixture
def copied(model_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(model_folder, tmp_path / "model"))


@pytest.mark.parametrize("name", NAMES)
def test_an_altered_file_is_not_opened(name: str, copied: Path) -> None:
    file = copied / FILES[name]
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(ModelError, match="SHA-256 differs"):
        Classifier(copied, name)


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_file_is_said(name: str, copied: Path) -> None:
    (copied / FILES[name]).unlink()
    with pytest.raises(ModelError, match=f"lacks {FILES[name]}"):
        Classifier(copied, name)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("content", [b"", b"not a network at all", b"PK\x03\x04" + b"\0" * 64])
def test_a_file_that_is_no_network_is_said(name: str, content: bytes, tmp_path: Path) -> None:
    file = tmp_path / FILES[name]
    file.write_bytes(content)
    listed = {file.name: {"sha256": file_sha256(file), "bytes": len(content)}}
    write_card(ModelCard("wrong", "none", 48, files=listed), tmp_path)
    with pytest.raises(ModelError, match=r"cannot be (run|loaded) by .*export"):
        create_runtime(name, tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_a_network_of_another_size_is_said(name: str, copied: Path) -> None:
    card = load_card(copied)
    write_card(ModelCard(card.name, card.architecture, 56, files=card.files), copied)
    with pytest.raises(ModelError, match=r"must map .*56"):
        create_runtime(name, copied)


@pytest.mark.parametrize(
    ("classes", "channels"), [(("happy", "sad"), 1), (None, 3)], ids=["classes", "channels"]
)
def test_a_card_of_another_kind_is_said(
    classes: tuple[str, ...] | None, channels: int, copied: Path
) -> None:
    card = load_card(copied)
    other = ModelCard(
        card.name, "none", 48, classes or card.classes, channels=channels, files=card.files
    )
    write_card(other, copied)
    with pytest.raises(ModelError, match="this program runs networks that give angry, disgust"):
        create_runtime("litert", copied)


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


@pytest.mark.parametrize(
    ("quota", "cores"),
    [("150000 100000", 2), ("20000 100000", 1), ("max 100000", 8), ("", 8), ("1 0", 8)],
)
def test_a_containers_share_is_heeded(
    quota: str, cores: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(8)), raising=False)
    file = tmp_path / "cpu.max"
    file.write_text(quota)
    assert available_cores(file) == cores
    assert available_cores(tmp_path / "none") == 8


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


def test_keras_says_nothing_while_it_compiles_one_size_after_the_other(model_folder: Path) -> None:
    code = f"""
import numpy as np
from pathlib import Path
from fer_core.runtimes import create_runtime
runtime = create_runtime("keras", Path({str(model_folder)!r}))
for count in (9, 20):
    runtime.run(np.zeros((count, 48, 48, 1), np.uint8))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=180, check=True
    )
    assert "retracing" not in done.stderr


def python(code: str, **environment: str) -> str:
    """What `code` prints in a process of its own."""
    import os

    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


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


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_keras_gives_the_same_on_every_backend(
    backend: str, opened: dict[str, Runtime], model_folder: Path, tmp_path: Path
) -> None:
    import importlib.util

    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    np.save(tmp_path / "crops.npy", crops_of(6))
    code = f"""
import numpy as np
from pathlib import Path
from fer_core.runtimes import create_runtime
runtime = create_runtime("keras", Path({str(model_folder)!r}))
assert runtime.backend == {backend!r}
np.save({str(tmp_path / "answer.npy")!r}, runtime.run(np.load({str(tmp_path / "crops.npy")!r})))
"""
    python(code, KERAS_BACKEND=backend)
    answer = np.load(tmp_path / "answer.npy")
    np.testing.assert_allclose(answer, opened["litert"].run(crops_of(6)), atol=SAME)


def test_crops_reach_keras_as_bytes(opened: dict[str, Runtime]) -> None:
    runtime = opened["keras"]
    forward, given = runtime._forward, []  # type: ignore[attr-defined]

    def watched(crops: np.ndarray) -> object:
        given.append(crops)
        return forward(crops)

    runtime._forward = watched  # type: ignore[attr-defined]
    try:
        runtime.run(crops_of(3))
    finally:
        runtime._forward = forward  # type: ignore[attr-defined]
    assert [(one.dtype, one.shape) for one in given] == [(np.uint8, (4, 48, 48, 1))]


def compiled_so_far(runtime: Runtime) -> int:
    """How many sizes TensorFlow has compiled the network for."""
    of_size = inspect.getclosurevars(runtime._forward).nonlocals["of_size"]  # type: ignore[attr-defined]
    return int(of_size.cache_info().misses)


def test_keras_compiles_once_per_padded_size(opened: dict[str, Runtime]) -> None:
    pytest.importorskip("tensorflow")
    runtime = opened["keras"]
    for count in (1, 2, 3, 4, 5, 6, 7, 8):
        runtime.run(crops_of(count))
    before = compiled_so_far(runtime)
    for count in (8, 3, 5, 1, 6, 2, 7, 4):
        runtime.run(crops_of(count))
    assert compiled_so_far(runtime) == before >= 4


def test_no_frame_with_up_to_eight_faces_waits_for_keras_to_compile(model_folder: Path) -> None:
    pytest.importorskip("tensorflow")
    runtime = create_runtime("keras", model_folder)
    try:
        before = compiled_so_far(runtime)
        for count in range(1, 9):
            runtime.run(crops_of(count))
        assert compiled_so_far(runtime) == before == 4
    finally:
        runtime.close()
