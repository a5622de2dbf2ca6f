"""The Video tab in a real browser: real files in, clips that this browser plays out."""

from __future__ import annotations

import csv
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Download, ElementHandle, Locator, Page, expect

from fer_core.emotions import CLASSES
from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.fake_camera import picture
from tests.browser.live_page import LivePage, click_until, go_to_tab
from tests.browser.test_phone import OVERFLOW
from tests.clips import Clip, make_clip

PATIENCE = 90_000
RATE = 15
FRAMES = 30
SECONDS = FRAMES / RATE

INPUT = '[data-testid="stFileUploader"] input[type="file"]'
SHORT = Clip(size=(320, 240), times=tuple(i / RATE for i in range(FRAMES)))
LONG = Clip(size=(1280, 720), times=tuple(i / RATE for i in range(900)))


@pytest.fixture
def open_tab(open_live) -> Callable[..., LivePage]:
    def open_(**options) -> LivePage:
        live = open_live(**options)
        go_to_tab(live.page, "Video")
        return live

    return open_


@pytest.fixture
def video_tab(open_tab) -> LivePage:
    return open_tab()


def give(page: Page, *files: Path) -> None:
    # After an upload the place for the next one takes its place: for a moment both are there.
    expect(page.locator(INPUT)).to_have_count(1, timeout=PATIENCE)
    page.locator(INPUT).set_input_files([str(file) for file in files])
    for file in files:
        expect(row(page, file.name)).to_be_visible(timeout=PATIENCE)


def row(page: Page, name: str) -> Locator:
    title = page.locator(".fer-clip b", has_text=name)
    return page.locator('[class*="st-key-video_row_"]').filter(has=title)


def state(page: Page, name: str, *wanted: str, patience: int = PATIENCE) -> None:
    """Wait until a clip of the list is in one of these states."""
    said = page.locator(", ".join(f'.fer-clip[data-state="{each}"]' for each in wanted))
    # The first: while the page is drawn anew, what was there before may stand beside it.
    title = page.locator("b", has_text=name)
    expect(said.filter(has=title).first).to_be_attached(timeout=patience)


def annotate(page: Page) -> None:
    start = page.get_by_role("button", name="Annotate")
    click_until(start, lambda: not start.is_enabled())


def upload(page: Page, file: Path) -> None:
    give(page, file)
    annotate(page)


def player(page: Page) -> ElementHandle:
    video = page.locator('[data-testid="stVideo"]')
    expect(video).to_be_visible(timeout=PATIENCE)
    handle = video.element_handle()
    page.wait_for_function("v => v.readyState >= 2 || v.error", arg=handle, timeout=PATIENCE)
    assert handle.evaluate("v => v.error && v.error.message") is None
    return handle


def download(page: Page, name: str) -> Download:
    with page.expect_download(timeout=PATIENCE) as waiting:
        page.get_by_role("link", name=name).click()
    return waiting.value


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_clip_is_annotated_plays_in_the_page_and_can_be_taken_away(open_tab, tmp_path, viewport):
    page = open_tab(viewport=viewport).page
    upload(page, make_clip(tmp_path / "a clip.mp4", SHORT))
    video = player(page)
    assert video.evaluate("v => [v.videoWidth, v.videoHeight]") == [320, 240]
    assert video.evaluate("v => v.duration") == pytest.approx(SECONDS, abs=0.2)
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    assert page.evaluate(OVERFLOW) == []
    video.evaluate("v => { v.muted = true; return v.play(); }")
    page.wait_for_function("v => v.currentTime > 0.3", arg=video, timeout=PATIENCE)

    table = download(page, "Table (CSV)")
    assert table.suggested_filename == "a clip-expressions.csv"
    with table.path().open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) >= 0.9 * FRAMES, "about one face a frame"
    assert set(CLASSES) <= set(rows[0])
    objects = download(page, "Table (JSON lines)").path().read_text(encoding="utf-8")
    assert len([json.loads(line) for line in objects.splitlines()]) == FRAMES
    assert download(page, "Table (Parquet)").path().read_bytes()[:4] == b"PAR1"
    assert download(page, "Download the clip").path().stat().st_size > 5000
    report = download(page, "Report (HTML)").path().read_text(encoding="utf-8")
    assert "Facial expressions in a clip.mp4" in report
    assert "data:image/jpeg" in report


def test_a_clip_is_for_the_browser_that_brought_it_also_after_a_reload(open_tab, tmp_path):
    """Its address is copied from the player, sent to somebody, or found in a log."""
    page, other = open_tab().page, open_tab().page
    upload(page, make_clip(tmp_path / "mine.mp4", SHORT))
    address = player(page).evaluate("v => v.currentSrc")
    page.reload()
    go_to_tab(page, "Video")
    assert player(page).evaluate("v => v.currentSrc") == address
    row(page, "mine.mp4").get_by_role("button", name="Show").click()
    assert download(page, "Download the clip").suggested_filename == "mine-expressions.mp4"
    assert page.request.get(address).status == 200
    piece = page.request.get(address, headers={"Range": "bytes=0-99"})
    assert (piece.status, len(piece.body())) == (206, 100)
    assert other.request.get(address).status == 404
    row(page, "mine.mp4").get_by_role("button", name="Remove").click()
    expect(row(page, "mine.mp4")).to_have_count(0, timeout=PATIENCE)
    assert page.request.get(address).status == 404


