"""The Photo tab in a real browser, by mouse and by keyboard, at a desk and on a phone."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from fer_core.emotions import CLASSES
from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.fake_camera import picture
from tests.browser.live_page import CAMERA_READY, go_to_tab, switch_over
from tests.browser.test_phone import OVERFLOW

PATIENCE = 90_000
CARD = '[class*="st-key-photo_card_"]'


@pytest.fixture
def files(tmp_path: Path, astronaut: np.ndarray) -> list[str]:
    """Two pictures with a face, one of them lying on its side, and one that is none."""
    Image.fromarray(astronaut).save(tmp_path / "portrait.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = Image.fromarray(np.ascontiguousarray(np.rot90(astronaut[:300, 80:360])))
    lying.save(tmp_path / "turned.jpg", exif=exif)
    (tmp_path / "diary.jpg").write_text("Dear diary")
    return [str(tmp_path / name) for name in ("portrait.png", "diary.jpg", "turned.jpg")]


def photo_tab(live) -> Page:
    page: Page = live.page
    go_to_tab(page, "Photo")
    expect(page.get_by_text("Up to 24 pictures")).to_be_visible(timeout=PATIENCE)
    return page


def drop(page: Page, files: list[str]) -> None:
    chooser = page.get_by_role("tabpanel", name="Photo").locator('input[type="file"]')
    chooser.set_input_files(files)
    expect(page.get_by_text("Download the table")).to_be_visible(timeout=PATIENCE)


def cards(page: Page) -> Locator:
    return page.locator(CARD)


def turn_on(card: Locator, words: str) -> None:
    switch_over(card.locator('[data-testid="stCheckbox"]', has_text=words))


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_pictures_are_shown_with_faces_heat_and_two_detectors(open_live, files, viewport):
    page = photo_tab(open_live(viewport=viewport))
    drop(page, files)
    expect(cards(page)).to_have_count(3)
    said = page.locator('[data-testid="stAlertContentError"]').locator("visible=true")
    expect(said).to_have_count(1)
    expect(said).to_contain_text("diary.jpg: ")
    for number, name, size in ((0, "portrait.png", "512 x 512"), (2, "turned.jpg", "280 x 300")):
        card = cards(page).nth(number)
        expect(card).to_contain_text(name)
        expect(card).to_contain_text(f"{size}, 1 face")
        expect(card.locator('[data-label="happy"] .fer-row')).to_have_count(len(CLASSES))
        shown = card.get_by_alt_text(f"{name}, 1 face").element_handle()
        page.wait_for_function("i => i.complete && i.naturalWidth > 100", arg=shown)
    turned = cards(page).nth(2)
    turn_on(turned, "What the network looked at")
    heat = turned.get_by_alt_text("Heat map of face 1")
    expect(heat).to_be_visible(timeout=PATIENCE)
    page.wait_for_function("i => i.naturalWidth > 100", arg=heat.element_handle())
    turn_on(turned, "Two detectors side by side")
    expect(turned.get_by_text("Haar (classic): 1 face")).to_be_visible(timeout=PATIENCE)
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    assert page.evaluate(OVERFLOW) == []


def test_the_downloads_hold_what_is_shown(open_live, files):
    page = photo_tab(open_live())
    drop(page, files)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download the table").click()
    assert waiting.value.suggested_filename == "expressions.csv"
    text = waiting.value.path().read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["source"], row["label"]) for row in rows] == [
        ("portrait.png", "happy"),
        ("turned.jpg", "happy"),
    ]
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download everything").click()
    whole = json.loads(waiting.value.path().read_text(encoding="utf-8"))
    assert ["error" in item for item in whole["pictures"]] == [False, True, False]


def test_a_snapshot_by_keyboard_and_no_camera_before(open_live):
    page = photo_tab(open_live())
    panel = page.get_by_role("tabpanel", name="Photo")
    asked = "() => document.querySelectorAll('[data-testid=\"stCameraInput\"] video').length"
    assert page.evaluate(asked) == 0
    panel.locator(".st-key-photo_camera input").focus()
    page.keyboard.press("Space")
    take = panel.get_by_role("button", name="Take photo")
    expect(take).to_be_enabled(timeout=PATIENCE)
    page.wait_for_function(CAMERA_READY, timeout=PATIENCE)
    take.focus()
    page.keyboard.press("Enter")
    expect(cards(page)).to_have_count(1, timeout=PATIENCE)
    expect(cards(page)).to_contain_text("Snapshot", timeout=PATIENCE)
    expect(cards(page).locator("[data-label]")).to_have_count(1, timeout=PATIENCE)


def test_the_pictures_outlive_a_look_at_the_other_tabs(open_live, tmp_path):
    Image.fromarray(picture(0, barcode=False)).save(tmp_path / "kept.png")
    page = photo_tab(open_live())
    drop(page, [str(tmp_path / "kept.png")])
    for tab in ("Training metrics", "Live", "Photo"):
        go_to_tab(page, tab)
        page.wait_for_timeout(1000)
    expect(cards(page)).to_contain_text("kept.png")
    expect(cards(page).locator("[data-label]")).to_have_count(1, timeout=PATIENCE)


def test_a_live_stream_goes_on_while_pictures_are_read(open_live, files):
    live = open_live()
    video = live.start(20)
    page = photo_tab(live)
    drop(page, files)
    turn_on(cards(page).nth(0), "What the network looked at")
    expect(cards(page).nth(0).get_by_alt_text("Heat map")).to_be_visible(timeout=PATIENCE)
    live.tab("Live")
    live.goes_on(video, 10)
    live.stop()
