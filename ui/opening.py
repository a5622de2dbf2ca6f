"""Opens the page in the browser of whoever has started it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from streamlit import cli_util, config
from streamlit.web.server import server_util

__all__ = ["opening_page"]

Lifespan = Callable[[Any], AbstractAsyncContextManager[dict[str, Any]]]


def opening_page(lifespan: Lifespan) -> Lifespan:
    """`lifespan`, with the page opened at its beginning.

    `streamlit run` does that for a script, but not for a script that holds a server's App. As
    there, nothing is opened with `server.headless`, and nothing under another server.
    """

    @asynccontextmanager
    async def opened(server: Any) -> AsyncIterator[dict[str, Any]]:
        asyncio.get_running_loop().call_soon(_open)
        async with lifespan(server) as state:
            yield state

    return opened


def _open() -> None:
    run_by_streamlit = getattr(config, "_server_mode", None) == "starlette-app"
    if not run_by_streamlit or config.get_option("server.headless"):
        return
    address = "localhost"
    for option in ("browser.serverAddress", "server.address"):
        if config.is_manually_set(option):
            address = server_util.get_display_address(config.get_option(option))
            break
    cli_util.open_browser(server_util.get_url(address))
