"""Things to do after a while, all of them in one thread: a timer each would be a thread each."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable

_log = logging.getLogger(__name__)


class Later:
    """One thing to do, once, unless it is cancelled before."""

    _all: list[Later] = []  # noqa: RUF012  (shared on purpose)
    _changed = threading.Condition()
    _thread: threading.Thread | None = None

    def __init__(self, seconds: float, call: Callable[[], object]) -> None:
        """Begin to wait.

        Args:
            seconds: from now on.
            call: what is done then; quick, as others wait for the same thread.
        """
        self._due = time.monotonic() + seconds
        self._call = call
        with Later._changed:
            Later._all.append(self)
            if Later._thread is None:
                Later._thread = threading.Thread(target=Later._work, name="fer-later", daemon=True)
                Later._thread.start()
            Later._changed.notify()

    def cancel(self) -> None:
        """Do it never; too late when it has been done."""
        with Later._changed, contextlib.suppress(ValueError):
            Later._all.remove(self)
            Later._changed.notify()

    @property
    def waiting(self) -> bool:
        """Whether it is still to be done."""
        with Later._changed:
            return self in Later._all

    @staticmethod
    def _work() -> None:
        while True:
            with Later._changed:
                if not Later._all:
                    Later._thread = None
                    return
                first = min(Later._all, key=lambda each: each._due)
                left = first._due - time.monotonic()
                if left > 0:
                    Later._changed.wait(left)
                    continue
                Later._all.remove(first)
            try:
                first._call()
            except Exception:
                _log.exception("Something that was put off failed")
