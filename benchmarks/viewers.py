"""`python -m benchmarks.viewers`: two viewers at once, then six, then two again.

A real browser on the same machine opens one page for each viewer, with a camera of 320x240 and 10
frames a second that films a moving face with a number in every frame. What is counted is how many
new numbers a second come back to each viewer. Needs Chromium and the packages of
requirements-dev.txt.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.live import PACKAGES, chromium_path
from benchmarks.report import Benchmark
from fer_core.errors import OptionError

if TYPE_CHECKING:
    from playwright.async_api import Browser, Frame, Page

WIDTH, HEIGHT, RATE = 320, 240, 10
FRAME = 'iframe[title="streamlit_webrtc.component.webrtc_streamer"]'
PATIENCE = 120_000
SETTLE_SECONDS = 10.0
"""From the last START or STOP to the first count: the server needs to see what it can do."""


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Everything that is printed.

    Raises:
        OptionError: an option does not fit.
    """
    if options.few < 1 or options.many < options.few or options.seconds < 3:
        raise OptionError(
            "--few must be at least 1, --many at least as many, and --seconds at least 3. "
            f"Received: {options.few}, {options.many}, {options.seconds:g}."
        )
    server = import_module("tests.browser.server")
    with tempfile.TemporaryDirectory() as folder, server.serve(Path(folder)) as app:
        clip = import_module("tests.browser.fake_camera").write_clip(Path(folder) / "face.mjpeg")
        rows = asyncio.run(_all(app.url, clip, options.few, options.many, options.seconds))
        memory = app.peak_memory_mb()
    return {"seconds": options.seconds, "rows": rows, "peak_memory_mb": memory}


async def _all(url: str, clip: Path, few: int, many: int, seconds: float) -> list[dict[str, Any]]:
    from playwright.async_api import async_playwright

    given = import_module("tests.browser.conftest")
    flags = [*given.NO_SANDBOX, *given.QUIET, given.GRANT, given.CAMERA]
    flags.append(f"--use-file-for-fake-video-capture={clip}")
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=chromium_path(), args=flags)
        viewers = [await _viewer(browser, url) for _ in range(few)]
        rows = [await _counted(f"{few} viewers", viewers, seconds)]
        viewers += [await _viewer(browser, url) for _ in range(many - few)]
        rows.append(await _counted(f"{many} viewers", viewers, seconds))
        for page in viewers[: many - few]:  # those who came first go, the last ones stay
            await page.context.close()
        rows.append(await _counted("the last ones left", viewers[many - few :], seconds))
        await browser.close()
    return rows


async def _viewer(browser: Browser, url: str) -> Page:
    """A page with a running stream."""
    keep: str = import_module("tests.browser.live_page").KEEP_CAMERA
    context = await browser.new_context(viewport={"width": 800, "height": 700})
    context.set_default_timeout(PATIENCE)
    await context.add_init_script(keep)
    page = await context.new_page()
    await page.goto(url)
    start = page.frame_locator(FRAME).get_by_role("button", name="START")
    await start.wait_for()
    await page.get_by_role("button", name="Camera").click()
    await page.get_by_role("radio", name=str(RATE), exact=True).click()
    width = page.get_by_role("slider", name="Width of the picture")
    await width.focus()
    await width.press("Home")
    await page.keyboard.press("Escape")
    await page.wait_for_timeout(2000)
    await start.click()
    video = page.frame_locator(FRAME).locator("video")
    await video.wait_for(state="attached")
    return page


async def _counted(name: str, viewers: Sequence[Page], seconds: float) -> dict[str, Any]:
    await asyncio.sleep(SETTLE_SECONDS)
    fresh = await asyncio.gather(*(_fresh(page, seconds) for page in viewers))
    told = 0
    for page in viewers:
        told += await page.get_by_text("The server is busy with viewers who came first").count()
    return {"name": name, "fresh_a_second": [round(each, 2) for each in fresh], "told": told}


async def _fresh(page: Page, seconds: float) -> float:
    """New frames a second that come back to one viewer."""
    code: str = import_module("tests.browser.live_page").MEASURE
    video = await page.frame_locator(FRAME).locator("video").element_handle()
    assert video is not None
    frame: Frame | None = await video.owner_frame()
    assert frame is not None
    size = await video.evaluate("v => [v.videoWidth, v.videoHeight]")
    if size != [WIDTH, HEIGHT]:
        raise OptionError(f"The camera gave {size} instead of {[WIDTH, HEIGHT]}. Try again.")
    found = await frame.evaluate(f"([v, s]) => ({code})(v, s, false)", [video, seconds])
    return len(found["returned"]) / seconds


def _table(report: dict[str, Any]) -> str:
    lines = [
        f"{WIDTH}x{HEIGHT}, {RATE} frames a second, one face each; {report['seconds']:g} s a row; "
        "browser and server share the machine",
        "",
        f"{'':20}{'least':>8}{'median':>8}{'most':>8}{'told':>6}   fresh frames a second of each",
    ]
    for row in report["rows"]:
        each = row["fresh_a_second"]
        lines.append(
            f"{row['name']:20}{min(each):8.1f}{statistics.median(each):8.1f}{max(each):8.1f}"
            f"{row['told']:6}   " + ", ".join(f"{one:.1f}" for one in each)
        )
    lines.append(f"peak memory of the server {report['peak_memory_mb']:.0f} MB")
    return "\n".join(lines)


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--few", type=int, default=2, metavar="N", help="default: %(default)s")
    parser.add_argument("--many", type=int, default=6, metavar="N", help="default: %(default)s")
    parser.add_argument("--seconds", type=float, default=20.0, help="default: %(default)s")


BENCHMARK = Benchmark(
    name="viewers",
    describe="Measure how several viewers share the machine.",
    add_options=_add_options,
    measure=measure,
    heading=lambda report: "viewers: several at once",
    table=_table,
    packages=PACKAGES,
)
main = BENCHMARK.main

if __name__ == "__main__":
    sys.exit(main())
