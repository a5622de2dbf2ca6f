"""Give memory back to the machine soon after something large has ended, and not while it runs."""

from __future__ import annotations

import threading
import time

from fer_core.allocator import return_freed_memory

SECONDS = 4.0
"""What ends lets go of its buffers, threads and connections within so long."""


class FreedMemory:
    """Returns freed memory once things have settled, in a thread that starts when first asked.

    Args:
        settle: seconds between being asked and acting; asked meanwhile, it acts once more after.
    """

    def __init__(self, settle: float = SECONDS) -> None:
        self._settle = settle
        self._asked = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def return_soon(self) -> None:
        """Something ended. From any thread; takes no time."""
        self._asked.set()
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="freed-memory", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        while self._asked.wait():
            self._asked.clear()
            time.sleep(self._settle)
            return_freed_memory()


_process = FreedMemory()


def return_memory_soon() -> None:
    """Of this process: a stream ended, or a page went or came, which lets one that went go."""
    _process.return_soon()
