"""A stream that ends, however it ends, gives back what it held, and the next one starts."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from statistics import median

import pytest
from playwright.sync_api import expect

from benchmarks.machine import family
from tests.browser.conftest import CAMERA, GRANT
from tests.browser.live_page import COUNT, PATIENCE, LivePage
from tests.browser.rest import Held, Rest
from tests.browser.server import serve
from ui.live_recordings import PREFIX

CYCLES = 15


def test_stop_gives_back_what_the_stream_held_and_start_works_again(open_live, tmp_path):
    with serve(tmp_path) as server:
        live = open_live(url=server.url)
        for _ in range(3):  # the first streams also start pools that stay
            live.start(20)
            live.stop()
        rest = Rest(server)
        busy, memory = [], []
        for _ in range(CYCLES):
            live.start(5)
            busy.append(Held.by(server))
            live.stop()
            memory.append(server.memory_mb())
        assert max(held.threads for held in busy) > rest.before.threads
        assert all(held.udp > 0 for held in busy)
        rest.regained()
        # What the allocator keeps for later goes up and down, by a tenth now and then.
        assert median(memory[-5:]) < 1.1 * median(memory[:5]), memory
        expect(live.page.get_by_text("Nothing is stored unless you record.")).to_be_visible()


KEPT_SECONDS = 3


@pytest.mark.parametrize("way", ["reload", "close"])
def test_leaving_the_page_ends_the_stream_and_gives_back_what_it_held(open_live, tmp_path, way):
    """Streamlit keeps the session of a page that went, as it may come back, until its time is over
    and another page opens."""
    forgetful = Path(__file__).with_name("forgetful_app.py")
    # Two arenas, as `app.py` has them itself.
    environment = {"KEPT_SECONDS": str(KEPT_SECONDS), "MALLOC_ARENA_MAX": "2"}
    with serve(tmp_path, forgetful, environment) as server:
        live = open_live(url=server.url)
        live.start(20)
        live.stop()
        rest = Rest(server)

        def leave(live: LivePage) -> LivePage:
            if way == "close":
                browser = live.page.context
                live.page.close()
                return LivePage(browser.new_page(), server.url).open()
            live.page.reload()
            return live.open()

        for _ in range(rest.TIMES):
            live.start(10)
            live = leave(live)
        rest.no_stream()
        live.page.wait_for_timeout(1000 * (KEPT_SECONDS + 1))
        live = leave(live)
        rest.regained(sessions=2)  # the one that went now, and one that went as the next page came
        live.start(10)
        live.stop()


def test_viewers_who_start_at_once_both_see_and_leave_nothing_behind(open_live, tmp_path):
    with serve(tmp_path) as server:
        first, second = open_live(url=server.url), open_live(url=server.url)
        both = (first, second)
        for live in both:
            live.start(10)
            live.stop()
        rest = Rest(server)
        for _ in range(rest.TIMES):
            for live in both:
                live.button("START").click()
            for live in both:
                video = live.frame.locator("video")
                video.wait_for(state="attached", timeout=PATIENCE)
                live.goes_on(video.element_handle(), 10)
            assert server.sockets("udp") >= len(both)
            for live in both:
                live.stop()
        rest.regained()


def test_a_double_click_on_start_leaves_no_stream_that_hangs(open_live, tmp_path):
    """The second click may fall on STOP, or be a second START that ends the first, sooner or later:
    then START is there again, and works. Nobody is left before a picture that never comes."""
    with serve(tmp_path) as server:
        live = open_live(url=server.url)
        live.start(20)
        live.stop()
        rest = Rest(server)
        live.button("START").dblclick(delay=20)
        video = live.frame.locator("video")
        for _ in range(12):
            live.page.wait_for_timeout(3000)
            if video.count() and video.evaluate(COUNT) > 15:
                break
            if live.button("START").is_visible():
                live.button("START").click()
        live.goes_on(video.element_handle(), 15)
        live.stop()
        rest.regained()


def test_stop_and_start_in_one_breath_is_a_new_start(open_live, tmp_path):
    """The library kept the stream that had ended, gave the browser its old answer, and hung."""
    with serve(tmp_path, Path(__file__).with_name("slow_app.py")) as server:
        live = open_live(url=server.url)
        live.start(10)
        for _ in range(2):
            live.button("STOP").click()
            live.button("START").click()
            again = live.frame.locator("video")
            expect(again).to_be_attached()
            live.goes_on(again.element_handle(), 10)
        live.stop()


@pytest.fixture
def mortal(launch, face_clip):
    """A browser, and its processes, for a test that kills it."""
    before = family(os.getpid())
    browser = launch(GRANT, CAMERA, f"--use-file-for-fake-video-capture={face_clip}")
    return browser, family(os.getpid()) - before


def test_a_killed_browser_leaves_nothing_behind(open_live, tmp_path, mortal):
    browser, processes = mortal
    folder = tmp_path / "tmp"
    folder.mkdir()
    with serve(tmp_path, environment={"TMPDIR": str(folder)}) as server:
        live = open_live(url=server.url, browser=browser)
        live.start(20)
        live.stop()
        rest = Rest(server)
        live.start(20)
        live.press("Record", "End")
        held = {process for each in processes for process in family(each)}
        for process in held:
            os.kill(process, signal.SIGKILL)
        rest.regained()
        assert server.open_under(folder) == 0
    assert not list(folder.glob(f"{PREFIX}*")), "the recording itself goes with its session"
