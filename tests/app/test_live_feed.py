"""The address that the panel in the browser asks, and when it asks the page to run."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator

import pytest
import requests
from starlette.applications import Starlette

import ui.live_beside
import ui.live_feed
from fer_core.live import LiveSession
from tests.served import served
from tests.unit.live_bench import Bench, Clock, face, frame
from ui.live_beside import Beside
from ui.live_feed import PATH, LiveFeed, PanelNow, feed_routes
from ui.live_recordings import Shelf


@pytest.fixture(scope="module")
def asked() -> Iterator[Callable[[str], requests.Response]]:
    """What a server that serves feeds answers."""
    with served(Starlette(routes=feed_routes())) as root:
        yield lambda address: requests.get(root + address, timeout=60)


def test_a_feed_answers_with_what_is_shown_now(asked):
    feed = LiveFeed()
    numbers = iter(range(9))
    feed.show(lambda: PanelNow(f"<b>{next(numbers)}</b>", "<i></i>", "calm"))
    first, second = asked(feed.address), asked(feed.address)
    assert first.json() == {"panel": "<b>0</b>", "timeline": "<i></i>", "around": "calm"}
    assert second.json()["panel"] == "<b>1</b>"
    assert first.headers["cache-control"] == "no-store"


def test_only_who_knows_the_address_gets_an_answer(asked):
    feeds = [LiveFeed() for _ in range(3)]
    for number, feed in enumerate(feeds):
        feed.show(lambda number=number: PanelNow(f"{number}", "", ""))
    assert len({feed.address for feed in feeds}) == 3
    assert min(len(feed.address) for feed in feeds) >= len(PATH) + 32
    assert [asked(feed.address).json()["panel"] for feed in feeds] == ["0", "1", "2"]
    for wrong in ("", "/", "/0", "/../api", "/%00", f"/{'x' * 5000}"):
        assert asked(PATH + wrong).status_code == 404


def test_a_feed_that_shows_nothing_or_is_gone_says_so(asked):
    feed = LiveFeed()
    assert asked(feed.address).status_code == 404
    feed.show(lambda: PanelNow("", "", ""))
    address = feed.address
    assert asked(address).status_code == 200
    feed.show(None)
    assert asked(address).status_code == 404
    del feed
    gc.collect()
    assert asked(address).status_code == 404


def test_the_address_lies_under_the_path_of_the_server(monkeypatch):
    monkeypatch.setattr(ui.live_feed.st, "get_option", lambda name: "/fer/live/")
    feed = LiveFeed()
    feed.show(lambda: PanelNow("here", "", ""))
    assert feed.address.startswith(f"/fer/live{PATH}/")
    with served(Starlette(routes=feed_routes())) as root:
        answer = requests.get(root + feed.address, timeout=60)
    assert answer.json()["panel"] == "here"


@pytest.fixture
def place():
    made = Shelf()
    yield made
    made.stop()


def column(session: LiveSession, place: Shelf, **other) -> Beside:
    given = {"playing": True, "waiting": False, "since": time.monotonic() - 2.0}
    return Beside(session, place, **{**given, "span": 60, "face": None, **other})


def test_figures_change_and_the_page_need_not_run(session, place):
    beside = column(session, place)
    session.callback(frame(0))
    before = beside.now()
    for n in range(1, 6):
        session.callback(frame(n))
    session.mark("the joke")
    after = beside.now()
    assert 'data-frames="1"' in before.panel
    assert 'data-frames="6"' in after.panel
    assert 'data-markers="1"' in after.timeline
    assert before.around == after.around


def failing(session: LiveSession, place: Shelf) -> None:
    session._analyzer.fault = RuntimeError("broken")
    session.callback(frame(1))


def crowded(session: LiveSession, place: Shelf) -> None:
    session._analyzer.faces = (face(number=1), face(number=2))
    session.callback(frame(1))


@pytest.mark.parametrize(
    "happens",
    [
        failing,
        crowded,
        lambda session, place: session.pause(),
        lambda session, place: place.start(),
        lambda session, place: session.close(),
    ],
    ids=["a frame fails", "a second face", "pause", "a recording", "no detector"],
)
def test_the_page_runs_when_something_around_the_figures_changes(session, place, happens):
    beside = column(session, place)
    session.callback(frame(0))
    before = beside.now().around
    assert beside.now().around == before
    happens(session, place)
    assert beside.now().around != before


def test_the_page_runs_when_no_picture_comes(session, place):
    soon, late = (column(session, place, since=time.monotonic() - s) for s in (9.0, 11.0))
    assert soon.now().around == column(session, place).now().around != late.now().around


def test_what_cannot_be_mended_is_tried_again_and_again(monkeypatch, place):
    bench = Bench()
    beside = column(bench.session, place)
    clock = Clock()
    monkeypatch.setattr(ui.live_beside, "_now", clock)
    seen = set()
    for clock.now in (1000.0, 1000.5, 1001.0, 1002.0, 1003.0, 1004.0):
        seen.add(beside.now().around)
    assert len(seen) == 3
