"""Under TensorFlow an epoch ends when its last batch does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from train.feed import Feed
from train.fit import fit
from train.keras_input import keras_input

from .made import made_dataset
from .tiny import QUICK

pytestmark = [
    pytest.mark.usefixtures("tiny"),
    pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="`tf.data` is TensorFlow's"),
]


@pytest.mark.parametrize("outputs", [(), ("one", "other")])
@pytest.mark.parametrize("balance", ["off", "weights"])
def test_it_holds_the_same_batches(tmp_path: Path, outputs: tuple[str, ...], balance: str) -> None:
    training = made_dataset().split("Training")
    options = replace(QUICK, class_balance=balance)
    batches = Feed(training, options, tmp_path, training).batches(1, outputs)
    data = keras_input(batches)
    assert data.cardinality() == len(batches) == 3
    for index, drawn in enumerate(data):
        expected = batches[index]
        assert len(drawn) == len(expected) == (2 if balance == "off" else 3)
        keras.tree.assert_same_structure(drawn, expected)
        for one, other in zip(keras.tree.flatten(drawn), keras.tree.flatten(expected), strict=True):
            np.testing.assert_array_equal(one, other)


def test_a_run_trains_on_what_tunes_nothing(tmp_path: Path, monkeypatch) -> None:
    """What tunes itself has a thread that sleeps up to a minute, and an epoch waits for it."""
    given: list[Any] = []
    fitted = keras.Model.fit

    def seen(self: keras.Model, x: Any, **named: Any) -> Any:
        given.append(x)
        return fitted(self, x, **named)

    monkeypatch.setattr(keras.Model, "fit", seen)
    fit(made_dataset(), replace(QUICK, epochs=2), tmp_path)
    assert [x.options().autotune.enabled for x in given] == [False, False]


def test_what_several_threads_make_is_left_to_keras(tmp_path: Path) -> None:
    training = made_dataset().split("Training")
    batches = Feed(training, QUICK, tmp_path, training).batches(1, ())
    batches.workers = 8
    assert keras_input(batches) is batches
