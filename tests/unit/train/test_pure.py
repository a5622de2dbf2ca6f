"""Rates, options, augmentation, figures: all that needs no network."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fer_core.emotions import CLASSES
from fer_core.errors import OptionError
from train.augmentation import AugmentationOptions, augment
from train.metrics import (
    calibration_error,
    class_figures,
    confusion_matrix,
    fit_temperature,
    measure,
    shown_above,
    threshold_for,
    wilson_interval,
    with_temperature,
)
from train.options import TrainOptions
from train.rates import rate_at

STILL = AugmentationOptions(0, 0, 0, 0, 0, 0, 0, (0.0, 0.0), 0)


def faces(count: int = 8, size: int = 48) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, size, size)).astype(np.uint8)


@pytest.mark.parametrize("size", [48, 56])
def test_nothing_chosen_changes_nothing(size):
    crops = faces(size=size)
    out = augment(crops, STILL, np.random.default_rng(1))
    assert out.shape == (8, size, size, 1)
    assert out.dtype == np.float32
    np.testing.assert_allclose(out[..., 0], crops, atol=1e-3)


def test_a_flip_is_left_to_right():
    crops = faces()
    out = augment(crops, replace(STILL, flip=1.0), np.random.default_rng(1))
    np.testing.assert_allclose(out[..., 0], crops[:, :, ::-1], atol=1e-3)


@pytest.mark.parametrize(
    "change",
    [
        {"rotation": 20.0},
        {"shift": 0.2},
        {"zoom": 0.3},
        {"contrast": 0.5},
        {"brightness": 0.5},
        {"erasing": 1.0, "erasing_area": (0.1, 0.3)},
        {"degrade": 1.0},
        {"crop": 0.4},
    ],
)
def test_every_change_changes_and_stays_in_range(change):
    crops = faces(32)
    out = augment(crops, replace(STILL, **change), np.random.default_rng(1))
    assert (np.abs(out[..., 0] - crops).max(axis=(1, 2)) > 1).mean() > 0.9
    assert out.min() >= 0
    assert out.max() <= 255


def test_a_random_crop_is_a_window_of_the_picture():
    """On slopes of grey, a crop's corners tell which window it is of."""
    across, down = np.meshgrid(np.arange(48), np.arange(48))
    for slope, axis in ((across, 2), (down, 1)):
        crops = np.repeat((slope * 5).astype(np.uint8)[None], 200, axis=0)
        out = augment(crops, replace(STILL, crop=0.5), np.random.default_rng(1))[..., 0]
        first, last = (out.take(end, axis=axis).mean(axis=1) / 5 for end in (0, -1))
        sides = (last - first) * 48 / 47
        assert first.min() > -0.5, "never from outside"
        assert last.max() < 47.5
        assert 23.5 < sides.min() < 27
        assert 45 < sides.max() < 48.5
        assert sides.std() > 4
        assert first.std() > 3, "anywhere"


def test_without_a_random_crop_a_batch_is_what_it_was_before_there_was_one():
    options = AugmentationOptions()
    plain, cropped = (
        augment(faces(), replace(options, crop=crop), np.random.default_rng(3))
        for crop in (0.0, 1e-9)
    )
    drawn = np.random.default_rng(3)
    again = augment(faces(), options, drawn)
    np.testing.assert_array_equal(plain, again)
    assert (plain != cropped).any(), "the crop draws its own numbers, hence only when asked for"


def test_the_same_seed_gives_the_same_batch():
    options = AugmentationOptions(degrade=0.5)
    one = augment(faces(), options, np.random.default_rng([1, 2, 3]))
    two = augment(faces(), options, np.random.default_rng([1, 2, 3]))
    other = augment(faces(), options, np.random.default_rng([1, 2, 4]))
    np.testing.assert_array_equal(one, two)
    assert (one != other).any()


