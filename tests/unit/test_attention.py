"""Occlusion maps: networks whose eyes are known, the formula by hand, and the real one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_core.attention import look
from fer_core.classifier import Classifier
from fer_core.emotions import CLASSES
from fer_core.errors import FerError, OptionError, PictureError
from fer_core.runtimes import Crops, Probabilities
from tests.contract.fixed_crops import fixed_crops

HAPPY = CLASSES.index("happy")
EXACT = 1e-5


class Watches:
    """Is as sure of `happy` as a part of the crop is bright; everything else is `neutral`."""

    def __init__(self, rows: slice, columns: slice) -> None:
        self.part = (rows, columns)
        self.batches: list[int] = []

    def classify(self, crops: Crops) -> Probabilities:
        self.batches.append(len(crops))
        answers = np.zeros((len(crops), len(CLASSES)), np.float32)
        answers[:, HAPPY] = crops[:, self.part[0], self.part[1], 0].mean(axis=(1, 2)) / 255
        answers[:, -1] = 1 - answers[:, HAPPY]
        return answers


def bright_part(size: int, rows: slice, columns: slice) -> npt.NDArray[np.uint8]:
    crop = np.zeros((size, size, 1), np.uint8)
    crop[rows, columns] = 255
    return crop


@pytest.mark.parametrize("size", [48, 56])
@pytest.mark.parametrize("rows", [slice(0, 8), slice(20, 30), slice(-6, None)])
@pytest.mark.parametrize("columns", [slice(0, 8), slice(20, 30), slice(-6, None)])
def test_the_heat_lies_where_the_network_looks(size: int, rows: slice, columns: slice) -> None:
    network = Watches(rows, columns)
    seen = look(network, bright_part(size, rows, columns))
    assert (seen.target, seen.heat.shape) == ("happy", (size, size))
    hottest = np.unravel_index(seen.heat.argmax(), seen.heat.shape)
    for found, part in zip(hottest, (rows, columns), strict=True):
        first, last = range(size)[part][0], range(size)[part][-1]
        assert first - seen.stride < found <= last, "as exactly as the patch moves"
    middle = seen.heat[rows, columns].mean()
    outside = (seen.heat.sum() - seen.heat[rows, columns].sum()) / (size * size)
    assert middle > 2 * outside


def test_all_places_go_in_one_batch() -> None:
    network = Watches(slice(0, 8), slice(0, 8))
    seen = look(network, bright_part(48, slice(0, 8), slice(0, 8)))
    assert network.batches == [122]
    assert (seen.patch, seen.stride, seen.drops.shape) == (24, 6, (11, 11))


def test_the_formula_by_hand() -> None:
    """Four pixels, a patch of two that moves by one: nine places, each pixel under four."""
    crop = np.array([[255, 0], [0, 0]], np.uint8)
    seen = look(Watches(slice(0, 1), slice(0, 1)), crop, "happy", patch=2, stride=1)
    fill = 64  # 63.75
    lost = 1 - fill / 255
    assert (seen.fill, seen.probability) == (fill, 1.0)
    np.testing.assert_allclose(seen.drops, [[lost, lost, 0], [lost, lost, 0], [0, 0, 0]], atol=1e-6)
    np.testing.assert_allclose(seen.heat, [[lost, lost / 2], [lost / 2, lost / 4]], atol=1e-6)
    assert seen.largest_drop == pytest.approx(lost)


def test_what_speaks_against_a_class_is_negative() -> None:
    rows = columns = slice(10, 20)
    seen = look(Watches(rows, columns), bright_part(48, rows, columns), "neutral")
    assert seen.heat[rows, columns].max() < 0
    assert seen.largest_drop == 0


@given(st.integers(1, 20), st.data())
def test_every_pixel_counts_for_any_sizes(size: int, data: st.DataObject) -> None:
    patch = data.draw(st.integers(1, size))
    stride = data.draw(st.integers(1, patch))
    crop = np.full((size, size), 200, np.uint8)
    seen = look(Watches(slice(None), slice(None)), crop, patch=patch, stride=stride)
    assert seen.heat.shape == (size, size)
    np.testing.assert_allclose(seen.heat, 0, atol=EXACT)  # grey over grey takes nothing


def test_the_crop_is_left_as_it_was() -> None:
    crop = bright_part(48, slice(0, 8), slice(0, 8))
    before = crop.copy()
    look(Watches(slice(0, 8), slice(0, 8)), crop)
    np.testing.assert_array_equal(crop, before)


@pytest.mark.parametrize(
    ("crop", "options", "error", "words"),
    [
        (np.zeros((48, 47), np.uint8), {}, PictureError, r"\(48, 47\)"),
        (np.zeros((48, 48, 3), np.uint8), {}, PictureError, r"\(48, 48, 3\)"),
        (np.zeros((0, 0), np.uint8), {}, PictureError, r"\(0, 0\)"),
        (np.zeros((48, 48)), {}, PictureError, "float64"),
        (np.zeros((48, 48), np.uint8), {"target": "smug"}, OptionError, "'smug'"),
        (np.zeros((48, 48), np.uint8), {"patch": 49}, OptionError, "1 to 48"),
        (np.zeros((48, 48), np.uint8), {"patch": 0}, OptionError, "1 to 48"),
        (np.zeros((48, 48), np.uint8), {"stride": 25}, OptionError, "1 to 24"),
        (np.zeros((48, 48), np.uint8), {"stride": 0}, OptionError, "1 to 24"),
    ],
)
def test_what_does_not_fit_is_said(
    crop: np.ndarray, options: dict, error: type[FerError], words: str
) -> None:
    with pytest.raises(error, match=words):
        look(Watches(slice(None), slice(None)), crop, **options)


def test_the_shipped_network_looks_at_the_mouth_of_a_smile(model_folder: Path) -> None:
    """Eileen Collins smiles; her mouth lies in the lower half of the crop."""
    face = fixed_crops()["face"]
    with Classifier(model_folder) as classifier:
        seen = look(classifier, face)
        alone = classifier.classify(face[None, :, :, None])[0]
        again = look(classifier, face)
    assert seen.target == CLASSES[int(alone.argmax())] == "happy"
    assert seen.probability == pytest.approx(float(alone.max()), abs=EXACT)
    assert seen.heat[24:].max() > 1.5 * seen.heat[:24].max()
    assert 0.02 < seen.largest_drop <= 1
    np.testing.assert_allclose(seen.heat, again.heat, atol=EXACT)
