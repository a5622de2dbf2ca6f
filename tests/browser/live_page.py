"""The Live tab as a test uses it: open, START, look, STOP."""

from __future__ import annotations

import base64
import io
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image
from playwright.sync_api import ElementHandle, Locator, Page, expect

FRAME = 'iframe[title="streamlit_webrtc.component.webrtc_streamer"]'
IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]'
PATIENCE = 120_000

COUNT = "v => v.getVideoPlaybackQuality().totalVideoFrames"  # currentTime goes on without frames

GRAB = """v => {
  const c = document.createElement('canvas');
  c.width = v.videoWidth; c.height = v.videoHeight;
  c.getContext('2d').drawImage(v, 0, 0);
  return c.toDataURL('image/png').split(',')[1];
}"""

# Runs in every frame before its own scripts: keeps the camera's stream, so that a test can see
# what the camera shows at the same moment as what comes back from the server.
KEEP_CAMERA = """(() => {
  const devices = navigator.mediaDevices;
  if (!devices || !devices.getUserMedia) return;
  const ask = devices.getUserMedia.bind(devices);
  devices.getUserMedia = async wish => (window.camera = await ask(wish));
})();"""

# Reads the barcode of each newly presented frame, of the camera and of what comes back; without
# `shown` of each frame, presented or not. One headless browser with several pages now and then
# paints none of them for many seconds, which says nothing about the server.
MEASURE = """async (back, seconds, shown = true) => {
  const canvas = document.createElement('canvas');
  canvas.width = 64; canvas.height = 1;
  const pen = canvas.getContext('2d', {willReadFrequently: true});
  const read = v => {
    const w = v.videoWidth ?? v.displayWidth, h = v.videoHeight ?? v.displayHeight;
    pen.drawImage(v, 0, h * 8 / 480, w, h * 8 / 480, 0, 0, 64, 1);
    const dots = pen.getImageData(0, 0, 64, 1).data;
    let cells = [];
    for (let i = 0; i < 16; i++) cells.push(dots[4 * (4 * i + 2) + 1] > 127 ? 1 : 0);
    if (cells[0] && cells[1]) cells.reverse();
    const bits = cells.slice(2, 13);
    const odd = bits.reduce((a, b) => a ^ b, 0);
    if (!cells[0] || cells[1] || cells[13] !== odd || !cells[14] || !cells[15]) return null;
    return bits.reduce((n, bit) => 2 * n + bit, 0);
  };
  const noting = seen => {
    let last = null;
    return picture => {
      const number = read(picture);
      if (number !== null && number !== last) seen.push([number, performance.now()]);
      last = number ?? last;
    };
  };
  const watch = (video, seen) => {
    const note = noting(seen);
    const step = () => {
      note(video);
      if (!stop) video.requestVideoFrameCallback(step);
    };
    video.requestVideoFrameCallback(step);
  };
  const take = async (stream, seen) => {
    const note = noting(seen);
    const track = stream.getVideoTracks()[0].clone();
    const frames = new MediaStreamTrackProcessor({track}).readable.getReader();
    while (!stop) {
      const {value, done} = await frames.read();
      if (done) break;
      note(value);
      value.close();
    }
    track.stop();
  };
  let stop = false;
  const given = [], returned = [];
  const front = document.createElement('video');
  if (shown) {
    front.muted = true; front.srcObject = window.camera; await front.play();
    watch(front, given); watch(back, returned);
  } else {
    take(window.camera, given); take(back.srcObject, returned);
  }
  await new Promise(done => setTimeout(done, 1000 * seconds));
  stop = true; front.srcObject = null;
  return {given, returned};
}"""


AT_REST = "e => e.getAnimations({subtree: true}).every(a => a.playState !== 'running')"

CAMERA_READY = """() => {
  const v = document.querySelector('[data-testid="stCameraInput"] video');
  return v && v.videoWidth > 0 && v.readyState >= 2;
}"""
"""Before its first frame, a click on Take Photo takes none."""


def click_until(target: Locator, done: Callable[[], bool], patience: float = 10) -> None:
    """Click `target` until `done`; once more each `patience` seconds while it is still there.

    What is clicked may be moving, because something above it is being drawn or unfolds: the button
    then goes down on one thing and up on another, and nothing comes of it. A person sees that and
    clicks again. What follows only from an answer of the server needs more patience.
    """
    deadline = time.monotonic() + PATIENCE / 1000
    target.click(timeout=PATIENCE)
    while True:
        again = time.monotonic() + patience
        while time.monotonic() < again:
            if done():
                return
            target.page.wait_for_timeout(50)
        assert time.monotonic() < deadline, f"no click on {target} has any effect"
        if target.is_visible():
            target.click(timeout=PATIENCE)


def unfold(part: Locator) -> None:
    """Open a folded part of a page and wait until it has come to rest."""
    click_until(part.locator("summary"), lambda: part.get_attribute("open") is not None)
    part.page.wait_for_function(AT_REST, arg=part.element_handle(), timeout=PATIENCE)


def switch_over(switch: Locator) -> None:
    """Turn a switch or a checkbox, given its whole element, to its other side."""
    box = switch.locator("input")
    before = box.is_checked(timeout=PATIENCE)
    click_until(switch.locator("label"), lambda: box.is_checked() != before)


def pick(radio: Locator) -> None:
    """Choose one of several."""
    click_until(radio, radio.is_checked)