KEEP_NO_COOKIE_OF_THE_PAGE = """(() => {
  const own = Object.getOwnPropertyDescriptor(Document.prototype, 'cookie');
  Object.defineProperty(Document.prototype, 'cookie', {
    get() { return own.get.call(this); },
    set(text) { if (!text.startsWith('fer_live')) own.set.call(this, text); },
  });
})();"""


def test_a_browser_that_does_not_keep_the_cookie_plays_a_clip_too(open_tab, tmp_path):
    page = open_tab().page
    page.add_init_script(KEEP_NO_COOKIE_OF_THE_PAGE)
    page.context.clear_cookies()
    page.reload()
    go_to_tab(page, "Video")
    upload(page, make_clip(tmp_path / "clip.mp4", SHORT))
    assert player(page).evaluate("v => v.videoWidth") == 320
    assert download(page, "Download the clip").path().stat().st_size > 5000
    assert not [one for one in page.context.cookies() if one["name"].startswith("fer_live")]


def test_an_upload_does_not_stay_in_the_servers_memory(open_tab, app, tmp_path):
    megabytes = 100
    file = tmp_path / "large.mp4"
    with file.open("wb") as stream:
        for _ in range(megabytes):
            stream.write(os.urandom(1_000_000))
    page = open_tab().page
    give(page, make_clip(tmp_path / "first.mp4"))
    before = app.memory_mb()
    give(page, file)
    deadline = time.monotonic() + PATIENCE / 1000
    while app.memory_mb() > before + megabytes / 3:
        assert time.monotonic() < deadline
        page.wait_for_timeout(200)


def test_the_timeline_takes_the_player_to_any_place(video_tab, tmp_path):
    page = video_tab.page
    upload(page, make_clip(tmp_path / "clip.mp4", SHORT))
    video = player(page)
    slider = page.get_by_role("slider", name="Place in the clip")
    lane = page.locator(".strip").first
    expect(lane.locator("path").first).to_be_attached(timeout=PATIENCE)
    expect(page.locator(".who img").first).to_be_visible()

    def at(low: float, high: float) -> None:
        inside = f"v => !v.seeking && v.currentTime >= {low} && v.currentTime <= {high}"
        page.wait_for_function(inside, arg=video, timeout=PATIENCE)

    for place, share in ((slider, 0.75), (lane, 0.25)):
        box = place.bounding_box()
        place.click(position={"x": share * box["width"], "y": box["height"] / 2})
        at((share - 0.03) * SECONDS, (share + 0.03) * SECONDS)
    slider.focus()
    for key, low, high in (("End", SECONDS - 0.3, SECONDS), ("Home", 0, 0.01)):
        page.keyboard.press(key)
        at(low, high)
    page.keyboard.press("ArrowRight")
    at(0.9, 1.1)
    assert slider.get_attribute("aria-valuetext") == "0:01.0 of 0:02.0"
    page.keyboard.press("Space")
    page.wait_for_function("v => v.currentTime > 1.2", arg=video, timeout=PATIENCE)


def test_clips_wait_in_line_can_be_cancelled_and_tried_again(video_tab, tmp_path):
    page = video_tab.page
    give(page, make_clip(tmp_path / "long.mp4", LONG), make_clip(tmp_path / "short.mp4", SHORT))
    page.get_by_role("button", name="Annotate 2 clips").click(timeout=PATIENCE)
    state(page, "long.mp4", "running")
    state(page, "short.mp4", "queued")
    expect(row(page, "short.mp4")).to_contain_text("In line, 1 before it")
    expect(row(page, "long.mp4").get_by_text(" left")).to_be_visible(timeout=PATIENCE)
    row(page, "long.mp4").get_by_role("button", name="Cancel").click()
    state(page, "long.mp4", "cancelled")
    expect(row(page, "long.mp4")).to_contain_text("Cancelled. Nothing was kept of the result.")
    state(page, "short.mp4", "done")
    expect(page.get_by_role("heading", name="short.mp4")).to_be_visible(timeout=PATIENCE)
    row(page, "long.mp4").get_by_role("button", name="Retry").click()
    state(page, "long.mp4", "running")
    row(page, "long.mp4").get_by_role("button", name="Cancel").click()
    state(page, "long.mp4", "cancelled")
    video_tab.settled()
    row(page, "long.mp4").get_by_role("button", name="Remove").click()
    expect(row(page, "long.mp4")).to_have_count(0, timeout=PATIENCE)
    expect(row(page, "short.mp4")).to_have_count(1)


