"""Calls that come at the same time are classified together, and nobody gets another's answer."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import numpy as np
import pytest

from api.batching import BatchingClassifier
from fer_core.classifier import Classifier
from fer_core.errors import ModelError
from tests.api.conftest import wait_for


class Slow:
    """A classifier that answers with each crop's first pixel, when it is let."""

    folder = card = runtime = None

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.go = threading.Event()

    def classify(self, crops):
        self.batches.append(len(crops))
        assert self.go.wait(30)
        if (crops == 255).any():
            raise ModelError("white crops are not liked.")
        return np.repeat(crops[:, 0, 0, :].astype(np.float32), 7, axis=1)


def crops(value: int, count: int = 1) -> np.ndarray:
    return np.full((count, 48, 48, 1), value, np.uint8)


def call_at_once(joined, inputs):
    """All of `inputs` while the first of them is being classified."""
    answers = [None] * len(inputs)

    def call(index: int) -> None:
        try:
            answers[index] = joined.classify(inputs[index])
        except ModelError as error:
            answers[index] = error

    threads = [threading.Thread(target=call, args=(index,)) for index in range(len(inputs))]
    slow = joined._classifier
    threads[0].start()
    wait_for(lambda: slow.batches != [])
    for thread in threads[1:]:
        thread.start()
    wait_for(lambda: len(joined._waiting) == len(inputs) - 1)
    slow.go.set()
    for thread in threads:
        thread.join(30)
    return answers


def test_calls_that_gather_are_one_batch():
    slow, noted = Slow(), []
    joined = BatchingClassifier(slow, 64, lambda *counts: noted.append(counts))
    inputs = [crops(value, value % 3) for value in range(1, 10)]
    answers = call_at_once(joined, inputs)
    for given, answer in zip(inputs, answers, strict=True):
        assert answer.shape == (len(given), 7)
        assert (answer == given[:, 0, 0, :]).all()
    assert slow.batches == [1, 8]
    assert noted == [(1, 1), (8, 8)]


def test_a_batch_has_a_limit_and_a_call_is_never_split():
    slow = Slow()
    answers = call_at_once(
        BatchingClassifier(slow, 4, None), [crops(1), *(crops(2, 3) for _ in range(3)), crops(3, 9)]
    )
    assert [len(answer) for answer in answers] == [1, 3, 3, 3, 9]
    assert sorted(slow.batches) == [1, 3, 3, 3, 9]


def test_one_calls_fault_is_not_the_others():
    slow = Slow()
    answers = call_at_once(BatchingClassifier(slow, 64), [crops(1), crops(255), crops(2), crops(3)])
    assert isinstance(answers[1], ModelError)
    assert [float(answers[index][0, 0]) for index in (0, 2, 3)] == [1, 2, 3]


def test_a_lone_call_is_the_networks_own_answer(model_folder):
    with Classifier(model_folder) as classifier:
        joined = BatchingClassifier(classifier, 64)
        some = np.random.default_rng(1).integers(0, 256, (5, 48, 48, 1), np.uint8)
        np.testing.assert_allclose(joined.classify(some), classifier.classify(some), atol=1e-6)
        assert joined.classify(some[:0]).shape == (0, 7)
        joined.close()
        assert joined.card is classifier.card
        assert len(classifier.classify(some)) == 5


@pytest.mark.parametrize("largest", [1, 3, 64])
def test_under_load_every_caller_gets_its_own(largest):
    slow = Slow()
    slow.go.set()
    joined = BatchingClassifier(slow, largest)
    wrong: list[int] = []

    def call(value: int) -> None:
        for count in (1, 2, 1):
            answer = joined.classify(crops(value, count))
            if answer.shape != (count, 7) or (answer != value).any():
                wrong.append(value)

    threads = [threading.Thread(target=call, args=(value,)) for value in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert wrong == []
    assert sum(slow.batches) == 40 * 4


def test_the_page_and_the_api_share_one_network(monkeypatch, model_folder):
    from fer_core.shared import shared_classifier

    opened = []
    real = Classifier.__init__

    def counted(self, *args, **kwargs):
        opened.append(SimpleNamespace(args=args))
        real(self, *args, **kwargs)

    monkeypatch.setattr(Classifier, "__init__", counted)
    first = shared_classifier()
    before = len(opened)
    assert shared_classifier(model_folder.name) is first
    assert len(opened) == before
    with pytest.raises(ModelError, match="There is no model called"):
        shared_classifier("nobody")


def test_as_many_batches_run_at_once_as_there_are_turns():
    slow = Slow()
    joined = BatchingClassifier(slow, 64, turns=2)
    answers = {}

    def call(value: int) -> None:
        answers[value] = joined.classify(crops(value))

    threads = [threading.Thread(target=call, args=(value,)) for value in range(9)]
    for index, thread in enumerate(threads):
        thread.start()
        if index < 2:
            wait_for(lambda running=index + 1: len(slow.batches) == running)
    wait_for(lambda: len(joined._waiting) == 7)
    slow.go.set()
    for thread in threads:
        thread.join(30)
    assert slow.batches == [1, 1, 7]
    assert {value: float(answer[0, 0]) for value, answer in answers.items()} == {
        value: float(value) for value in range(9)
    }
