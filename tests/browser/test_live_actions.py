"""Pause, mark, record and look back, in a real browser while the picture goes on."""

from __future__ import annotations

import csv
import json

import av
import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.fake_camera import face_box, nearest_frame, picture
from tests.browser.live_page import CAMERA_READY, PATIENCE, click_until, pick
from ui.live_actions import TWICE_SECONDS

pytestmark = pytest.mark.alone


def timeline(live, name: str) -> int:
    return int(live.page.locator(".fer-timeline").get_attribute(f"data-{name}"))


def wait_timeline(live, name: str, least: int) -> None:
    live.page.wait_for_function(
        "([n, least]) => +document.querySelector('.fer-timeline')?.dataset[n] >= least",
        arg=[name, least],
        timeout=PATIENCE,
    )


def mark(page) -> None:
    """Press M, later than what would count as the same press that came twice."""
    page.wait_for_timeout(1000 * TWICE_SECONDS + 100)
    page.keyboard.press("m")


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_recording_is_made_marked_downloaded_and_deleted(open_live, viewport, tmp_path):
    live = open_live(viewport=viewport)
    page = live.page
    video = live.start(20)
    live.press("Record", "End")
    expect(page.locator(".fer-line-recording")).to_be_visible(timeout=PATIENCE)
    live.goes_on(video, 15)
    page.keyboard.press("m")
    wait_timeline(live, "markers", 1)
    live.goes_on(video, 15)
    live.press("End", "Record")
    expect(page.get_by_text("Recordings (1)")).to_be_visible(timeout=PATIENCE)
    live.goes_on(video, 10)
    files = {}
    for kind in ("Clip", "CSV", "Parquet", "JSON lines"):
        with page.expect_download() as waiting:
            page.get_by_role("link", name=kind).click()
        files[kind] = waiting.value.path()
    with files["CSV"].open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) >= 15
    assert sum(row["marker"] == "-" for row in rows) == 1
    with av.open(str(files["Clip"])) as clip:
        shown = [frame.to_ndarray(format="rgb24") for frame in clip.decode(video=0)]
    assert len(shown) >= 15
    assert shown[0].shape == (480, 640, 3)
    lines = files["JSON lines"].read_text(encoding="utf-8").splitlines()
    assert json.loads(lines[-1])["frame"] == len(lines) - 1
    delete, heading = page.get_by_role("button", name="Delete"), page.get_by_text("Recordings (1)")
    click_until(delete, heading.is_hidden, patience=30)
    live.stop()


def test_m_marks_wherever_the_focus_is_but_not_in_a_note(open_live):
    live = open_live()
    page = live.page
    live.start(20)  # the click on START leaves the focus in the stream's own frame
    mark(page)
    wait_timeline(live, "markers", 1)
    live.toggle("Bars")  # and this one on a switch
    mark(page)
    wait_timeline(live, "markers", 2)
    page.get_by_role("button", name="Note", exact=True).click()
    note = page.get_by_label("Note for the next mark")
    note.fill("")
    note.press_sequentially("mmm")
    note.press("Enter")
    page.keyboard.press("Escape")
    page.get_by_text("Expressions, last minute").click()
    mark(page)
    wait_timeline(live, "markers", 3)
    page.wait_for_timeout(1500)
    assert timeline(live, "markers") == 3
    live.stop()


def test_a_neutral_face_is_held_where_the_panel_counts_it(open_live):
    """On a phone the window with the button lay over the panel."""
    live = open_live(viewport=PHONE)
    page = live.page
    live.start(20)
    live.wait_panel(lambda panel: panel.faces == 1)
    hold = page.get_by_role("button", name="Hold it now")
    click_until(page.get_by_role("button", name="Neutral face"), hold.is_visible)
    click_until(hold, hold.is_hidden)
    expect(page.get_by_text("Relative to the neutral face of #")).to_be_visible(timeout=PATIENCE)
    live.stop()


def test_a_pause_keeps_the_connection_and_goes_on_at_once(open_live):
    live = open_live()
    video = live.start(20)
    live.press("Pause", "Go on")
    expect(live.page.get_by_text("Paused. The connection stays.")).to_be_visible(timeout=PATIENCE)
    live.goes_on(video, 10)  # the frame that was in work when the pause came is counted by now
    analysed = live.panel().frames
    live.page.wait_for_timeout(1500)
    live.goes_on(video, 10)
    assert live.panel().frames == analysed
    still = live.grab(video)
    assert still.mean() < 90, "the picture is dimmed"
    live.press("Go on", "Pause")
    live.wait_panel(lambda panel: panel.frames > analysed + 10)
    live.stop()


def test_the_timeline_grows_without_stopping_the_video(open_live):
    live = open_live()
    video = live.start(20)
    wait_timeline(live, "points", 4)
    wait_timeline(live, "points", timeline(live, "points") + 4)
    live.goes_on(video, 15)
    pick(live.page.get_by_role("radio", name="10 min"))
    expect(live.page.get_by_text("10 min ago")).to_be_visible(timeout=PATIENCE)
    live.goes_on(video, 10)
    live.stop()


def test_privacy_leaves_no_face_and_keeps_the_label(open_live):
    live = open_live()
    live.toggle("Privacy")
    video = live.start(30)
    live.wait_panel(lambda panel: panel.faces == 1 and panel.shares["happy"] > 0)
    shown = live.grab(video)
    # The barcode may lie under the blur, as a large face reaches the top of the picture.
    number, mirrored = nearest_frame(shown)
    assert mirrored
    x0, y0, x1, y1 = (round(value) for value in face_box(number, mirrored))
    clean = picture(number)[:, ::-1] if mirrored else picture(number)

    def detail(image: np.ndarray) -> float:
        inner = image[y0 + 30 : y1 - 30, x0 + 30 : x1 - 30].astype(float).mean(axis=2)
        return float(np.abs(np.diff(inner, axis=1)).mean())

    assert detail(shown) < 0.5 * detail(clean)
    live.stop()


def test_snapshots_work_without_a_stream(open_live):
    live = open_live()
    page = live.page
    live.unfold("The picture does not come up?")
    live.toggle("Snapshots instead")
    page.wait_for_function(CAMERA_READY, timeout=PATIENCE)
    cleared = page.get_by_role("button", name="Clear photo")
    click_until(page.get_by_role("button", name="Take Photo"), cleared.is_visible)
    expect(page.get_by_text("The face: happy")).to_be_visible(timeout=PATIENCE)
