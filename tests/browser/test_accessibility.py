"""axe-core over every tab: nothing that would keep somebody out (WCAG 2.2, A and AA)."""

from __future__ import annotations

import time

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from PIL import Image
from playwright.sync_api import expect

from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.fake_camera import picture
from tests.browser.live_page import LivePage, go_to_tab
from tests.browser.test_photo_page import PATIENCE, cards, drop, photo_tab, turn_on
from tests.browser.test_video_page import LONG, SHORT, annotate, give, player, row, state, upload
from tests.clips import make_clip

SERIOUS = ("serious", "critical")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


SECONDS = 15
"""What is being drawn or is about to go is faded for a moment; what stays wrong is a fault."""

LOOKS = pytest.mark.parametrize(
    ("theme", "viewport"), [("light", DESKTOP), ("dark", PHONE)], ids=["desktop", "phone"]
)


def faults(live: LivePage) -> list[str]:
    """What axe-core calls serious or critical, on the page and in the stream's frame."""
    for frame in live.page.frames:
        frame.evaluate(AXE_SCRIPT)
    found = live.page.evaluate(
        "tags => axe.run(document, {runOnly: tags, resultTypes: ['violations']})", RULES
    )
    return [
        f"{fault['id']}: {node['html'][:160]}: {' '.join(one['message'] for one in node['any'])}"
        for fault in found["violations"]
        if fault["impact"] in SERIOUS
        for node in fault["nodes"]
    ]


def lasting_faults(live: LivePage) -> list[str]:
    """Those that are still there when the page has come to rest."""
    deadline = time.monotonic() + SECONDS
    while (found := faults(live)) and time.monotonic() < deadline:
        live.page.wait_for_timeout(1000)
    return found


def test_a_fault_would_be_found(open_live):
    live = open_live()
    live.page.evaluate("document.querySelector('h1, .fer-title').innerHTML += '<button></button>'")
    assert any(fault.startswith("button-name") for fault in faults(live))


@LOOKS
@pytest.mark.parametrize("tab", ["Live", "Video", "Photo", "Training metrics"])
def test_no_tab_has_a_serious_fault(open_live, tab, theme, viewport):
    live = open_live(viewport=viewport, color_scheme=theme)
    go_to_tab(live.page, tab)
    live.settled()
    assert lasting_faults(live) == []


@LOOKS
def test_a_running_stream_with_all_that_is_shown_of_it_has_none(open_live, theme, viewport):
    live = open_live(viewport=viewport, color_scheme=theme)
    live.start(20)
    live.wait_panel(lambda panel: panel.faces == 1)
    live.press("Record", "End")
    assert lasting_faults(live) == []
    live.press("End", "Record")
    live.page.get_by_text("Recordings (1)").wait_for()
    assert lasting_faults(live) == []
    live.stop()


@LOOKS
def test_a_clip_at_work_and_its_result_have_none(open_live, tmp_path, theme, viewport):
    live = open_live(viewport=viewport, color_scheme=theme)
    page = live.page
    go_to_tab(page, "Video")
    upload(page, make_clip(tmp_path / "long.mp4", LONG))
    expect(row(page, "long.mp4").get_by_text(" left")).to_be_visible(timeout=PATIENCE)
    assert lasting_faults(live) == []
    row(page, "long.mp4").get_by_role("button", name="Cancel").click()
    state(page, "long.mp4", "cancelled")
    give(page, make_clip(tmp_path / "short.mp4", SHORT))
    annotate(page)
    player(page)
    expect(page.get_by_role("slider", name="Place in the clip")).to_be_visible(timeout=PATIENCE)
    expect(page.locator(".strip path").first).to_be_attached(timeout=PATIENCE)
    expect(page.locator(".who img").first).to_be_visible(timeout=PATIENCE)
    live.settled()
    assert lasting_faults(live) == []


@LOOKS
def test_a_photo_with_heat_map_and_both_detectors_has_none(open_live, tmp_path, theme, viewport):
    live = open_live(viewport=viewport, color_scheme=theme)
    Image.fromarray(picture(0, barcode=False)).save(tmp_path / "photo.png")
    page = photo_tab(live)
    drop(page, [str(tmp_path / "photo.png")])
    card = cards(page).first
    turn_on(card, "What the network looked at")
    expect(card.get_by_alt_text("Heat map of face 1")).to_be_visible(timeout=PATIENCE)
    turn_on(card, "Two detectors side by side")
    expect(card.get_by_text("Haar (classic): 1 face")).to_be_visible(timeout=PATIENCE)
    live.settled()
    assert lasting_faults(live) == []
