"""What the browser asks the server for twice a second while a stream runs.

Streamlit can run a part of the page on a timer, but each such run costs the browser up to a tenth
of a second of its main thread, which shows the video too, and a click that comes in the same moment
is sent twice. So the panel fetches its words itself, and the page runs only when something besides
them has to change.
"""

from __future__ import annotations

import secrets
import weakref
from collections.abc import Callable
from dataclasses import asdict, dataclass

import streamlit as st
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from fer_core.addresses import below

__all__ = ["PATH", "LiveFeed", "PanelNow", "feed_routes", "live_feed"]

PATH = "/live-panel"
_KEY = "live_feed"


@dataclass(frozen=True)
class PanelNow:
    """What the panel shows at one moment.

    Attributes:
        panel: figures and sentences, HTML.
        timeline: the drawing under them, HTML.
        around: what decides how the page looks around them; the page runs when it changes.
    """

    panel: str
    timeline: str
    around: str


class LiveFeed:
    """One page's panel, under an address that nobody can guess.

    Attributes:
        address: to ask for it, below the path of the server.
    """

    def __init__(self) -> None:
        token = secrets.token_urlsafe(24)
        self.address = _address(token)
        self._now: Callable[[], PanelNow] | None = None
        _FEEDS[token] = self

    def show(self, now: Callable[[], PanelNow] | None) -> None:
        """From here on, answer with what `now` returns, from any thread; None: with nothing."""
        self._now = now

    def now(self) -> PanelNow | None:
        """What there is to be shown; None while nothing is."""
        now = self._now
        return None if now is None else now()


# Weakly: a feed lives as long as the session of its page.
_FEEDS: weakref.WeakValueDictionary[str, LiveFeed] = weakref.WeakValueDictionary()


def live_feed() -> LiveFeed:
    """The feed of the page that calls."""
    if _KEY not in st.session_state:
        st.session_state[_KEY] = LiveFeed()
    feed: LiveFeed = st.session_state[_KEY]
    return feed


def feed_routes() -> list[BaseRoute]:
    """What the server is to serve for it."""
    return [Route(_address("{token}"), _answer, methods=["GET"])]


def _answer(request: Request) -> JSONResponse:
    """In a thread of the server's pool, as it is no coroutine: drawing takes a millisecond."""
    feed = _FEEDS.get(request.path_params["token"])
    now = None if feed is None else feed.now()
    headers = {"Cache-Control": "no-store"}
    if now is None:
        return JSONResponse({"detail": "No panel is shown here."}, 404, headers)
    return JSONResponse(asdict(now), headers=headers)


def _address(token: str) -> str:
    return below(st.get_option("server.baseUrlPath"), f"{PATH}/{token}")
