"""When memory is given back: once things have settled, and again for what ended meanwhile."""

from __future__ import annotations

import queue
import threading
import time

import pytest

from ui import freed_memory
from ui.freed_memory import FreedMemory


@pytest.fixture
def returned(monkeypatch: pytest.MonkeyPatch) -> queue.Queue[str]:
    """Has the name of a thread for each time that it gave memory back."""
    times: queue.Queue[str] = queue.Queue()
    monkeypatch.setattr(
        freed_memory, "return_freed_memory", lambda: times.put(threading.current_thread().name)
    )
    return times


def test_what_ends_together_is_returned_at_most_twice_and_by_a_thread_of_its_own(returned):
    memory = FreedMemory(settle=0.3)
    for _ in range(50):
        memory.return_soon()
    assert returned.get(timeout=10) == "freed-memory"
    time.sleep(1)
    assert returned.qsize() <= 1


def test_what_ends_meanwhile_is_returned_too(returned):
    memory = FreedMemory(settle=0.3)
    memory.return_soon()
    while memory._asked.is_set():  # until it waits for that to settle
        time.sleep(0.01)
    memory.return_soon()
    assert [returned.get(timeout=10) for _ in range(2)] == ["freed-memory"] * 2