def test_erasing_covers_the_share_that_was_asked_for():
    options = replace(STILL, erasing=1.0, erasing_area=(0.25, 0.25))
    crops = np.full((64, 48, 48), 7, np.uint8)
    out = augment(crops, options, np.random.default_rng(1))
    assert (np.abs(out - 7) > 0.5).mean() == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"optimiser": "adamx"}, "Unknown optimiser"),
        ({"schedule": "steps"}, "Unknown schedule"),
        ({"precision": "half"}, "Unknown precision"),
        ({"epochs": 0}, "epochs must be at least 1"),
        ({"learning_rate": 0}, "learning_rate must be above 0"),
        ({"dropout": 1.0}, "dropout must be from 0"),
        ({"label_smoothing": 0.6, "vote_smoothing": 0.5}, "must sum to less than 1"),
        ({"weight_decay": -1}, "weight_decay must not be negative"),
        ({"colour": 1}, "Unknown option: colour"),
        ({"colour": 1}, "Known: answers, architecture, augment_on"),
        ({"epochz": 1}, r"Unknown option: epochz\. Did you mean epochs\?"),
        ({"augmentation": {"flop": 1}}, "Unknown option: flop"),
        ({"augmentation": {"flip": 2}}, "flip must be from 0 to 1"),
        ({"augmentation": {"rotation": 190}}, "rotation must be at most 180"),
        ({"augmentation": {"crop": 0.6}}, "crop must be at most 0.5"),
        ({"augmentation": {"erasing_area": [0.1]}}, "erasing_area must be"),
        ({"augmentation": 3}, "augmentation must be an object"),
        ({"epochs": "ten"}, "epochs must be a whole number. Received: 'ten'"),
        ({"epochs": 2.5}, "epochs must be a whole number"),
        ({"epochs": True}, "epochs must be a whole number"),
        ({"drop_not_a_face": "no"}, "drop_not_a_face must be true or false"),
        ({"learning_rate": "fast"}, "learning_rate must be a number"),
        ({"learning_rate": float("nan")}, "learning_rate must be above 0. Received: nan"),
        ({"clip_norm": float("inf")}, "clip_norm must not be negative. Received: inf"),
        ({"classes": "happy"}, "classes must be a list"),
        ({"classes": [1, 2]}, "classes must be a list"),
        ({"architecture": None}, "architecture must be a word"),
        ({"augmentation": {"erasing_area": [0.5, 0.1]}}, "erasing_area must be"),
    ],
)
def test_bad_options_are_one_sentence(values, sentence):
    with pytest.raises(OptionError, match=sentence):
        TrainOptions.from_dict(values)


def test_options_survive_a_file(tmp_path):
    options = TrainOptions(epochs=3, augmentation=AugmentationOptions(flip=0.1))
    file = tmp_path / "options.json"
    file.write_text(json.dumps(options.to_dict()))
    assert TrainOptions.from_file(file) == options
    file.write_text("[]")
    with pytest.raises(OptionError, match="must be a JSON object"):
        TrainOptions.from_file(file)
    with pytest.raises(OptionError, match="cannot be read"):
        TrainOptions.from_file(tmp_path / "none.json")


def test_the_rate_climbs_and_falls():
    options = TrainOptions(epochs=10, warmup_epochs=2, learning_rate=0.1)
    rates = [rate_at(options, step / 10) for step in range(100)]
    assert rates[0] == pytest.approx(0.005)
    assert max(rates) == pytest.approx(0.1)
    assert rates.index(max(rates)) == 20
    assert rates[-1] < 0.002
    assert rate_at(options, 5, 0.5) == pytest.approx(rate_at(options, 5) / 2)
    assert rate_at(replace(options, schedule="constant"), 9.9) == pytest.approx(0.1)


TRUTH = np.array([0, 0, 1, 1, 2])
GUESS = np.array([0, 1, 1, 1, 0])


def test_confusion_has_the_truth_in_rows():
    np.testing.assert_array_equal(
        confusion_matrix(TRUTH, GUESS, 3), [[1, 1, 0], [0, 2, 0], [1, 0, 0]]
    )


def test_class_figures():
    figures = class_figures(confusion_matrix(TRUTH, GUESS, 3), ("a", "b", "c"))
    assert figures["a"] == {
        "precision": 0.5,
        "recall": 0.5,
        "f1": 0.5,
        "support": 2,
        "true_positive_rate": 0.5,
        "false_positive_rate": pytest.approx(1 / 3),
    }
    assert figures["b"]["precision"] == pytest.approx(2 / 3)
    assert figures["b"]["recall"] == 1.0
    assert figures["c"] == dict.fromkeys(figures["a"], 0.0) | {"support": 1}


