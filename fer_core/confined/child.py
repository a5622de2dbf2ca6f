"""The inside of a worker: calls what it is asked to call, within its limits, until it is let go.

Started as `python -c "from fer_core.confined.child import main; main(FD)"`. Not by multiprocessing,
which would run the main script once more, and under Streamlit that is the page.
"""

from __future__ import annotations

import errno
import importlib
import os
import threading
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, cast

from fer_core.confined.limits import Limits, confine, renew_time
from fer_core.confined.messages import Kind, Request, pack
from fer_core.errors import FerError

__all__ = ["NO_MEMORY", "Tell", "main"]

ALIVE_EVERY = 1.0
"""Seconds between two signs of life."""

NO_MEMORY_IN_OPENCV = -4
"""`cv2.Error.StsNoMem`."""
NO_MEMORY = 99
"""What this process exits with when there is not even room to say so."""


class Tell:
    """Given to what is called: tells whoever waits that there is progress, or at least life."""

    def __init__(self, send: Callable[[Kind, Any], None]) -> None:
        self._send = send
        self._alive = time.monotonic()

    def progress(self, value: Any) -> None:
        """Say how far it is."""
        self._alive = time.monotonic()
        self._send("progress", value)

    def alive(self) -> None:
        """Say that it has not got stuck. May be called often and from any thread."""
        now = time.monotonic()
        if now - self._alive >= ALIVE_EVERY:
            self._alive = now
            self._send("alive", None)


def main(number: int) -> None:
    """Serve the connection with this file descriptor."""
    connection = Connection(number)
    lock = threading.Lock()

    def send(kind: Kind, value: Any) -> None:
        with lock:
            for piece in pack((kind, value)):
                left = memoryview(piece)
                while left:
                    left = left[os.write(number, left) :]

    try:
        limits = cast(Limits, connection.recv())
        confine(limits)
        send("ready", None)
        while True:
            request = cast(Request, connection.recv())
            renew_time(limits)
            answered = _leave_when_alone(connection)
            answer = _answer(request, Tell(send))
            answered.set()  # first: the next request may come at once
            send(*answer)
    except (EOFError, ConnectionError):
        code = 0  # nobody is there any more
    except BaseException as error:
        code = NO_MEMORY if _limit_behind(error) == "memory_mb" else 1
    # Threads of FFmpeg or of a network that got stuck do not keep it alive.
    os._exit(code)


def _leave_when_alone(connection: Connection) -> threading.Event:
    """End this process as soon as the other end is closed, also while it works."""
    answered = threading.Event()

    def watch() -> None:
        while not answered.wait(0.5):
            try:
                # Nothing is sent while something is worked on: what can be read is the end.
                if connection.poll():
                    if not answered.is_set():
                        os._exit(0)
                    return
            except OSError:
                os._exit(0)

    threading.Thread(target=watch, name="fer-worker-watch", daemon=True).start()
    return answered


def _answer(request: Request, tell: Tell) -> tuple[Kind, Any]:
    try:
        module, name = request.function.split(":")
        function = getattr(importlib.import_module(module), name)
        return "answer", function(tell, *request.arguments)
    except Exception as error:
        limit = _limit_behind(error)
        if limit is not None:
            return "limit", limit
        if isinstance(error, FerError):
            return "error", (type(error).__name__, str(error))
        return "fault", (type(error).__name__, "".join(traceback.format_exception(error)))


def _limit_behind(error: BaseException | None) -> str | None:
    """Which limit was met, by what stands behind an error."""
    while error is not None:
        if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
            return "memory_mb"
        if getattr(error, "code", None) == NO_MEMORY_IN_OPENCV:
            return "memory_mb"
        if isinstance(error, RuntimeError) and "can't start new thread" in str(error):
            return "memory_mb"  # there was no room for its stack
        if getattr(error, "errno", None) == errno.EFBIG:
            return "file_mb"
        error = error.__cause__ or error.__context__
    return None
