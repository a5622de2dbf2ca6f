"""Each tab from its first to its last step without a mouse, at both widths."""

from __future__ import annotations

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.fake_camera import picture
from tests.browser.live_page import PATIENCE, LivePage
from tests.browser.test_live_actions import wait_timeline
from tests.browser.test_photo_page import cards
from tests.browser.test_video_page import SHORT, player, state
from tests.clips import make_clip

WIDTHS = pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
MOST_STEPS = 40


def reach(page: Page, wanted: Locator, key: str = "Tab") -> None:
    """Walk with the tab key until `wanted` has the focus; whoever cannot be reached fails."""
    expect(wanted).to_be_visible(timeout=PATIENCE)
    for _ in range(MOST_STEPS):
        page.keyboard.press(key)
        if wanted.evaluate("e => e === e.ownerDocument.activeElement && document.hasFocus()"):
            return
    raise AssertionError(f"{MOST_STEPS} times {key} do not lead to {wanted}")


def press(page: Page, name: str, key: str = "Enter") -> None:
    reach(page, page.get_by_role("button", name=name, exact=True))
    page.keyboard.press(key)


def open_tab(live: LivePage, steps: int) -> None:
    """Go to another tab: tabs are one stop, and arrows walk along them."""
    page = live.page
    reach(page, page.get_by_role("tab", name="Live"))
    for _ in range(steps):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    live.settled()


@WIDTHS
def test_live_from_start_to_stop(open_live, viewport):
    live = open_live(viewport=viewport)
    page = live.page
    reach(page, live.button("START"))
    page.keyboard.press("Enter")
    live.wait_panel(lambda panel: panel.faces == 1)
    page.keyboard.press("m")
    wait_timeline(live, "markers", 1)
    press(page, "Pause")
    press_again = page.get_by_role("button", name="Go on", exact=True)
    expect(press_again).to_be_focused(timeout=PATIENCE)  # it has taken the other's place
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_visible(timeout=PATIENCE)
    press(page, "Record")
    expect(page.get_by_role("button", name="End", exact=True)).to_be_focused(timeout=PATIENCE)
    mirror = page.get_by_role("switch", name="Mirror")
    reach(page, mirror)
    page.keyboard.press("Space")
    expect(mirror).not_to_be_checked(timeout=PATIENCE)
    reach(page, page.get_by_role("button", name="End", exact=True), "Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Recordings (1)")).to_be_visible(timeout=PATIENCE)
    reach(page, live.button("STOP"), "Shift+Tab")
    page.keyboard.press("Enter")
    expect(live.button("START")).to_be_enabled(timeout=PATIENCE)


@WIDTHS
def test_video_from_upload_to_a_place_in_the_clip(open_live, tmp_path, viewport):
    live = open_live(viewport=viewport)
    page = live.page
    open_tab(live, 1)
    with page.expect_file_chooser() as chooser:
        press(page, "Upload")
    chooser.value.set_files(str(make_clip(tmp_path / "clip.mp4", SHORT)))
    state(page, "clip.mp4", "ready")
    live.settled()
    press(page, "Annotate")
    state(page, "clip.mp4", "done")
    video = player(page)
    live.settled()
    press(page, "Show")
    slider = page.get_by_role("slider", name="Place in the clip")
    expect(slider).to_be_focused(timeout=PATIENCE)  # who asks for a result is taken there
    page.keyboard.press("ArrowRight")
    page.wait_for_function("v => v.currentTime > 0.9", arg=video, timeout=PATIENCE)
    reach(page, page.get_by_role("link", name="Download the clip"))
    with page.expect_download() as waiting:
        page.keyboard.press("Enter")
    assert waiting.value.suggested_filename == "clip-expressions.mp4"


@WIDTHS
def test_photo_from_upload_to_what_the_network_looked_at(open_live, tmp_path, viewport):
    Image.fromarray(picture(0, barcode=False)).save(tmp_path / "face.png")
    live = open_live(viewport=viewport)
    page = live.page
    open_tab(live, 2)
    panel = page.get_by_role("tabpanel", name="Photo")
    with page.expect_file_chooser() as chooser:
        reach(page, panel.get_by_role("button", name="Upload", exact=True))
        page.keyboard.press("Enter")
    chooser.value.set_files(str(tmp_path / "face.png"))
    expect(cards(page).locator("[data-label]")).to_have_count(1, timeout=PATIENCE)
    live.settled()
    reach(page, panel.get_by_role("switch", name="What the network looked at"))
    page.keyboard.press("Space")
    expect(cards(page).get_by_alt_text("Heat map")).to_be_visible(timeout=PATIENCE)
