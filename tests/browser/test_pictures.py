"""Writes the README's pictures of the running app: `FER_LIVE_PICTURES=1 pytest -k pictures`."""

from __future__ import annotations

import io
import os

import pytest
from PIL import Image
from playwright.sync_api import Page

from tests.browser.conftest import CAMERA, DESKTOP, GRANT, PHONE
from tests.browser.fake_camera import write_clip
from tests.browser.server import ROOT

FOLDER = ROOT / "docs" / "images"
MOST_BYTES = 150_000

pytestmark = pytest.mark.skipif(
    not os.environ.get("FER_LIVE_PICTURES"), reason="asked for by FER_LIVE_PICTURES=1"
)


def keep(page: Page, name: str, clip: dict[str, float] | None = None) -> None:
    """Write a screenshot as a PNG of few colours, under the size limit."""
    shot = Image.open(io.BytesIO(page.screenshot(clip=clip))).convert("RGB")
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
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / name).write_bytes(held.getvalue())


@pytest.mark.parametrize(("name", "size"), [("live.png", DESKTOP), ("live-phone.png", PHONE)])
def test_live_pictures(open_live, launch, tmp_path, name, size):
    clip = write_clip(tmp_path / "plain.mjpeg", barcode=False)
    browser = launch(GRANT, CAMERA, f"--use-file-for-fake-video-capture={clip}")
    live = open_live(viewport=size, browser=browser)
    live.toggle("Bars")
    live.start(60)
    live.wait_panel(lambda panel: panel.faces == 1 and panel.frames_per_second > 14, seconds=120)
    keep(live.page, name)
    live.stop()
