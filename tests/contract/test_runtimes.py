"""What every runtime promises, with the shipped model."""

from __future__ import annotations

import threading
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from fer_core.errors import ModelError, OptionError, PictureError
from fer_core.model_store import default_model_name, load_card, runnable_models
from fer_core.model_store import model_folder as find_model
from fer_core.runtimes import RUNTIMES, Runtime, create_runtime
from tests.contract.fixed_crops import crops_of
from tests.contract.kinds import EXACT, FILES, NAMES, SAME, SAME_QUANTISED


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
