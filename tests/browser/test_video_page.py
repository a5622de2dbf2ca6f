"""The Video tab in a real browser: a real file in, a clip that this browser plays out."""

from __future__ import annotations

import csv

import pytest
from playwright.sync_api import Page, expect

from fer_core.emotions import CLASSES
from tests.browser.fake_camera import picture
from tests.browser.live_page import LivePage
from tests.clips import Clip, make_clip

PATIENCE = 90_000
RATE = 15


@pytest.fixture
def video_tab(open_live) -> LivePage:
    live = open_live()
    live.page.get_by_role("tab", name="Video").click()
    return live


def upload(page: Page, file) -> None:
    page.locator('[data-testid="stFileUploader"] input[type="file"]').set_input_files(str(file))
    page.get_by_role("button", name="Annotate").click(timeout=PATIENCE)


def test_a_clip_is_annotated_plays_in_the_page_and_has_its_table(video_tab, tmp_path):
    page = video_tab.page
    frames = 30
    clip = Clip(size=(320, 240), times=tuple(i / RATE for i in range(frames)))
    upload(page, make_clip(tmp_path / "a clip.mp4", clip))
    video = page.locator('[data-testid="stVideo"]')
    expect(video).to_be_visible(timeout=PATIENCE)
    handle = video.element_handle()
    page.wait_for_function("v => v.readyState >= 2 || v.error", arg=handle, timeout=PATIENCE)
    assert handle.evaluate("v => v.error && v.error.message") is None
    assert handle.evaluate("v => [v.videoWidth, v.videoHeight]") == [320, 240]
    assert handle.evaluate("v => v.duration") == pytest.approx(frames / RATE, abs=0.2)
    handle.evaluate("v => { v.muted = true; return v.play(); }")
    page.wait_for_function("v => v.currentTime > 0.3", arg=handle, timeout=PATIENCE)

    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download the table").click()
    assert waiting.value.suggested_filename == "a clip-expressions.csv"
    with waiting.value.path().open(newline="", encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    assert len(rows) >= 0.9 * frames, "about one face a frame"
    assert set(CLASSES) <= set(rows[0])
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download the clip").click()
    assert waiting.value.path().stat().st_size > 5000


def test_cancel_ends_the_job_and_the_page_can_start_again(video_tab, tmp_path):
    page = video_tab.page
    clip = Clip(size=(1280, 720), times=tuple(i / RATE for i in range(900)))
    upload(page, make_clip(tmp_path / "long.mp4", clip))
    expect(page.get_by_role("progressbar").first).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text(" left").first).to_be_visible(timeout=PATIENCE)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Cancelled. Nothing was kept")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_role("button", name="Annotate")).to_be_enabled(timeout=PATIENCE)


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
    said = page.locator('[data-testid="stAlertContentError"]').locator("visible=true")
    expect(said.first).to_be_visible(timeout=PATIENCE)
    assert said.count() == 1
    words = said.inner_text()
    assert "Traceback" not in words
    assert 10 < len(words) < 400
    expect(page.get_by_role("button", name="Annotate")).to_be_enabled(timeout=PATIENCE)


def test_an_upload_outlives_a_look_at_the_other_tabs(video_tab, tmp_path):
    page = video_tab.page
    file = make_clip(tmp_path / "kept.mp4")
    page.locator('[data-testid="stFileUploader"] input[type="file"]').set_input_files(str(file))
    expect(page.get_by_text("kept.mp4")).to_be_visible(timeout=PATIENCE)
    for tab in ("Training metrics", "Live", "Video"):
        page.get_by_role("tab", name=tab).click()
        page.wait_for_timeout(1000)
    expect(page.get_by_text("kept.mp4")).to_be_visible()
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