@pytest.mark.parametrize(
    ("correct", "count", "low", "high"),
    [(50, 100, 0.4038, 0.5962), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (0, 0, 0.0, 1.0)],
)
def test_wilson_interval(correct, count, low, high):
    assert wilson_interval(correct, count) == pytest.approx((low, high), abs=1e-3)


def noisy(count: int, temperature: float) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities whose truth is drawn from them, then made too sure or too unsure."""
    random = np.random.default_rng(0)
    honest = random.dirichlet(np.full(len(CLASSES), 0.7), count)
    labels = np.array([random.choice(len(CLASSES), p=row) for row in honest])
    return with_temperature(honest, 1 / temperature).astype(np.float32), labels


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_temperature_is_found_again(temperature):
    probabilities, labels = noisy(8000, temperature)
    found = fit_temperature(probabilities, labels)
    assert found == pytest.approx(temperature, rel=0.1)
    after = calibration_error(with_temperature(probabilities, found), labels)
    assert after < 0.02
    if temperature != 1.0:
        assert after < calibration_error(probabilities, labels)


@given(arrays(np.float32, (5, 7), elements=st.floats(0.0, 1.0, width=32)), st.floats(0.2, 5.0))
def test_temperature_keeps_the_order_and_the_sum(weights, temperature):
    weights = weights + np.float32(1e-3)
    probabilities = weights / weights.sum(axis=1, keepdims=True)
    scaled = with_temperature(probabilities, temperature)
    np.testing.assert_allclose(scaled.sum(axis=1), 1, atol=1e-6)
    best = probabilities.argmax(axis=1)
    np.testing.assert_allclose(scaled[np.arange(5), best], scaled.max(axis=1))


def test_the_threshold_gives_the_accuracy():
    probabilities, labels = noisy(4000, 1.0)
    threshold = threshold_for(probabilities, labels, 0.85)
    shown = shown_above(probabilities, labels, threshold)
    below = shown_above(probabilities, labels, threshold - 0.01)
    assert shown["accuracy_shown"] >= 0.85 > below["accuracy_shown"]
    assert 0 < shown["share_shown"] < 1


def test_measure_gives_the_figures_that_a_hand_does():
    """Right at once, at once, at the second try, at the third, and at the second again."""
    probabilities = np.array(
        [[0.7, 0.2, 0.1], [0.1, 0.7, 0.2], [0.3, 0.5, 0.2], [0.5, 0.4, 0.1], [0.0, 0.9, 0.1]]
    )
    figures = measure(probabilities, np.array([0, 1, 0, 2, 2]), ("a", "b", "c"))
    assert figures["accuracy"] == 0.4
    assert figures["top2_accuracy"] == 0.8
    # a: 1 of 2 named so, 1 of 2 found; b: 1 of 3 named so, 1 of 1 found; c: none.
    assert figures["macro_f1"] == pytest.approx((1 / 2 + 2 * (1 / 3) / (4 / 3) + 0) / 3)
    # Sure by 0.7 twice and right, by 0.5 twice and by 0.9 once and wrong.
    assert figures["expected_calibration_error"] == pytest.approx((2 * 0.3 + 2 * 0.5 + 0.9) / 5)
    own = np.array([0.7, 0.7, 0.3, 0.1, 0.1])
    assert figures["loss"] == pytest.approx(-np.log(own).mean())


def test_measure_is_json_and_complete():
    probabilities, labels = noisy(500, 1.0)
    figures = json.loads(json.dumps(measure(probabilities, labels, CLASSES)))
    assert figures["images"] == 500
    low, high = figures["accuracy_interval"]
    assert low < figures["accuracy"] < high
    assert figures["accuracy"] <= figures["top2_accuracy"] <= 1
    assert np.sum(figures["confusion_matrix"]) == 500
    assert set(figures["per_class"]) == set(CLASSES)
