"""What is put off: in order, once, in one thread, and not when it was cancelled."""

from __future__ import annotations

import threading
import time

from ui.later import Later


def names() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "fer-later"]


def test_all_of_it_waits_in_one_thread_that_ends(caplog):
    done: list[str] = []
    Later(0.3, lambda: done.append("later"))
    Later(0.1, lambda: done.append("sooner"))
    Later(0.2, lambda: 1 // 0)
    never = Later(0.2, lambda: done.append("never"))
    assert names() == ["fer-later"]
    assert never.waiting
    never.cancel()
    never.cancel()
    assert not never.waiting
    deadline = time.monotonic() + 20
    while (len(done) < 2 or names()) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert done == ["sooner", "later"]
    assert names() == []
    assert "put off failed" in caplog.text
    Later(0.0, lambda: done.append("again"))
    while len(done) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert done[-1] == "again"
