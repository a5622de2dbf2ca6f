"""Frames that wait between callback and encoder, against the library's own queue."""

from __future__ import annotations

import asyncio
from collections import deque

from fer_core.live_newest import NewestOnly
from tests.unit.live_bench import frame


class Library:
    """What the streaming library does with the answers, frame by frame, without its threads."""

    def __init__(self, newest: NewestOnly) -> None:
        self.newest = newest
        self.out: deque = deque()
        self.coming: list = []
        self.shown: list[int] = []

    def camera(self, number: int) -> None:
        """A frame comes: it is put in, and one answer is taken out."""
        self.coming.append(frame(number))
        if self.out:
            answer = self.out.popleft()
            self.shown.append(answer.pts)
            answer.pts = number

    def work(self) -> None:
        """The callback's thread takes all that has come."""
        frames, self.coming = self.coming, []
        self.out.extend(asyncio.run(self.newest(frames)))


def test_in_step_every_frame_is_shown_one_later():
    library = Library(NewestOnly(lambda given: given))
    for number in range(20):
        library.camera(number)
        library.work()
    assert library.shown == list(range(19))


def test_after_a_stutter_the_delay_is_back_to_one_frame():
    library = Library(NewestOnly(lambda given: given))
    for number in range(5):
        library.camera(number)
        library.work()
    # Two answers come between two frames of the camera: one of them would wait for ever.
    library.coming.append(frame(5))
    library.work()
    for number in range(6, 20):
        library.camera(number)
        library.work()
    assert len(library.out) == 1
    assert library.shown[-1] == 18


def test_a_library_that_tells_nothing_still_shows_every_second_frame():
    newest = NewestOnly(lambda given: given)
    answers = [asyncio.run(newest([frame(number)])) for number in range(20)]
    assert sum(map(len, answers)) >= 10
