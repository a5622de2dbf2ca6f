"""What a viewer loses when camera or network go away in mid-stream: next to nothing."""

from __future__ import annotations

import csv
import itertools

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE
from tests.browser.cut import Line
from tests.browser.live_page import PATIENCE
from tests.browser.rest import Rest
from tests.browser.server import serve
from tests.browser.test_live_actions import timeline, wait_timeline

UNPLUG = """() => {
  for (const track of window.camera.getTracks()) {
    track.stop();
    track.dispatchEvent(new Event('ended'));
  }
}"""
"""`stop` alone fires no event; a camera that is pulled out does."""


def test_an_unplugged_camera_is_said_on_the_screen_and_start_works_again(open_live, tmp_path):
    with serve(tmp_path) as server:
        live = open_live(viewport=PHONE, url=server.url)
        live.start(20)
        live.stop()
        rest = Rest(server)
        video = live.start(20)
        video.owner_frame().evaluate(UNPLUG)
        advice = live.page.get_by_text("If the camera was unplugged or the network was cut")
        expect(advice).to_be_visible(timeout=PATIENCE)
        expect(advice).to_be_in_viewport()
        live.stop()
        expect(live.page.get_by_text("the camera or the network was lost")).to_be_visible()
        rest.regained()
        live.start(20)
        expect(live.page.get_by_text("the camera or the network was lost")).to_be_hidden()
        live.stop()


@pytest.mark.alone
def test_a_recording_goes_on_while_the_page_is_cut_off(open_live, app):
    line = Line(app.url)
    try:
        live = open_live(url=line.url)
        video = live.start(20)
        live.press("Record", "End")
        line.cut()
        live.goes_on(video, 60)
        line.mend()
        before = timeline(live, "points")
        wait_timeline(live, "points", before + 2)
        live.press("End", "Record")
        expect(live.page.get_by_text("Recordings (1)")).to_be_visible(timeout=PATIENCE)
        with live.page.expect_download() as waiting:
            live.page.get_by_role("link", name="CSV").click()
        with waiting.value.path().open(newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        assert len({row["frame"] for row in rows}) >= 40
        gaps = [
            float(later["seconds"]) - float(row["seconds"])
            for row, later in itertools.pairwise(rows)
        ]
        assert max(gaps) < 2, "no hole where the page was away"
        live.stop()
    finally:
        line.close()
