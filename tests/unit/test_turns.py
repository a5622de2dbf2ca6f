"""A crowd takes turns, and nobody waits longer than the others."""

from __future__ import annotations

import numpy as np
import pytest

from fer_core.analyzer import AnalyzerOptions
from fer_core.live_analyzer import FACES_PER_FRAME, live_options
from fer_core.live_settings import LiveSettings
from fer_core.turns import Turns


def row(value: float) -> np.ndarray:
    return np.full(7, value, np.float32)


def step(turns: Turns, tracks: list[int], value: float) -> tuple[list[int], list[float]]:
    """The tracks that were read in this frame, and what each face has now."""
    chosen = turns.choose(tracks)
    rows = turns.fill(tracks, chosen, [row(value)] * len(chosen))
    return [tracks[place] for place in chosen], [float(one[0]) for one in rows]


@pytest.mark.parametrize(
    ("most", "tracks", "expected"),
    [
        (None, [1, 2, 3], [[1, 2, 3]] * 3),
        (3, [1, 2, 3], [[1, 2, 3]] * 3),
        (2, [1, 2, 3], [[1, 2, 3], [1, 2], [3, 1], [2, 3], [1, 2]]),
        (2, [1, 2, 3, 4], [[1, 2, 3, 4], [1, 2], [3, 4], [1, 2]]),
        (1, [7, 5, 6], [[7, 5, 6], [7], [5], [6], [7]]),
        (4, [], [[], []]),
    ],
)
def test_who_has_waited_longest_is_read(most, tracks, expected) -> None:
    turns = Turns(most)
    assert [step(turns, tracks, 0)[0] for _ in expected] == expected


def test_new_faces_are_always_read_and_the_others_keep_what_they_had() -> None:
    turns = Turns(2)
    assert step(turns, [1, 2, 3], 0.1) == ([1, 2, 3], pytest.approx([0.1, 0.1, 0.1]))
    read, values = step(turns, [1, 2, 3, 4, 5, 6], 0.2)
    assert read == [4, 5, 6]
    assert values == pytest.approx([0.1, 0.1, 0.1, 0.2, 0.2, 0.2])
    read, values = step(turns, [6, 1, 2, 3, 4, 5], 0.3)
    assert read == [1, 2], "found by their number, whatever their place"
    assert values == pytest.approx([0.2, 0.3, 0.3, 0.1, 0.2, 0.2])


@pytest.mark.parametrize("how", ["keep", "reset"])
def test_who_was_forgotten_is_new(how) -> None:
    turns = Turns(1)
    step(turns, [1, 2], 0.1)
    if how == "keep":
        turns.keep({1})
        assert step(turns, [1, 2], 0.2)[0] == [2]
    else:
        turns.reset()
        assert step(turns, [1, 2], 0.2)[0] == [1, 2]


def test_the_cameras_page_lets_a_crowd_take_turns() -> None:
    settings = LiveSettings(detector="haar", model="tiny48")
    options = live_options(settings)
    assert (options.detector, options.model) == ("haar", "tiny48")
    assert options.faces_per_frame == FACES_PER_FRAME
    assert AnalyzerOptions().faces_per_frame is None, "clips are read whole"
