"""Pairings: by table, and against SciPy's on random gains."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_core.assignment import best_pairs


@pytest.mark.parametrize(
    ("gains", "pairs"),
    [
        ([], []),
        ([[], []], []),
        ([[0.5]], [(0, 0)]),
        ([[0.0]], []),
        ([[-1.0, -2.0]], []),
        # The greedy choice (0, 0) would leave 1 with nothing.
        ([[1.0, 0.9], [0.8, 0.0]], [(0, 1), (1, 0)]),
        ([[0.2, 0.9, 0.3]], [(0, 1)]),
        ([[0.2], [0.9], [0.3]], [(1, 0)]),
        # One good pair is worth more than two bad ones.
        ([[1.0, 0.1], [0.1, 0.0]], [(0, 0)]),
    ],
)
def test_pairs(gains: list[list[float]], pairs: list[tuple[int, int]]) -> None:
    assert best_pairs(gains) == pairs


@given(
    rows=st.integers(1, 7),
    columns=st.integers(1, 7),
    seed=st.integers(0, 2**31),
    empty=st.floats(0, 0.9),
)
def test_total_gain_is_scipys(rows: int, columns: int, seed: int, empty: float) -> None:
    optimize = pytest.importorskip("scipy.optimize")
    source = np.random.default_rng(seed)
    gains = source.random((rows, columns)) * (source.random((rows, columns)) > empty)
    pairs = best_pairs(gains.tolist())
    assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs)
    assert all(gains[pair] > 0 for pair in pairs)
    best = gains[optimize.linear_sum_assignment(gains, maximize=True)].sum()
    assert sum(gains[pair] for pair in pairs) == pytest.approx(best)