def test_a_result_is_brought_to_the_screen_from_a_long_list(open_tab, tmp_path):
    """Seven clips made a list longer than the screen, with the asked-for result below it."""
    page = open_tab(viewport=PHONE).page
    upright = make_clip(tmp_path / "upright.mp4", SHORT.but(size=(240, 426)))
    give(page, make_clip(tmp_path / "wide.mov", SHORT), upright)
    annotate(page)
    state(page, "upright.mp4", "done")
    for name in "abcdef":
        (tmp_path / f"{name}.mp4").write_bytes(upright.read_bytes()[:400])
    give(page, *(tmp_path / f"{name}.mp4" for name in "abcdef"))
    expect(row(page, "a.mp4")).to_contain_text("400 bytes")
    player(page)
    show = row(page, "upright.mp4").get_by_role("button", name="Show")
    show.scroll_into_view_if_needed()
    video = page.locator('[data-testid="stVideo"]')
    expect(video).not_to_be_in_viewport(ratio=0.5)
    for _ in range(2):  # also when it is the one that is shown already
        show.click()
        expect(video).to_be_in_viewport(ratio=0.95)
    edges = video.bounding_box()
    assert edges["height"] <= 0.72 * PHONE["height"]
    assert edges["width"] <= PHONE["width"]


def test_a_reload_finds_the_job_and_its_result_again(video_tab, tmp_path):
    page = video_tab.page
    upload(page, make_clip(tmp_path / "kept.mp4", LONG))
    state(page, "kept.mp4", "running")
    page.reload()
    go_to_tab(page, "Video")
    state(page, "kept.mp4", "running", "done")
    row(page, "kept.mp4").get_by_role("button", name="Cancel").click()
    state(page, "kept.mp4", "cancelled")


def test_another_browser_sees_none_of_it(open_tab, tmp_path):
    first, second = open_tab().page, open_tab().page
    give(first, make_clip(tmp_path / "mine.mp4", SHORT))
    second.reload()
    go_to_tab(second, "Video")
    expect(second.locator(INPUT)).to_be_attached(timeout=PATIENCE)
    second.wait_for_timeout(2000)
    expect(row(second, "mine.mp4")).to_have_count(0)


def test_a_part_of_a_clip_and_some_of_its_frames(video_tab, tmp_path):
    page = video_tab.page
    give(page, make_clip(tmp_path / "clip.mp4", SHORT))
    for field, text in (("From", "0:00.5"), ("To", "0:01.5")):
        box = page.get_by_label(field, exact=True)
        box.fill(text)
        box.press("Enter")
    video_tab.settled()
    annotate(page)
    state(page, "clip.mp4", "done")
    expect(row(page, "clip.mp4")).to_contain_text("0:00.5 to 0:01.5")
    assert player(page).evaluate("v => v.duration") == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize("kind", ["text", "empty", "cut"])
def test_what_is_no_clip_is_one_sentence(video_tab, tmp_path, kind):
    file = tmp_path / "clip.mp4"
    if kind == "text":
        file.write_text("This is not a video.\n" * 50)
    elif kind == "empty":
        file.touch()
    else:
        whole = make_clip(tmp_path / "whole.mp4").read_bytes()
        file.write_bytes(whole[: len(whole) // 3])
    page = video_tab.page
    upload(page, file)
    state(page, "clip.mp4", "failed")
    said = page.locator('[data-testid="stAlertContentError"]').locator("visible=true")
    expect(said.first).to_be_visible(timeout=PATIENCE)
    assert said.count() == 1
    words = said.inner_text()
    assert "Traceback" not in words
    assert 10 < len(words) < 400
    expect(row(page, "clip.mp4").get_by_role("button", name="Retry")).to_be_enabled()


def test_an_upload_outlives_a_look_at_the_other_tabs(video_tab, tmp_path):
    page = video_tab.page
    file = make_clip(tmp_path / "kept.mp4")
    give(page, file)
    for tab in ("Training metrics", "Live", "Video"):
        go_to_tab(page, tab)
        page.wait_for_timeout(1000)
    expect(row(page, "kept.mp4")).to_be_visible()
    expect(page.get_by_role("button", name="Annotate")).to_be_enabled(timeout=PATIENCE)


def test_a_camera_recording_as_motion_jpeg_in_avi_is_taken_too(video_tab, tmp_path):
    """What cheap cameras write; the browser itself could not play it."""
    import av

    file = tmp_path / "camera.avi"
    with av.open(str(file), "w") as out:
        stream = out.add_stream("mjpeg", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuvj420p"
        for number in range(15):
            frame = av.VideoFrame.from_ndarray(picture(number), format="rgb24")
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    upload(video_tab.page, file)
    expect(video_tab.page.locator('[data-testid="stVideo"]')).to_be_visible(timeout=PATIENCE)
