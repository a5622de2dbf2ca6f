"""Which viewer has which clips: found again after a reload, deleted when the viewer is gone.

A page that is reloaded is a new session to the server. So workplaces are not the sessions' but the
process's, each under a random token that only this viewer's browser keeps, in a cookie that ends
with the browser. A cookie, not the address: addresses are copied, sent to others and logged. The
server takes no token that it did not give, and shows none to anybody else.
"""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass, field
from functools import partial

import streamlit as st

from ui.later import Later
from ui.video_queue import Workplace
from ui.viewer_files import COOKIE, ViewerFiles

AWAY_SECONDS = 600.0
"""A viewer of whom no session has been left for this long is gone."""

_JS = r"""
export default function (component) {
  const {name, token, files, refused} = component.data;
  const secure = location.protocol === 'https:' ? '; Secure' : '';
  const keep = (name, value, path) => {
    document.cookie = `${name}=${value}; Path=${path}; SameSite=Strict${secure}`;
  };
  keep(name, token, '/');
  keep(files.name, files.secret, files.path);
  // Some browsers keep none, for one where another site shows this page in a frame.
  if (!refused && !document.cookie.includes(token)) component.setStateValue('refused', true);
}
"""


@dataclass
class Place:
    """A workplace and who holds it.

    Attributes:
        token: by which the browser finds it again.
        workplace: the clips.
        files: what this viewer may fetch: of the clips, and of the recordings.
    """

    token: str
    workplace: Workplace
    files: ViewerFiles = field(default_factory=ViewerFiles)
    holders: int = 0
    timer: Later | None = field(default=None, repr=False)


class Places:
    """All workplaces of this process. May be used from any thread."""

    def __init__(self) -> None:
        self._places: dict[str, Place] = {}
        self._lock = threading.Lock()

    def hold(self, token: str | None) -> Place:
        """The place of this token, or a new one, under a new token, when there is none."""
        with self._lock:
            place = self._places.get(token or "")
            if place is None:
                place = Place(secrets.token_urlsafe(32), Workplace())
                self._places[place.token] = place
            if place.timer is not None:
                place.timer.cancel()
                place.timer = None
            place.holders += 1
            return place

    def let_go(self, place: Place) -> None:
        """One session less; after the last one the place is kept for a while, then closed."""
        with self._lock:
            place.holders -= 1
            if place.holders > 0:
                return
            place.timer = Later(AWAY_SECONDS, partial(self._close, place))

    def tokens(self) -> tuple[str, ...]:
        """Of all places; for tests, never for a page."""
        with self._lock:
            return tuple(self._places)

    def _close(self, place: Place) -> None:
        with self._lock:
            if place.holders > 0 or self._places.get(place.token) is not place:
                return
            del self._places[place.token]
        place.workplace.close()


PLACES = Places()


def workplace() -> Workplace:
    """This viewer's clips. Draws nothing that can be seen."""
    place = own_place()
    # Made known in every run, as a server that starts anew knows no component.
    mount = st.components.v2.component("fer_live_video_token", html="<i hidden></i>", js=_JS)
    files = place.files
    said = mount(
        key="video_token",
        data={
            "name": cookie_name(),
            "token": place.token,
            "files": {"name": COOKIE, "secret": files.secret, "path": files.path},
            "refused": not files.guarded,
        },
        height="content",
        on_refused_change=_nothing,
    )
    if said.get("refused"):
        files.guarded = False
    return place.workplace


def cookie_name() -> str:
    """Browsers keep cookies by host, not by port: two servers on one machine must not meet."""
    return f"fer_live_video_{st.get_option('server.port')}"


def _nothing() -> None:
    """The run of the page itself is what was asked for."""


def _let_go(place: Place) -> None:
    PLACES.let_go(place)


@st.cache_resource(scope="session", on_release=_let_go, show_spinner=False)
def own_place() -> Place:
    """This viewer's place, for as long as the page is there."""
    return PLACES.hold(st.context.cookies.get(cookie_name()))
