"""How any number of crops is served by a few batch sizes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_core.errors import PictureError
from fer_core.runtimes.batches import check_crops, next_power_of_two, pad_crops, split_exactly


@pytest.mark.parametrize(
    ("count", "parts"),
    [(0, []), (1, [1]), (3, [1] * 3), (5, [4, 1]), (16, [16]), (39, [16, 16, 4, 1, 1, 1])],
)
def test_split(count: int, parts: list[int]) -> None:
    assert split_exactly(count, (16, 4, 1)) == parts


@given(st.integers(0, 500))
def test_parts_add_up(count: int) -> None:
    assert sum(split_exactly(count, (16, 4, 1))) == count


@pytest.mark.parametrize(("count", "power"), [(0, 1), (1, 1), (2, 2), (3, 4), (8, 8), (17, 32)])
def test_powers_of_two(count: int, power: int) -> None:
    assert next_power_of_two(count) == power


def test_padding() -> None:
    crops = np.full((3, 4, 4, 1), 9, np.uint8)
    padded = pad_crops(crops, 4)
    assert padded.shape == (4, 4, 4, 1)
    assert (padded[:3] == 9).all()
    assert (padded[3] == 0).all()
    assert pad_crops(crops, 3) is crops


@pytest.mark.parametrize(
    "crops",
    [
        np.zeros((1, 48, 48), np.uint8),
        np.zeros((1, 48, 48, 3), np.uint8),
        np.zeros((1, 56, 56, 1), np.uint8),
        np.zeros((1, 48, 48, 1), np.float32),
    ],
)
def test_other_crops_are_refused(crops: np.ndarray) -> None:
    with pytest.raises(PictureError, match=r"uint8 \(N, 48, 48, 1\)\. Received: "):
        check_crops(crops, 48)
