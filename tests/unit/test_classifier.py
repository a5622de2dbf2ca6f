"""Temperature scaling, and a classifier around a runtime of our own making."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_core import classifier as classifier_module
from fer_core.classifier import Classifier, calibrate
from fer_core.errors import ModelError
from fer_core.model_store import ModelCard, write_card

SHARES = np.array([[0.1, 0.05, 0.15, 0.4, 0.1, 0.05, 0.15]], np.float32)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 1.7, 4.0])
def test_scaling_probabilities_is_scaling_logits(temperature: float) -> None:
    logits = np.random.default_rng(0).normal(0, 4, (5, 7))
    scaled = np.exp(logits / temperature)
    expected = scaled / scaled.sum(axis=1, keepdims=True)
    plain = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    given_back = calibrate(plain.astype(np.float32), temperature)
    np.testing.assert_allclose(given_back, expected, atol=1e-5)


def test_above_one_it_flattens_and_under_one_it_sharpens() -> None:
    assert calibrate(SHARES, 2.0).max() < SHARES.max() < calibrate(SHARES, 0.5).max()
    np.testing.assert_allclose(calibrate(SHARES, 1.0), SHARES, atol=1e-7)


def test_a_certain_row_stays_certain() -> None:
    certain = np.eye(7, dtype=np.float32)[:3]
    np.testing.assert_array_equal(calibrate(certain, 3.0), certain)


def test_no_rows_give_no_rows() -> None:
    assert calibrate(np.zeros((0, 7), np.float32), 1.5).shape == (0, 7)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -0.1])
def test_what_is_no_probability_is_refused(bad: float) -> None:
    row = SHARES.copy()
    row[0, 3] = bad
    with pytest.raises(ModelError, match="not probabilities"):
        calibrate(row, 1.0)
    with pytest.raises(ModelError, match="not probabilities"):
        calibrate(np.zeros((1, 7), np.float32), 1.0)


@given(
    st.lists(st.floats(0, 1, width=32), min_size=7, max_size=7).filter(lambda v: max(v) > 1e-3),
    st.floats(0.05, 20),
)
def test_rows_sum_to_one_and_keep_their_order(values: list[float], temperature: float) -> None:
    row = np.array([values], np.float32)
    row /= row.sum()
    given_back = calibrate(row, temperature)
    assert given_back.dtype == np.float32
    assert given_back.sum() == pytest.approx(1.0, abs=1e-5)
    assert given_back[0, row[0].argmax()] == given_back.max()


class FixedRuntime:
    name, device = "fixed", "nowhere"

    def __init__(self) -> None:
        self.closed = 0

    def run(self, crops: np.ndarray) -> np.ndarray:
        return np.repeat(SHARES, len(crops), axis=0)

    def close(self) -> None:
        self.closed += 1


def test_the_cards_temperature_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_card(ModelCard("warm", "none", 48, temperature=2.0), tmp_path)
    runtime, asked = FixedRuntime(), []

    def create(*arguments: object) -> FixedRuntime:
        asked.append(arguments)
        return runtime

    monkeypatch.setattr(classifier_module, "create_runtime", create)
    with Classifier(tmp_path, "litert", threads=3) as classifier:
        assert asked == [("litert", tmp_path, 3)]
        shares = classifier.classify(np.zeros((2, 48, 48, 1), np.uint8))
        np.testing.assert_allclose(shares, np.repeat(calibrate(SHARES, 2.0), 2, axis=0))
        assert classifier.classify(np.zeros((0, 48, 48, 1), np.uint8)).shape == (0, 7)
    assert runtime.closed == 1


def test_a_folder_without_a_card_is_said(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"has no card\.json"):
        Classifier(tmp_path)
