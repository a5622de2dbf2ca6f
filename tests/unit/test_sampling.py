"""Every n-th frame is analysed, and those between hold the answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fer_core.errors import OptionError
from fer_core.sampling import EveryNth
from tests.clips import FakeAnalyzer

FRAME = np.zeros((48, 64, 3), np.uint8)


@pytest.mark.parametrize(
    ("every", "analysed"), [(1, [0, 1, 2, 3, 4, 5, 6]), (3, [0, 3, 6]), (100, [0])]
)
def test_which_frames_are_analysed(every: int, analysed: list[int]) -> None:
    fake, told = FakeAnalyzer(), []
    sampled = EveryNth(fake, every, lambda index, _, result: told.append((index, result.pts)))
    results = [sampled.track(FRAME, index / 10) for index in range(7)]
    assert fake.times == [index / 10 for index in analysed]
    assert told == [(index, index / 10) for index in analysed]
    assert [result.pts for result in results] == [index / 10 for index in range(7)]
    assert all(len(result.faces) == 1 for result in results)


def test_another_clip_begins_with_an_analysed_frame() -> None:
    fake = FakeAnalyzer()
    sampled = EveryNth(fake, 2)
    for pts in (0.0, 0.1, 0.2):
        sampled.track(FRAME, pts)
    sampled.reset()
    sampled.track(FRAME, 0.0)
    assert sampled.fresh
    assert (fake.times, fake.resets) == ([0.0, 0.2, 0.0], 1)


@pytest.mark.parametrize("every", [0, -1, 1.5, True, "2"])
def test_a_step_that_is_none(every: Any) -> None:
    with pytest.raises(OptionError, match=r"at least 1\. Received: "):
        EveryNth(FakeAnalyzer(), every)


def test_a_frame_that_fails_is_not_held(tmp_path: Path) -> None:
    class Fails(FakeAnalyzer):
        def track(self, picture: Any, pts: float) -> Any:
            raise RuntimeError("no")

    sampled = EveryNth(Fails(), 5)
    for _ in range(2):
        with pytest.raises(RuntimeError):
            sampled.track(FRAME, 0.0)
