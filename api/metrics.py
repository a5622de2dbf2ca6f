"""Counts and times for Prometheus."""

from __future__ import annotations

import time

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Measured", "Metrics"]

UNKNOWN = "unknown"
"""Stands for every path that is none of ours: a caller must not be able to make new rows."""

SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
SIZES = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """The collectors of one API."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = Counter(
            "fer_requests", "Requests", ["route", "method", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "fer_request_seconds", "Time of a request", ["route"],
            buckets=SECONDS, registry=self.registry,
        )  # fmt: skip
        self.faces = Histogram(
            "fer_batch_faces", "Faces classified together", buckets=SIZES, registry=self.registry
        )
        self.pictures = Histogram(
            "fer_batch_pictures", "Pictures classified together",
            buckets=SIZES, registry=self.registry,
        )  # fmt: skip
        self.inside = Gauge(
            "fer_pictures_inside", "Pictures in work or waiting", registry=self.registry
        )
        self.clips = Gauge("fer_clips", "Clips by state", ["state"], registry=self.registry)

    def note_batch(self, pictures: int, faces: int) -> None:
        """One batch was classified."""
        self.pictures.observe(pictures)
        self.faces.observe(faces)

    def text(self) -> bytes:
        """Everything, in Prometheus's text format."""
        return generate_latest(self.registry)


class Measured:
    """Counts the requests to an application and takes their time."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note)
        finally:
            found = scope.get("route")
            route = found.path if isinstance(found, Route) else UNKNOWN
            # Methods are the caller's words too.
            method = scope["method"] if route != UNKNOWN and status != 405 else UNKNOWN
            self._metrics.requests.labels(route, method, str(status)).inc()
            self._metrics.seconds.labels(route).observe(time.perf_counter() - started)
