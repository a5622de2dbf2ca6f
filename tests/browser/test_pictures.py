"""Makes the README's pictures of the running app.

`FER_LIVE_PICTURES=1 pytest tests/browser/test_pictures.py` puts them where the README has them;
otherwise they are made in a temporary folder, to see that they can be.
"""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page

from tests.browser.conftest import CAMERA, DESKTOP, GRANT
from tests.browser.fake_camera import write_clip
from tests.browser.server import ROOT

pytestmark = pytest.mark.alone

FOLDER = ROOT / "docs" / "images"
PICTURES = {"live.png": DESKTOP}
"""Each with the size of its window."""
MOST_BYTES = 150_000
SMOOTH = 14
"""Frames a second that a picture for the README shows, of 15."""


def keep(page: Page, file: Path) -> None:
    """Write a screenshot as a PNG of few colours, under the size limit."""
    shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    # The colours are chosen with the icons enlarged, or their few pixels would count for nothing.
    where = "() => document.querySelector('.fer-row').getBoundingClientRect().toJSON()"
    row = page.evaluate(where)
    left, top, side = int(row["x"]), int(row["y"]), round(row["height"])
    column = shot.crop((left, top, left + side, min(shot.height, top + 8 * side)))
    sample = Image.new("RGB", (shot.width, 2 * shot.height), "white")
    sample.paste(shot)
    sample.paste(
        column.resize((shot.width // 2, shot.height), Image.Resampling.NEAREST), (0, shot.height)
    )
    for colours in (256, 192, 128, 96, 64):
        held = io.BytesIO()
        palette = sample.quantize(colours)
        few = shot.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)
        few.save(held, "PNG", optimize=True)
        if held.tell() <= MOST_BYTES:
            break
    assert held.tell() <= MOST_BYTES
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(held.getvalue())


@pytest.mark.parametrize("name", PICTURES)
def test_live_pictures(open_live, launch, tmp_path, name):
    asked = bool(os.environ.get("FER_LIVE_PICTURES"))
    clip = write_clip(tmp_path / "plain.mjpeg", barcode=False)
    browser = launch(GRANT, CAMERA, f"--use-file-for-fake-video-capture={clip}")
    live = open_live(viewport=PICTURES[name], browser=browser)
    live.toggle("Bars")
    live.start(60 if asked else 5)
    fewest = SMOOTH if asked else 0
    live.wait_panel(lambda now: now.faces == 1 and now.frames_per_second > fewest, seconds=120)
    file = (FOLDER if asked else tmp_path) / name
    keep(live.page, file)
    with Image.open(file) as made:
        assert made.size == (PICTURES[name]["width"], PICTURES[name]["height"])
    live.stop()
