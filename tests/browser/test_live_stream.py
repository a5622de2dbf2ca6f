"""The main job: a camera in, labelled faces out, in a real browser."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import expect

from fer_core.overlay.privacy import blur_faces
from fer_core.results import Box
from tests.browser.fake_camera import (
    FRAMES,
    HEIGHT,
    WIDTH,
    face_box,
    nearest_frame,
    picture,
    read_number,
)
from tests.browser.first_frames import CHANGED, FirstFrames, drawn_box
from tests.browser.live_page import COUNT, LivePage

pytestmark = pytest.mark.alone


def numbered(live: LivePage, video) -> tuple[np.ndarray, int, bool]:
    """What the video shows, its number in the clip, and whether it is mirrored."""
    for _ in range(10):  # a frame under heavy compression may be unreadable
        shown = live.grab(video)
        read = read_number(shown)
        if read is not None:
            return shown, *read
        live.page.wait_for_timeout(100)
    raise AssertionError("no frame with a readable number came back")


def test_the_clip_tells_its_own_frames():
    for number in (0, 1, 77, 149):
        clean = picture(number)
        assert clean.shape == (HEIGHT, WIDTH, 3)
        assert read_number(clean) == (number, False)
        assert read_number(clean[:, ::-1]) == (number, True)


def test_a_barcode_under_a_blurred_face_is_not_read_as_another():
    for number in range(FRAMES):
        blurred = picture(number)
        blur_faces(blurred, [Box(*face_box(number))])
        assert read_number(blurred) in (None, (number, False))


@pytest.mark.parametrize("mirrored", [True, False])
def test_a_frame_is_known_by_what_is_not_blurred(mirrored):
    for number in range(0, FRAMES, 7):
        blurred = picture(number)[:, ::-1].copy() if mirrored else picture(number)
        blur_faces(blurred, [Box(*face_box(number, mirrored))])
        assert nearest_frame(blurred) == (number, mirrored)


@pytest.mark.parametrize("boxes", [True, False])
def test_the_first_labelled_frame_is_told_from_those_before_it(open_live, boxes):
    live = open_live()
    if not boxes:
        live.page.get_by_role("button", name="More").click()
        live.toggle("Box")
        live.page.keyboard.press("Escape")
    first = FirstFrames(live)
    live.start(60)
    seconds = first.labelled()
    assert (seconds is not None) == boxes
    assert seconds is None or 0 < seconds < 30
    live.stop()


@pytest.mark.parametrize("mirrored", [True, False])
def test_a_box_and_a_label_are_drawn_where_the_face_is(open_live, mirrored):
    live = open_live()
    if not mirrored:
        live.toggle("Mirror")
    video = live.start(30)
    live.wait_panel(lambda panel: panel.faces == 1)
    overlaps, plates = [], []
    for _ in range(8):
        live.goes_on(video, 5)
        shown, number, turned = numbered(live, video)
        assert shown.shape == (HEIGHT, WIDTH, 3), "the camera's size came back"
        assert turned == mirrored
        clean = picture(number)[:, ::-1] if mirrored else picture(number)
        face = Box(*face_box(number, mirrored))
        outline = drawn_box(shown, clean, face)
        overlaps.append(outline.iou(face))
        # The label stands on a dark plate just above or below the box.
        x0, x1 = int(outline.x0), int(outline.x1)
        strips = [
            shown[max(24, int(outline.y0) - 32) : int(outline.y0) - 4, x0:x1],
            shown[int(outline.y1) + 4 : int(outline.y1) + 32, x0:x1],
        ]
        plates.append(
            any((s.max(axis=2) < 60).any() and (s.min(axis=2) > 200).any() for s in strips)
        )
    assert np.median(overlaps) > 0.5, overlaps
    assert sum(plates) >= 6, plates
    live.stop()


def test_the_panel_renews_itself_and_the_page_does_not_run(open_live):
    """Each run of the page costs the browser time in which it shows no picture."""
    live = open_live()
    runs: list[object] = []
    live.page.on(
        "websocket",
        lambda socket: socket.on("framereceived", lambda message: runs.append(message)),
    )
    live.page.reload()
    live.open()
    live.start(30)
    first = live.wait_panel(lambda panel: panel.faces == 1)
    live.page.wait_for_timeout(3000)
    assert runs, "the page came by this way"
    runs.clear()
    live.page.wait_for_timeout(5000)
    assert live.panel().frames > first.frames + 30
    assert len(runs) <= 5, "not one message a renewal, of which there were ten"


def test_the_panel_counts_and_the_process_stays_light(open_live, app):
    live = open_live()
    assert live.panel().frames == 0
    live.start()
    first = live.wait_panel(lambda panel: panel.faces == 1 and panel.frames > 30)
    later = live.wait_panel(lambda panel: panel.frames > first.frames + 20)
    assert later.frames_per_second > 1  # how many is measured elsewhere
    assert sum(later.shares.values()) == pytest.approx(1, abs=0.01)
    assert all(float(later.stages[stage]) > 0 for stage in ("read", "detect", "classify", "draw"))
    assert later.errors == 0
    live.stop()
    assert "tensorflow" not in app.libraries()
    assert app.memory_mb() < 600


def test_settings_act_while_the_stream_runs(open_live):
    live = open_live()
    video = live.start(30)
    live.wait_panel(lambda panel: panel.faces == 1)

    live.page.get_by_role("slider").focus()
    live.page.keyboard.press("End")
    live.wait_panel(lambda panel: panel.shares["uncertain"] > 0)
    live.page.keyboard.press("Home")
    expect(live.page.get_by_role("slider")).to_have_value("0")

    def ink() -> int:
        shown, number, turned = numbered(live, video)
        clean = picture(number)[:, ::-1] if turned else picture(number)
        return int((np.abs(shown.astype(int) - clean).max(axis=2) > CHANGED)[24:].sum())

    before = np.median([ink() for _ in range(3)])
    live.toggle("Bars")
    live.goes_on(video, 20)
    assert np.median([ink() for _ in range(3)]) > 1.5 * before

    live.toggle("Mirror")
    live.goes_on(video, 20)
    assert numbered(live, video)[2] is False
    live.stop()


@pytest.mark.parametrize("detector", ["Haar", "MediaPipe"])
def test_another_detector_takes_over_in_mid_stream(open_live, app, detector):
    live = open_live()
    video = live.start(20)
    live.wait_panel(lambda panel: panel.faces == 1)
    live.choose("Face detector", detector)
    live.page.wait_for_timeout(4000)
    live.goes_on(video, 20)
    live.wait_panel(lambda panel: panel.faces == 1)
    assert live.panel().errors == 0
    live.stop()
    assert app.memory_mb() < 600
    assert "tensorflow" not in app.libraries()


def test_quick_double_clicks_and_dragged_sliders_do_not_end_the_stream(open_live, app):
    live = open_live()
    video = live.start(20)
    slider = live.page.get_by_role("slider")
    mirror = live.page.locator('[data-testid="stCheckbox"]', has_text="Mirror").locator("label")
    for burst in range(10):
        mirror.dblclick()
        where = slider.bounding_box()
        y = where["y"] + where["height"] / 2
        live.page.mouse.move(where["x"] + where["width"] / 2, y)
        live.page.mouse.down()
        for step in range(12):
            live.page.mouse.move(where["x"] + (-1) ** burst * 8 * step, y)
        live.page.mouse.up()
        mirror.click(click_count=3, delay=10)
    expect(live.button("STOP")).to_be_visible()
    live.goes_on(video, 30)
    assert live.panel().errors == 0
    assert "resetting stale state" not in app.said()
    live.stop()


def test_the_stream_goes_on_behind_the_other_tabs(open_live):
    live = open_live()
    video = live.start(20)
    for tab in ("Video", "Training metrics", "Live"):
        before = video.evaluate(COUNT)
        live.tab(tab)
        live.page.wait_for_timeout(2500)
        assert live.page.locator('[data-testid="stException"]').count() == 0
    live.goes_on(video, 20)
    assert video.evaluate(COUNT) >= before + 20
    live.stop()
