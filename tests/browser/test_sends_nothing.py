"""Nothing goes anywhere: the page asks its own server only, and that asks nobody."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock
from urllib.parse import urlsplit

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.fake_camera import picture
from tests.browser.live_page import LivePage, go_to_tab
from tests.browser.server import AppServer, serve
from tests.browser.test_photo_page import drop, photo_tab
from tests.browser.test_video_page import player, upload
from tests.clips import make_clip

LOCAL = ("blob", "data")
"""What the browser holds itself."""
LOOK_SECONDS = 0.05


def elsewhere(addresses: set[str], own: str) -> set[str]:
    """Those that lead to another place than the server at `own`."""
    parts = {address: urlsplit(address) for address in addresses}
    return {
        address
        for address, part in parts.items()
        if part.scheme not in LOCAL and part.netloc != urlsplit(own).netloc
    }


def foreign(peers: set[str]) -> set[str]:
    """Those that are not this machine."""
    return {peer for peer in peers if not ipaddress.ip_address(peer).is_loopback}


@contextlib.contextmanager
def watched(server: AppServer) -> Iterator[set[str]]:
    """Every peer that `server` has in the meantime."""
    met: set[str] = set()
    over = threading.Event()

    def look() -> None:
        while not over.wait(LOOK_SECONDS):
            met.update(server.peers())

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield met
    finally:
        over.set()
        looking.join()


def all_tabs(live: LivePage, folder: Path) -> None:
    """Do in each tab what it is for."""
    live.start(20)
    live.wait_panel(lambda panel: panel.faces == 1)
    live.stop()
    go_to_tab(live.page, "Video")
    upload(live.page, make_clip(folder / "clip.mp4"))
    player(live.page)
    Image.fromarray(picture(0, barcode=False)).save(folder / "photo.png")
    drop(photo_tab(live), [str(folder / "photo.png")])
    go_to_tab(live.page, "Training metrics")
    expect(live.page.locator(".js-plotly-plot").first).to_be_visible()
    live.settled()


def test_neither_page_nor_server_asks_anybody_else(open_live, tmp_path):
    with serve(tmp_path) as server, watched(server) as met:
        live = open_live(url=server.url)
        asked: set[str] = set()
        live.page.context.on("request", lambda request: asked.add(request.url))
        live.page.on("websocket", lambda opened: asked.add(opened.url))
        live.page.reload()
        live.open()
        all_tabs(live, tmp_path)
    assert any(address.startswith("ws:") for address in asked), "the page was listened to"
    assert elsewhere(asked, server.url) == set()
    assert met, "the server was looked at"
    assert foreign(met) == set()


@pytest.mark.parametrize(
    ("address", "leads_away"),
    [
        ("http://127.0.0.1:8501/static/x.js", False),
        ("ws://127.0.0.1:8501/_stcore/stream", False),
        ("blob:http://127.0.0.1:8501/1", False),
        ("data:image/png;base64,AA", False),
        ("http://127.0.0.1:8502/", True),
        ("https://webhooks.example/metrics", True),
    ],
)
def test_addresses_that_lead_away_are_known(address, leads_away):
    assert bool(elsewhere({address}, "http://127.0.0.1:8501")) is leads_away


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM], ids=["tcp", "udp"])
@pytest.mark.parametrize(
    ("family", "address"),
    [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "127.1.2.3"), (socket.AF_INET6, "::1")],
)
def test_a_peer_is_seen(family, address, kind):
    process = Mock(spec=subprocess.Popen, pid=os.getpid())
    here = AppServer("", process, Path())
    with socket.socket(family, kind) as waiting, socket.socket(family, kind) as asking:
        waiting.bind((address, 0))
        if kind == socket.SOCK_STREAM:
            waiting.listen()
        asking.connect(waiting.getsockname())
        assert address in here.peers()
    assert foreign({"127.1.2.3", "::1", "192.0.2.7", "2001:db8::7"}) == {"192.0.2.7", "2001:db8::7"}
