"""How long START takes until a frame comes back, and until one comes back with a label."""

from __future__ import annotations

import base64
import io

import cv2
import numpy as np
from PIL import Image

from fer_core.results import Box
from tests.browser.fake_camera import HEIGHT, WIDTH, face_box, nearest_frame, picture, read_number
from tests.browser.live_page import FRAME, LivePage

# Keeps the first frames as they are and encodes them later, when that costs the stream nothing.
WATCH = """most => {
  const seen = window.firstFrames = {pressed: null, frames: []};
  document.addEventListener('click', () => { seen.pressed ??= performance.now(); }, true);
  const watch = video => {
    const step = async () => {
      const at = performance.now();
      if (seen.frames.length + 1 < most) video.requestVideoFrameCallback(step);
      seen.frames.push([at, await createImageBitmap(video)]);
    };
    video.requestVideoFrameCallback(step);
  };
  const look = () => {
    const video = document.querySelector('video');
    if (video) watch(video); else requestAnimationFrame(look);
  };
  look();
}"""

TAKE = """number => {
  const {pressed, frames} = window.firstFrames;
  if (number >= frames.length) return null;
  const [at, picture] = frames[number];
  const canvas = document.createElement('canvas');
  canvas.width = picture.width; canvas.height = picture.height;
  canvas.getContext('2d').drawImage(picture, 0, 0);
  return [at - pressed, canvas.toDataURL('image/png').split(',')[1]];
}"""

CHANGED = 70
"""A pixel that differs by so much, of 255, was drawn on; the video encoders stay well below."""


def drawn_box(shown: np.ndarray, clean: np.ndarray, face: Box) -> Box:
    """The outline that was drawn round `face`: nearest straight lines on its four sides."""
    changed = np.abs(shown.astype(int) - clean.astype(int)).max(axis=2) > CHANGED
    x, y = (round(value) for value in face.centre)
    across, down = round(face.width * 0.15), round(face.height * 0.15)
    columns = changed[y - down : y + down].mean(axis=0) > 0.6
    rows = changed[:, x - across : x + across].mean(axis=1) > 0.6
    lines = [np.flatnonzero(columns[:x]), np.flatnonzero(rows[:y])]
    lines += [x + np.flatnonzero(columns[x:]), y + np.flatnonzero(rows[y:])]
    assert all(len(line) for line in lines), "there is no outline on all four sides"
    left, top, right, bottom = lines
    return Box(float(left[-1]), float(top[-1]), float(right[0]), float(bottom[0]))


class FirstFrames:
    """Looks at the first `most` frames that the page `live` shows after the next START."""

    def __init__(self, live: LivePage, most: int = 45) -> None:
        frame = live.page.locator(FRAME).element_handle().content_frame()
        assert frame is not None
        self._frame = frame
        frame.evaluate(WATCH, most)

    def labelled(self) -> float | None:
        """Seconds from the press to the first frame with an outline; None: there was none."""
        number = 0
        while (taken := self._frame.evaluate(TAKE, number)) is not None:
            late, content = taken
            shown = Image.open(io.BytesIO(base64.b64decode(content))).convert("RGB")
            if is_labelled(np.asarray(shown)):
                return float(late) / 1000
            number += 1
        return None


def is_labelled(shown: np.ndarray) -> bool:
    """Whether a frame of the clip, of any size, has an outline round its face."""
    shown = cv2.resize(shown, (WIDTH, HEIGHT))
    number, mirrored = read_number(shown) or nearest_frame(shown)
    clean = picture(number)[:, ::-1] if mirrored else picture(number)
    try:
        outline = drawn_box(shown, clean, Box(*face_box(number, mirrored)))
    except AssertionError:
        return False
    return outline.iou(Box(*face_box(number, mirrored))) > 0.3
