"""What a server holds while nothing happens, and whether it comes back to that afterwards."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import ClassVar

import requests

from tests.browser.server import AppServer

QUIET_SECONDS = 3.0
"""What has not changed for so long is at rest."""


@dataclass(frozen=True)
class Held:
    """What a process holds at one moment.

    Attributes:
        threads: how many run or wait.
        descriptors: open files and sockets.
        udp: those of them that carry a stream's packets.
        memory_mb: resident, megabytes.
    """

    threads: int
    descriptors: int
    udp: int
    memory_mb: float

    @classmethod
    def by(cls, server: AppServer) -> Held:
        """What `server` holds now."""
        return cls(
            server.threads(), server.descriptors(), server.sockets("udp"), server.memory_mb()
        )


class Rest:
    """A server at rest; `regained` waits until it is so again.

    Attributes:
        SPARE: so many threads, or descriptors, are no leak: workers of the web server's own pools
            come and go, one thread waits for pages that left, and a browser keeps connections.
        TIMES: so often something is done, that one of them left behind by each would be told from
            those.
        A_SESSION: descriptors of a session that is kept for a page that went: an event loop.
        SPARE_SHARE: of the memory: what the allocator keeps for later goes up and down.
        before: what it held when this was made, which waits until nothing changes.
    """

    SPARE: ClassVar[int] = 4
    TIMES: ClassVar[int] = SPARE + 1
    A_SESSION: ClassVar[int] = 3
    SPARE_SHARE: ClassVar[float] = 0.2

    def __init__(self, server: AppServer) -> None:
        self._server = server
        self.before = self._settled()

    def kept(self, now: Held, sessions: int = 0) -> bool:
        """Whether no more is held than before, but for what may come and go, and `sessions`."""
        before = self.before
        return (
            now.threads <= before.threads + self.SPARE
            and now.descriptors <= before.descriptors + self.SPARE + sessions * self.A_SESSION
            and now.udp <= before.udp
            and now.memory_mb <= (1 + self.SPARE_SHARE) * before.memory_mb
        )

    def no_stream(self, seconds: float = 60) -> None:
        """Wait until no stream is left."""
        deadline = time.monotonic() + seconds
        while left := self._server.sockets("udp"):
            assert time.monotonic() < deadline, f"{left} UDP sockets are left"
            time.sleep(0.5)

    def regained(self, sessions: int = 0, seconds: float = 120) -> Held:
        """Wait until it is so again, and say what is held then.

        A closed page is noticed at once, a lost one in 35 seconds.

        Args:
            sessions: how many of pages that went may still be kept.
            seconds: to wait at most.
        """
        deadline = time.monotonic() + seconds
        while not self.kept(now := Held.by(self._server), sessions):
            assert time.monotonic() < deadline, f"{now} is left, not {self.before}"
            self._asked()
            time.sleep(0.5)
        return now

    def _settled(self) -> Held:
        known, since = Held.by(self._server), time.monotonic()
        while time.monotonic() - since < QUIET_SECONDS:
            time.sleep(0.2)
            now = Held.by(self._server)
            if (now.threads, now.descriptors) != (known.threads, known.descriptors):
                since = time.monotonic()
            known = now
        return known

    def _asked(self) -> None:
        """The web server's pool ends workers that idle, but only when it is asked for something."""
        requests.get(self._server.url, timeout=10).raise_for_status()
