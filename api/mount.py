"""The API as a part of another server: made when it is first asked for, closed with the server."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import socket
import threading
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from fer_core.addresses import below
from fer_core.errors import FerError

if TYPE_CHECKING:
    from api.service import Service

__all__ = ["PATH", "MountedApi"]

PATH = "/api"

_log = logging.getLogger(__name__)


class MountedApi:
    """The API under `/api`.

    The packages behind it take a third of a second to import, so that is done for the first
    request: the page starts without.
    """

    def __init__(
        self, environment: Mapping[str, str] | None = None, base: str | None = None
    ) -> None:
        """
        Args:
            environment: variables with the settings; None for the process's own.
            base: path under which the whole server lies, such as `fer/live`.
        """
        self._environment = environment
        self._path = below(base, PATH)
        self._lock = threading.Lock()
        self._app: ASGIApp | None = None
        self._service: Service | None = None

    @property
    def routes(self) -> list[BaseRoute]:
        """What the server is to serve."""
        return [_EveryAddress(self._path, app=self)]

    @contextlib.asynccontextmanager
    async def lifespan(self, server: object) -> AsyncIterator[dict[str, Any]]:
        """While the server runs; afterwards everything is closed and every clip deleted."""
        try:
            yield {}
        finally:
            await asyncio.to_thread(self.close)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        _without_delay(receive)
        if self._app is None:
            try:
                await asyncio.to_thread(self._open)
            except FerError as error:
                # A wrong setting must not leave the door open, nor keep the page from starting.
                _log.error("The API is off: %s", error)
                await JSONResponse({"detail": f"The API is off. {error}"}, 503)(
                    scope, receive, send
                )
                return
        assert self._app is not None
        await self._app(scope, receive, send)

    def close(self) -> None:
        """Stop the work and delete every file; calling it twice is allowed."""
        with self._lock:
            service, self._service, self._app = self._service, None, None
        if service is not None:
            service.close()

    def _open(self) -> None:
        from api.application import create_application
        from api.service import Service
        from api.settings import ApiSettings

        with self._lock:
            if self._app is None:
                self._service = Service(ApiSettings.from_environment(self._environment))
                self._app = create_application(self._service)


class _EveryAddress(Mount):
    """Everything below a path, addresses with an encoded line break too.

    Starlette's own pattern stops at the break, and the server then answers in plain text.
    """

    def __init__(self, path: str, app: ASGIApp) -> None:
        super().__init__(path, app=app)
        self.path_regex = re.compile(self.path_regex.pattern, re.DOTALL)


def _without_delay(receive: Receive) -> None:
    """Let the answer leave at once.

    Streamlit opens its port in a way in which asyncio does not see that it is TCP and leaves
    Nagle's algorithm on. Uvicorn writes head and body apart, so the body then waits 40 ms for the
    caller's acknowledgement of the head.
    """
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    connection = None if transport is None else transport.get_extra_info("socket")
    if connection is not None:
        with contextlib.suppress(OSError):  # no TCP, or gone
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
