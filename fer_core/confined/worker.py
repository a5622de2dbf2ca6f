"""One process in which files from strangers are read, seen from outside."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import struct
import subprocess
import sys
import time
import weakref
from collections.abc import Callable, Iterable
from multiprocessing.connection import Connection
from typing import Any

from fer_core import errors
from fer_core.closing import Closing
from fer_core.confined.child import NO_MEMORY
from fer_core.confined.limits import Limits
from fer_core.confined.messages import Request, Said, receive
from fer_core.confined.sentences import ended, failed, met
from fer_core.errors import FerError, VideoCancelled, WorkerError

__all__ = ["NotBegunError", "Worker"]

_log = logging.getLogger(__name__)

LOOK_SECONDS = 0.1
"""How often a caller that may cancel is asked."""
START_SECONDS = 60.0
"""A process that has not begun after this long will not."""
END_SECONDS = 2.0
"""How long a process that has let go of us may take to be gone."""
BUFFER = 1_000_000
"""Bytes of pixels that a worker may be ahead of us; the system's own choice holds a fifth of it."""
IMPORTABLE = "from fer_core.confined.child import main; main({})"


class NotBegunError(WorkerError):
    """No process could be started; the file was not looked at."""


class Worker(Closing):
    """A process that is asked to do one thing after the other. For one thread at a time."""

    def __init__(self, limits: Limits | None = None) -> None:
        """Start the process; it imports nothing before it is asked.

        Raises:
            NotBegunError: no process can be started.
        """
        self._limits = limits or Limits()
        ours, theirs = socket.socketpair()
        # Whoever has taken hold of the worker may begin to say something and never end.
        silent, part = divmod(self._limits.silent_seconds, 1)
        limit = struct.pack("ll", int(silent), int(part * 1e6))
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-c", IMPORTABLE.format(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )
        except OSError as error:
            ours.close()
            raise NotBegunError(
                f"No process can be started to read files in ({error.strerror}). "
                "Close other programs on the server."
            ) from None
        finally:
            theirs.close()
        self._connection = Connection(ours.detach())
        # Also when this process ends without closing it; and before folders made earlier go.
        self._kill = weakref.finalize(self, _kill, self._process, self._connection)
        try:
            self._send(self._limits)
            said = self._next(START_SECONDS, (), time.monotonic() + START_SECONDS)
        except _Broken:
            said = None
        if said != ("ready", None):
            self.close()
            raise NotBegunError(
                "The process to read files in did not begin. Try again in a moment."
            )

    @property
    def alive(self) -> bool:
        """Whether it can be asked once more; after it has met a limit it cannot."""
        return self._kill.alive and self._process.poll() is None

    @property
    def number(self) -> int:
        """The process's number."""
        return self._process.pid

    def call(
        self,
        function: str,
        *arguments: Any,
        name: str = "The file",
        classes: Iterable[type] = (),
        progress: Callable[[Any], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Any:
        """Call a function there and wait for what it returns.

        Args:
            function: `module:name`; it is given a `fer_core.confined.child.Tell`, then `arguments`.
            arguments: what can be pickled.
            name: what sentences call the file that it is about.
            classes: of which instances may come back, in answers and in progress.
            progress: called in this thread with whatever the function tells.
            cancelled: asked some times a second; when it says yes, the process is killed.

        Raises:
            FerError: the function raised one like it.
            VideoCancelled: `cancelled` said so.
            WorkerError: the process met a limit, or ended; it is no longer `alive`.
        """
        if not self.alive:
            raise WorkerError("This process has ended. Start another one.")
        try:
            self._send(Request(function, arguments))
            kind, value = self._wait(name, tuple(classes), progress, cancelled)
        except _Broken as broken:
            code = None
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = self._process.wait(END_SECONDS)  # what it ended with tells why
            self.close()
            _log.error("A worker ended with %s while it read a file: %s", code, broken)
            raise self._end_in_words(name, code) from None
        except BaseException:
            self.close()
            raise
        if kind == "answer":
            return value
        if kind == "error":
            known = getattr(errors, str(value[0]), FerError)
            raise (known if value[0] in errors.__all__ else FerError)(str(value[1]))
        self.close()  # what has failed once may go on failing
        if kind == "limit":
            raise WorkerError(met(str(value), name, self._limits))
        _log.error("A worker failed:\n%s", value[1])
        raise WorkerError(failed(name, str(value[0])))

    def close(self) -> None:
        """Kill the process, whatever it does, and wait until it is gone."""
        self._kill()

    def _wait(
        self,
        name: str,
        classes: tuple[type, ...],
        progress: Callable[[Any], None] | None,
        cancelled: Callable[[], bool] | None,
    ) -> Said:
        began = heard = time.monotonic()
        while True:
            if cancelled is not None and cancelled():
                raise VideoCancelled(f"{name} was cancelled; nothing was kept of it.")
            said = self._next(LOOK_SECONDS, classes, began + self._limits.seconds)
            now = time.monotonic()
            if said is not None:
                heard = now
                if said[0] not in ("progress", "alive"):
                    return said
                if said[0] == "progress" and progress is not None:
                    progress(said[1])
            for limit, since in (("silent_seconds", heard), ("seconds", began)):
                if now - since > getattr(self._limits, limit):
                    raise WorkerError(met(limit, name, self._limits))

    def _send(self, what: Any) -> None:
        try:
            self._connection.send(what)
        except (EOFError, OSError) as error:
            raise _Broken(str(error)) from None

    def _next(self, seconds: float, classes: tuple[type, ...], until: float) -> Said | None:
        """What is said within so many seconds; all of it must have come before `until`."""

        def fill(room: memoryview) -> None:
            while room:
                got = os.readv(self._connection.fileno(), [room])
                if not got or time.monotonic() > until:
                    raise EOFError
                room = room[got:]

        try:
            return receive(fill, classes) if self._connection.poll(seconds) else None
        except (EOFError, OSError, ValueError) as error:
            raise _Broken(str(error)) from None

    def _end_in_words(self, name: str, code: int | None) -> WorkerError:
        """By what the process ended with; None where it did not, and was killed for its answer."""
        if code is None:
            return WorkerError(failed(name, "an answer that makes no sense"))
        if code == NO_MEMORY:
            return WorkerError(met("memory_mb", name, self._limits))
        if code >= 0:
            return WorkerError(failed(name, f"exit {code}"))
        if -code == getattr(signal, "SIGXCPU", None):
            return WorkerError(met("processor_seconds", name, self._limits))
        return WorkerError(ended(name, signal.Signals(-code).name))


class _Broken(Exception):  # noqa: N818 - caught here
    """The other end is closed, or sends what nobody understands."""


def _kill(process: subprocess.Popen[bytes], connection: Connection) -> None:
    process.kill()
    process.wait()
    connection.close()
