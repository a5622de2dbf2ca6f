"""Which camera, and how wide: what the viewer chooses is what the stream has."""

from __future__ import annotations

import pytest
from playwright.sync_api import ElementHandle, expect

from tests.browser.conftest import CAMERA, GRANT
from tests.browser.live_page import PATIENCE, LivePage, click_until

LABEL = "() => window.camera.getVideoTracks()[0].label"
SIZE = "v => [v.videoWidth, v.videoHeight]"


@pytest.fixture(scope="module")
def two_cameras(launch):
    """A browser with two cameras, which have Chromium's own picture: a clip is one camera only.

    Of Chromium's fake ones the second measures depths, and no page can show those: there are three.
    """
    return launch(GRANT, f"{CAMERA}=device-count=3")


def filmed_by(video: ElementHandle) -> str:
    """The name of the camera behind the stream."""
    frame = video.owner_frame()
    assert frame is not None
    label: str = frame.evaluate(LABEL)
    return label


def choose_camera(live: LivePage, name: str) -> None:
    live.button("SELECT DEVICE").click()
    # The browser draws the list of such a box itself, out of a page's reach.
    box = live.frame.get_by_label("Video Input")
    expect(box.locator("option")).to_have_count(3, timeout=PATIENCE)
    box.select_option(name)
    live.button("Done").click()
    expect(live.button("START")).to_be_enabled(timeout=PATIENCE)


def test_the_camera_that_is_chosen_is_the_one_that_films(open_live, two_cameras):
    live = open_live(browser=two_cameras)
    for name in ("fake_device_2", "fake_device_0"):
        choose_camera(live, name)
        assert filmed_by(live.start(10)) == name
        live.stop()


def test_without_a_choice_the_browser_has_its_own(open_live, two_cameras):
    live = open_live(browser=two_cameras)
    assert filmed_by(live.start(10)) == "fake_device_0"
    live.stop()


def test_the_picture_is_as_wide_as_was_chosen(open_live):
    live = open_live()
    video = live.start(10)
    assert video.evaluate(SIZE) == [640, 480]
    live.stop()
    width = live.page.locator('[data-testid="stSlider"]', has_text="Width of the picture")
    # While the page is drawn anew after the stop, the button may be there twice for a moment.
    camera = live.page.get_by_role("button", name="Camera").first
    click_until(camera, width.is_visible)
    chosen = width.get_by_role("slider")
    width.locator('[data-orientation="horizontal"]').last.click(position={"x": 1, "y": 1})
    expect(chosen).to_have_attribute("aria-valuetext", "320 px")
    live.page.keyboard.press("Escape")
    live.page.wait_for_timeout(1000)  # the slider tells the server a moment later
    live.settled()
    video = live.start(10)
    owner = video.owner_frame()
    owner.wait_for_function(f"v => ({SIZE})(v).join() === '320,240'", arg=video, timeout=PATIENCE)
    assert owner.evaluate("() => window.camera.getVideoTracks()[0].getSettings().width") == 320
    live.stop()