def choose_option(box: Locator, option: str) -> None:
    """Choose `option` in a select box, given its whole element."""
    page = box.page
    shown = page.get_by_role("option", name=option)
    click_until(box.locator("input"), lambda: shown.count() > 0)
    click_until(shown.first, lambda: shown.count() == 0)
    expect(box.locator("input")).to_have_value(re.compile(re.escape(option)), timeout=PATIENCE)


def go_to_tab(page: Page, name: str) -> None:
    """Bring one of the page's tabs to the front."""
    tab = page.get_by_role("tab", name=name)
    click_until(tab, lambda: tab.get_attribute("aria-selected") == "true")


@dataclass(frozen=True)
class Panel:
    """What the panel beside the picture says."""

    frames: int
    faces: int
    errors: int
    frames_per_second: float
    shares: dict[str, float]
    stages: dict[str, str]


class LivePage:
    """One browser page that shows the app."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.frame = page.frame_locator(FRAME)

    def open(self) -> LivePage:
        """Load the page and wait until START can be pressed."""
        self.page.goto(self.url)
        expect(self.button("START")).to_be_enabled(timeout=PATIENCE)
        expect(self.page.get_by_text("Face detector")).to_be_visible(timeout=PATIENCE)
        self.settled()
        return self

    def settled(self) -> None:
        """Wait until the server has drawn all of the page, so that nothing moves under a click."""
        expect(self.page.locator(IDLE)).to_be_attached(timeout=PATIENCE)

    def button(self, name: str):
        """START, STOP or SELECT DEVICE."""
        return self.frame.get_by_role("button", name=name)

    def start(self, frames: int = 5) -> ElementHandle:
        """Press START and wait until `frames` have come back; returns the video."""
        self.button("START").click()
        video = self.frame.locator("video")
        video.wait_for(state="attached", timeout=PATIENCE)
        handle = video.element_handle()
        owner = handle.owner_frame()
        owner.wait_for_function(
            "([v, n]) => v.videoWidth > 0 && v.getVideoPlaybackQuality().totalVideoFrames > n",
            arg=[handle, frames],
            timeout=PATIENCE,
        )
        return handle

    def stop(self) -> None:
        """Press STOP and wait until START is back."""
        self.button("STOP").click()
        expect(self.button("START")).to_be_enabled(timeout=PATIENCE)

    def toggle(self, name: str) -> None:
        """Turn a switch of the settings."""
        switch_over(self.page.locator('[data-testid="stCheckbox"]', has_text=name))

    def unfold(self, name: str) -> None:
        """Open the folded part of the page that is headed `name`."""
        unfold(self.page.locator("details", has_text=name).first)

    def choose(self, box: str, option: str) -> None:
        """Choose `option` in the select box labelled `box`."""
        choose_option(self.page.locator('[data-testid="stSelectbox"]', has_text=box), option)

    def tab(self, name: str) -> None:
        """Bring one of the page's tabs to the front."""
        go_to_tab(self.page, name)

    def press(self, name: str, then: str) -> None:
        """Press a button under the picture, which calls itself `then` afterwards."""
        pressed = self.page.get_by_role("button", name=name, exact=True)
        follows = self.page.get_by_role("button", name=then, exact=True)
        click_until(pressed, follows.is_visible, patience=30)

    def numbers(self, video: ElementHandle, seconds: float) -> dict[str, list[list[float]]]:
        """Numbers and times of new frames, `given` by the camera and `returned` to `video`."""
        owner = video.owner_frame()
        assert owner is not None
        read: dict[str, list[list[float]]] = owner.evaluate(
            f"([v, s]) => ({MEASURE})(v, s)", [video, seconds]
        )
        return read

    def panel(self) -> Panel:
        """Read the panel, all of it from one moment."""
        raw = self.page.locator(".fer-panel").evaluate(
            """p => ({...p.dataset,
              shares: [...p.querySelectorAll('[data-share]')].map(
                r => [r.dataset.label, +r.dataset.share]),
              stages: [...p.querySelectorAll('[data-stage]')].map(
                s => [s.dataset.stage, s.lastChild.textContent.trim()])})"""
        )
        return Panel(
            int(raw["frames"]),
            int(raw["faces"]),
            int(raw["errors"]),
            float(raw["fps"]),
            dict(raw["shares"]),
            dict(raw["stages"]),
        )

    def wait_panel(self, right: Callable[[Panel], bool], seconds: float = 60) -> Panel:
        """The first panel of which `right` is true."""
        deadline = time.monotonic() + seconds
        while True:
            panel = self.panel()
            if right(panel):
                return panel
            assert time.monotonic() < deadline, panel
            self.page.wait_for_timeout(150)

    def grab(self, video: ElementHandle) -> np.ndarray:
        """The picture that the video shows now, RGB."""
        return np.asarray(
            Image.open(io.BytesIO(base64.b64decode(video.evaluate(GRAB)))).convert("RGB")
        )

    def goes_on(self, video: ElementHandle, frames: int = 15, seconds: float = 60) -> None:
        """Wait until the video has shown `frames` more frames."""
        goal = video.evaluate(COUNT) + frames
        deadline = time.monotonic() + seconds
        while video.evaluate(COUNT) < goal:
            assert time.monotonic() < deadline, "the picture stands still"
            self.page.wait_for_timeout(100)
