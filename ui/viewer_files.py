"""Files that a viewer's browser fetches from the server's disk: clips, tables, recordings.

`st.video` and `st.download_button` first read a file into the server's memory and keep it there,
and an hour of video is hundreds of megabytes. So the page names an address instead, and what is
asked for there is sent piece by piece, from any place in the file.
"""

from __future__ import annotations

import os
import secrets
import stat
import threading
import weakref
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from fer_core.addresses import below

__all__ = ["COOKIE", "PATH", "Offer", "ViewerFiles", "file_routes"]

PATH = "/viewer-files"
COOKIE = "fer_live_files"
"""The browser sends it along below one viewer's addresses, and nowhere else."""

_HEADERS = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}


@dataclass(frozen=True)
class Offer:
    """A file as a browser is to get it.

    Attributes:
        file: in a folder of ours; a link is not followed.
        name: what it is called where it is saved; may hold any character.
        mime: its type.
        shown: whether the page shows it; else the browser saves it.
    """

    file: Path
    name: str
    mime: str
    shown: bool = False


class ViewerFiles:
    """What one viewer may fetch, under addresses that nobody can guess. For any thread.

    An address alone opens nothing, as addresses are copied, sent to others and logged: the browser
    shows `secret` as well, in its cookie.

    Attributes:
        path: below which all the addresses lie.
        secret: for this viewer's browser alone.
        guarded: whether the cookie is asked for; not where the browser keeps none.
    """

    def __init__(self) -> None:
        number = secrets.token_urlsafe(12)
        self.path = below(st.get_option("server.baseUrlPath"), f"{PATH}/{number}")
        self.secret = secrets.token_urlsafe(32)
        self.guarded = True
        self._offers: dict[str, Offer] = {}
        self._lock = threading.Lock()
        _ALL[number] = self

    def address(self, offer: Offer) -> str:
        """Where to ask for it; the same one for as long as the file is there."""
        with self._lock:
            # Those of jobs and recordings that are gone need no list of their own.
            self._offers = {key: each for key, each in self._offers.items() if each.file.exists()}
            token = next((key for key, each in self._offers.items() if each == offer), None)
            if token is None:
                token = secrets.token_urlsafe(24)
                self._offers[token] = offer
        return f"{self.path}/{token}"

    def find(self, token: str, secret: str | None) -> Offer | None:
        """What this token stands for, for a browser that shows this secret; None if nothing."""
        if self.guarded and not secrets.compare_digest(
            self.secret.encode(), (secret or "").encode("utf-8", "replace")
        ):
            return None
        return self._offers.get(token)


# Weakly: they live as long as the viewer's place.
_ALL: weakref.WeakValueDictionary[str, ViewerFiles] = weakref.WeakValueDictionary()


def file_routes() -> list[BaseRoute]:
    """What the server is to serve for them."""
    path = below(st.get_option("server.baseUrlPath"), f"{PATH}/{{viewer}}/{{token}}")
    return [Route(path, _answer, methods=["GET"])]


def _answer(request: Request) -> Response:
    """In a thread of the server's pool, as it is no coroutine: a disk may take its time."""
    files = _ALL.get(request.path_params["viewer"])
    shown = request.cookies.get(COOKIE)
    offer = None if files is None else files.find(request.path_params["token"], shown)
    found = None if offer is None else _looked_at(offer.file)
    if offer is None or found is None:
        return PlainTextResponse("There is no such file (any more).", 404, _HEADERS)
    return FileResponse(
        offer.file,
        headers=_HEADERS,
        media_type=offer.mime,
        filename=offer.name.encode("utf-8", "replace").decode(),
        stat_result=found,
        content_disposition_type="inline" if offer.shown else "attachment",
    )


def _looked_at(file: Path) -> os.stat_result | None:
    """None unless it is a file: the process that wrote it has read a stranger's clip."""
    try:
        found = file.lstat()
    except OSError:
        return None
    return found if stat.S_ISREG(found.st_mode) else None
