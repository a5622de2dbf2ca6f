"""A lone picture has the whole network; in a crowd each batch takes one thread."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from api.batching import BatchingClassifier
from api.network import JoinedNetwork
from fer_core.classifier import Classifier
from tests.api.conftest import wait_for

CROPS = np.random.default_rng(1).integers(0, 256, (5, 48, 48, 1), np.uint8)


def used_threads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The threads of the network that runs, for every batch from now on."""
    seen: list[int] = []
    real = Classifier.classify

    def classify(self, crops):
        seen.append(self.runtime.threads)
        return real(self, crops)

    monkeypatch.setattr(Classifier, "classify", classify)
    return seen


@pytest.mark.parametrize(
    ("runtime", "threads", "crowded", "expected"),
    [
        ("litert", 2, False, 2),
        ("litert", 2, True, 1),
        ("litert", 1, True, 1),
        ("litert", 1, False, 1),
    ],
)
def test_threads_of_a_batch(monkeypatch, model_folder, runtime, threads, crowded, expected):
    with Classifier(model_folder, runtime, threads) as classifier:
        wanted = classifier.classify(CROPS)
        joined = JoinedNetwork(classifier, 64, None, lambda: crowded)
        seen = used_threads(monkeypatch)
        np.testing.assert_allclose(joined.classify(CROPS), wanted, atol=1e-5)
        joined.close()
        assert seen == [expected]
        assert classifier.classify(CROPS).shape == (5, 7)  # still open


def test_as_many_batches_run_at_once_as_there_are_turns():
    inside, go = [], threading.Event()

    class Slow:
        folder = card = runtime = None

        def classify(self, crops):
            inside.append(len(crops))
            assert go.wait(30)
            return np.repeat(crops[:, 0, 0, :].astype(np.float32), 7, axis=1)

    joined = BatchingClassifier(Slow(), 64, turns=2)
    answers = {}

    def call(value: int) -> None:
        answers[value] = joined.classify(np.full((1, 48, 48, 1), value, np.uint8))

    threads = [threading.Thread(target=call, args=(value,)) for value in range(9)]
    for index, thread in enumerate(threads):
        thread.start()
        if index < 2:
            wait_for(lambda running=index + 1: len(inside) == running)
    wait_for(lambda: len(joined._waiting) == 7)
    go.set()
    for thread in threads:
        thread.join(30)
    assert inside == [1, 1, 7]
    assert {value: float(answer[0, 0]) for value, answer in answers.items()} == {
        value: float(value) for value in range(9)
    }
