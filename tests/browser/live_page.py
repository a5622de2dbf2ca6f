"""The Live tab as a test uses it: open, START, look, STOP."""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image
from playwright.sync_api import ElementHandle, Page, expect

FRAME = 'iframe[title="streamlit_webrtc.component.webrtc_streamer"]'
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

# Reads the barcode of each newly presented frame, of the camera and of what comes back.
MEASURE = """async (back, seconds) => {
  const canvas = document.createElement('canvas');
  canvas.width = 64; canvas.height = 1;
  const pen = canvas.getContext('2d', {willReadFrequently: true});
  const read = v => {
    const w = v.videoWidth, h = v.videoHeight;
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
  const watch = (video, seen) => {
    let last = null;
    const step = now => {
      const number = read(video);
      if (number !== null && number !== last) seen.push([number, performance.now()]);
      last = number ?? last;
      if (!stop) video.requestVideoFrameCallback(step);
    };
    video.requestVideoFrameCallback(step);
  };
  let stop = false;
  const front = document.createElement('video');
  front.muted = true; front.srcObject = window.camera; await front.play();
  const given = [], returned = [];
  watch(front, given); watch(back, returned);
  await new Promise(done => setTimeout(done, 1000 * seconds));
  stop = true; front.srcObject = null;
  return {given, returned};
}"""


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
        return self

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
        self.page.locator('[data-testid="stCheckbox"]', has_text=name).locator("label").click()

    def choose(self, box: str, option: str) -> None:
        """Choose `option` in the select box labelled `box`."""
        self.page.locator('[data-testid="stSelectbox"]', has_text=box).locator("input").click()
        self.page.get_by_role("option", name=option).click()

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
