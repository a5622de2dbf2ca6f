"""Tracks: people who stand, walk, pass each other, hide and come back."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_core.errors import OptionError
from fer_core.results import Box
from fer_core.tracking import Tracker, TrackerOptions

FRAME = 1 / 15


def square(x: float, y: float, side: float = 100.0) -> Box:
    """A box around (x, y)."""
    return Box(x - side / 2, y - side / 2, x + side / 2, y + side / 2)


def follow(
    paths: dict[str, Callable[[float], Box | None]], seconds: float, step: float = FRAME
) -> dict[str, list[int]]:
    """The numbers that each path gets, frame by frame; None is a hidden face."""
    tracker = Tracker()
    numbers: dict[str, list[int]] = {name: [] for name in paths}
    for index in range(int(seconds / step)):
        seen = {name: path(index * step) for name, path in paths.items()}
        # Detectors give the highest score first: the order says nothing.
        order = [name for name in paths if seen[name]][:: -1 if index % 3 else 1]
        boxes = [box for name in order if (box := seen[name])]
        for name, number in zip(order, tracker.update(boxes, index * step), strict=True):
            numbers[name].append(number)
    return numbers


def still(x: float, y: float) -> Callable[[float], Box | None]:
    return lambda t: square(x, y)


def walk(x: float, y: float, across: float, down: float = 0.0) -> Callable[[float], Box | None]:
    return lambda t: square(x + across * t, y + down * t)


def hidden(
    path: Callable[[float], Box | None], start: float, stop: float
) -> Callable[[float], Box | None]:
    return lambda t: None if start <= t < stop else path(t)


def jitter(path: Callable[[float], Box | None], size: float) -> Callable[[float], Box | None]:
    def shaken(t: float) -> Box | None:
        box = path(t)
        if box is None:
            return None
        x, y = box.centre
        return square(x + size * math.sin(91 * t), y + size * math.cos(77 * t), box.width)

    return shaken


KEPT = {
    "one still": {"a": still(200, 200)},
    "one shaken": {"a": jitter(still(200, 200), 6)},
    "a walker": {"a": walk(50, 200, 250)},
    "a runner": {"a": walk(50, 200, 900)},
    "a jump of half a face": {"a": lambda t: square(200 if t < 1 else 250, 200)},
    "growing": {"a": lambda t: square(200, 200, 60 + 60 * t)},
    "three side by side": {"a": still(100, 200), "b": still(205, 200), "c": still(310, 200)},
    "hidden for 0.8 s": {"a": hidden(still(200, 200), 1.0, 1.8), "b": still(400, 200)},
    "a walker hidden for 0.5 s": {"a": hidden(walk(50, 200, 200), 1.0, 1.5)},
    "two pass, one in front of the other": {"a": walk(50, 200, 200), "b": walk(550, 230, -200)},
    "two pass at one height": {"a": jitter(walk(50, 200, 160), 3), "b": walk(450, 200, -160)},
    "two pass, the one behind is hidden": {
        "a": walk(50, 200, 200),
        "b": hidden(walk(550, 210, -200), 1.05, 1.5),
    },
    "one passes another who stands": {"a": walk(50, 200, 200), "b": still(300, 220)},
    "one goes in front of another, who is hidden": {
        "a": walk(50, 200, 250),
        "b": hidden(still(300, 220), 0.8, 1.25),
    },
}


@pytest.mark.parametrize("paths", KEPT.values(), ids=KEPT.keys())
def test_each_face_keeps_its_number(paths: dict[str, Callable[[float], Box | None]]) -> None:
    numbers = follow(paths, 2.4)
    assert all(len(set(given)) == 1 for given in numbers.values()), numbers
    assert sorted(given[0] for given in numbers.values()) == list(range(1, len(paths) + 1))


@pytest.mark.parametrize("rate", [5, 8, 15, 30, 60])
def test_a_walker_keeps_the_number_at_any_frame_rate(rate: int) -> None:
    numbers = follow({"a": walk(50, 200, 300), "b": still(400, 420)}, 2.0, 1 / rate)
    assert set(numbers["a"]) == {numbers["a"][0]}
    assert set(numbers["b"]) == {numbers["b"][0]}


NEW = {
    "hidden for too long": hidden(still(200, 200), 0.5, 1.8),
    "three faces further": lambda t: square(200 if t < 1 else 500, 200),
    "three times as large": lambda t: square(200, 200, 60 if t < 1 else 180),
}


@pytest.mark.parametrize("path", NEW.values(), ids=NEW.keys())
def test_another_face_gets_another_number(path: Callable[[float], Box | None]) -> None:
    assert sorted(set(follow({"a": path}, 2.4)["a"])) == [1, 2]


def test_numbers_are_never_reused() -> None:
    tracker = Tracker()
    seen: list[int] = []
    for index in range(5):
        seen += tracker.update([square(200, 200)], 10.0 * index)
    tracker.reset()
    seen += tracker.update([square(200, 200)], 0.0)
    # A time that goes back is another clip.
    seen += tracker.update([square(200, 200)], -5.0)
    assert seen == list(range(1, 8))


def test_the_same_time_twice_keeps_numbers() -> None:
    tracker = Tracker()
    assert tracker.update([square(200, 200)], 1.0) == tracker.update([square(203, 200)], 1.0)


def test_live_tracks_end_after_the_gap() -> None:
    tracker = Tracker(TrackerOptions(max_gap=0.5))
    tracker.update([square(200, 200)], 0.0)
    tracker.update([], 0.4)
    assert tracker.live_tracks() == {1}
    tracker.update([], 0.6)
    assert tracker.live_tracks() == set()


@pytest.mark.parametrize("pts", [math.nan, math.inf, -math.inf])
def test_a_time_must_be_finite(pts: float) -> None:
    with pytest.raises(OptionError, match=r"finite number\. Received"):
        Tracker().update([square(1, 1)], pts)


@pytest.mark.parametrize(
    "options",
    [{"max_gap": -1.0}, {"max_gap": math.nan}, {"max_distance": 0.0}, {"max_scale": 1.0}],
)
def test_options_are_checked(options: dict[str, float]) -> None:
    with pytest.raises(OptionError, match="Received"):
        TrackerOptions(**options)


boxes = st.builds(
    square, st.floats(-100, 800), st.floats(-100, 600), st.one_of(st.just(0.0), st.floats(1, 400))
)
frames = st.lists(
    st.tuples(st.floats(-0.5, 1.5), st.lists(boxes, max_size=8)), min_size=1, max_size=12
)


@given(frames)
def test_numbers_are_distinct_and_new_ones_rise(frames: list[tuple[float, list[Box]]]) -> None:
    tracker = Tracker()
    highest, pts = 0, 0.0
    for step, faces in frames:
        pts += step
        numbers = tracker.update(faces, pts)
        assert len(numbers) == len(faces) == len(set(numbers))
        fresh = sorted(number for number in numbers if number > highest)
        assert fresh == list(range(highest + 1, highest + 1 + len(fresh)))
        highest += len(fresh)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=5), st.randoms())
def test_the_order_of_detections_does_not_matter(shifts: list[float], random: object) -> None:
    centres = [(200.0 * index, 150.0) for index in range(len(shifts))]
    tracker = Tracker()
    first = tracker.update([square(x, y) for x, y in centres], 0.0)
    order = list(range(len(centres)))
    random.shuffle(order)  # type: ignore[attr-defined]
    moved = [square(centres[at][0] + 40 * shifts[at], centres[at][1]) for at in order]
    assert tracker.update(moved, FRAME) == [first[at] for at in order]
