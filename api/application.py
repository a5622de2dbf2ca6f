"""The routes, the guard and the OpenAPI page as one ASGI application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import Depends, FastAPI, Security
from fastapi.security import HTTPBearer
from fastapi_offline import FastAPIOffline
from starlette.requests import Request

from api.described import problems
from api.errors import add_handlers
from api.metrics import Measured
from api.routes import guarded_routes, open_routes
from api.service import Service

__all__ = ["create_application"]

VERSION = "1"

Guarding = Callable[..., Awaitable[None]]

DESCRIPTION = """
The expressions of faces in pictures and clips. An expression is what a face shows in one moment,
not what a person feels.

Every error is one sentence: `{"detail": "..."}`.
"""


def create_application(service: Service) -> FastAPI:
    """The API over `service`; its page is at `docs`, its description at `openapi.json`."""
    # FastAPI's own page would load its scripts from another host.
    app = FastAPIOffline(title="FER Live", version=VERSION, description=DESCRIPTION, redoc_url=None)
    add_handlers(app)
    app.add_middleware(Measured, metrics=service.metrics)
    app.include_router(open_routes())
    private = service.settings.key is None
    guard = _private_guard(service) if private else _key_guard(service)
    app.include_router(
        guarded_routes(service),
        dependencies=[Depends(guard)],
        responses=problems(403 if private else 401),
    )
    return app


def _private_guard(service: Service) -> Guarding:
    async def guard(request: Request) -> None:
        await service.guard(request)

    return guard


def _key_guard(service: Service) -> Guarding:
    bearer = HTTPBearer(auto_error=False, description="The key, as `Authorization: Bearer KEY`")

    # It is named for the OpenAPI page; the guard looks itself.
    async def guard(request: Request, shown: object = Security(bearer)) -> None:
        await service.guard(request)

    return guard
