"""What counts as left behind."""

from __future__ import annotations

from unittest.mock import Mock

import pytest

from tests.browser import rest
from tests.browser.rest import Held, Rest
from tests.browser.server import AppServer


def server(threads: int, descriptors: int, udp: int, memory_mb: float) -> Mock:
    made = Mock(spec=AppServer, url="")
    made.threads.return_value, made.descriptors.return_value = threads, descriptors
    made.sockets.return_value, made.memory_mb.return_value = udp, memory_mb
    return made


@pytest.mark.parametrize(
    ("now", "sessions", "kept"),
    [
        (Held(14, 14, 0, 359.0), 0, True),
        (Held(5, 5, 0, 200.0), 0, True),
        (Held(15, 10, 0, 300.0), 0, False),
        (Held(10, 15, 0, 300.0), 0, False),
        (Held(10, 15, 0, 300.0), 1, True),
        (Held(10, 10, 1, 300.0), 0, False),
        (Held(10, 10, 0, 361.0), 0, False),
    ],
)
def test_what_is_left_behind_is_told_from_what_comes_and_goes(monkeypatch, now, sessions, kept):
    monkeypatch.setattr(rest, "QUIET_SECONDS", 0.0)
    assert Rest(server(10, 10, 0, 300.0)).kept(now, sessions) is kept
