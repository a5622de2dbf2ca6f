"""What a worker says: arrays as they were, and nothing from whoever has taken hold of it."""

from __future__ import annotations

import io
import os
import pickle
import re
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

from fer_core.confined import Worker
from fer_core.confined.child import Tell
from fer_core.confined.messages import (
    ASIDE_FROM,
    HEAD,
    LARGEST_ANSWER,
    MOST_ASIDE,
    SIZE,
    Said,
    pack,
    receive,
)
from fer_core.errors import WorkerError
from tests.unit.test_confined import ROOM

HERE = "tests.unit.test_confined_messages"
PLAIN = pickle.dumps(("answer", 1), protocol=5)
BARE = pickle.dumps([1], protocol=5)


def received(content: bytes) -> Said:
    stream = io.BytesIO(content)

    def fill(room: memoryview) -> None:
        if stream.readinto(room) != len(room):
            raise EOFError

    return receive(fill, ())


@pytest.mark.parametrize("count", [0, 1, MOST_ASIDE, MOST_ASIDE + 3])
@pytest.mark.parametrize("side", [0, 10, ASIDE_FROM])
def test_arrays_come_as_they_were_and_may_be_written_to(count: int, side: int) -> None:
    sent = [np.arange(side, dtype=np.uint8) + number for number in range(count)]
    kind, came = received(b"".join(pack(("answer", (sent, "words", 7)))))
    assert (kind, came[1:]) == ("answer", ("words", 7))
    assert len(came[0]) == count
    for array, expected in zip(came[0], sent, strict=True):
        np.testing.assert_array_equal(array, expected)
        array[...] = 1


def test_pixels_are_not_copied_into_the_pickle() -> None:
    picture = np.zeros((480, 640, 3), np.uint8)
    words, pixels = pack(("answer", picture))
    assert len(words) < 1000
    assert np.shares_memory(np.frombuffer(pixels, np.uint8), picture)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (HEAD.pack(len(PLAIN), MOST_ASIDE + 1) + PLAIN, "17 arrays"),
        (HEAD.pack(LARGEST_ANSWER + 1, 0), f"{LARGEST_ANSWER + 1} bytes"),
        (HEAD.pack(2**64 - 1, 0), "bytes"),
        (HEAD.pack(len(PLAIN), 1) + SIZE.pack(2**63), "bytes"),
        (HEAD.pack(7, 0) + b"nothing", "something else"),
        (b"".join(pack(("answer", os.getpid))), "posix.getpid"),
        (HEAD.pack(len(BARE), 0) + BARE, "something else"),
    ],
)
def test_what_no_worker_of_ours_would_say_is_refused(content: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        received(content)


@pytest.mark.parametrize(
    ("how", "limits"), [("stall", {"silent_seconds": 0.5}), ("dribble", {"seconds": 1.0})]
)
def test_who_begins_to_speak_and_never_ends_is_not_waited_for(
    how: str, limits: dict[str, float]
) -> None:
    with Worker(replace(ROOM, **limits)) as worker:
        begin = time.monotonic()
        with pytest.raises(WorkerError, match="an answer that makes no sense"):
            worker.call(f"{HERE}:{how}")
        assert time.monotonic() - begin < 10
        assert not worker.alive


def stall(tell: Tell) -> None:
    os.write(_connection(), HEAD.pack(1000, 0) + b"half")
    time.sleep(600)


def dribble(tell: Tell) -> None:
    os.write(_connection(), HEAD.pack(1_000_000, 0))
    while True:
        os.write(_connection(), b"x")
        time.sleep(0.1)


def _connection() -> int:
    """The descriptor over which this worker answers."""
    found = re.search(r"main\((\d+)\)", sys.orig_argv[-1])
    assert found is not None
    return int(found[1])
