"""`python -m benchmarks.viewers`: two viewers at once, then six, then two again.

A real browser on the same machine opens one page for each viewer, with a camera of 320x240 and 10
frames a second that films a moving face with a number in every frame. What is counted is how many
new numbers a second come back to each viewer, and what the server's processor takes for them, from
which follows how many viewers a core carries. Needs Linux, Chromium and the packages of
requirements-dev.txt.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.live import PACKAGES, chromium_path
from benchmarks.processor import family_seconds
from benchmarks.report import Benchmark
from fer_core.errors import OptionError

if TYPE_CHECKING:
    from playwright.async_api import Browser, Frame, Page

WIDTHS, RATES = (320, 640), (10, 15)
"""What the camera can be asked for here: pixels, frames a second."""
LOAD = 0.7
"""Of a core, for viewers; a server that cannot keep up shows its pictures ever later."""
ALL = 0.9
"""With a smaller share of the camera's frames shown, others were worked on and not counted."""
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
        rows = asyncio.run(_all(app.url, app.process.pid, clip, options))
        memory = app.peak_memory_mb()
    return {
        "seconds": options.seconds,
        "width": options.width,
        "rate": options.rate,
        "rows": rows,
        "peak_memory_mb": memory,
    }


async def _all(
    url: str, process: int, clip: Path, options: argparse.Namespace
) -> list[dict[str, Any]]:
    from playwright.async_api import async_playwright

    few, many = options.few, options.many
    given = import_module("tests.browser.conftest")
    flags = [*given.NO_SANDBOX, *given.QUIET, given.GRANT, given.CAMERA]
    flags.append(f"--use-file-for-fake-video-capture={clip}")
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=chromium_path(), args=flags)
        viewers = [await _viewer(browser, url, options) for _ in range(few)]
        rows = [await _counted(_named(few), viewers, process, options)]
        viewers += [await _viewer(browser, url, options) for _ in range(many - few)]
        rows.append(await _counted(_named(many), viewers, process, options))
        for page in viewers[: many - few]:  # those who came first go, the last ones stay
            await page.context.close()
        rows.append(await _counted("the last ones left", viewers[many - few :], process, options))
        await browser.close()
    return rows


async def _viewer(browser: Browser, url: str, options: argparse.Namespace) -> Page:
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
    await page.get_by_role("radio", name=str(options.rate), exact=True).click()
    width = page.get_by_role("slider", name="Width of the picture")
    await width.focus()
    if options.width == WIDTHS[0]:  # the other one is what the page begins with
        await width.press("Home")
    await page.keyboard.press("Escape")
    await page.wait_for_timeout(2000)
    await start.click()
    video = page.frame_locator(FRAME).locator("video")
    await video.wait_for(state="attached")
    return page


async def _counted(
    name: str, viewers: Sequence[Page], process: int, options: argparse.Namespace
) -> dict[str, Any]:
    await asyncio.sleep(SETTLE_SECONDS)
    used, started = family_seconds(process), time.perf_counter()
    fresh = await asyncio.gather(*(_fresh(page, options) for page in viewers))
    cores = (family_seconds(process) - used) / (time.perf_counter() - started)
    told = 0
    for page in viewers:
        told += await page.get_by_text("The server is busy with viewers who came first").count()
    return {
        "name": name,
        "fresh_a_second": [round(each, 2) for each in fresh],
        "told": told,
        "cores": round(cores, 3),
    }


def _named(count: int) -> str:
    return "1 viewer" if count == 1 else f"{count} viewers"


async def _fresh(page: Page, options: argparse.Namespace) -> float:
    """New frames a second that come back to one viewer."""
    code: str = import_module("tests.browser.live_page").MEASURE
    video = await page.frame_locator(FRAME).locator("video").element_handle()
    assert video is not None
    frame: Frame | None = await video.owner_frame()
    assert frame is not None
    size = await video.evaluate("v => [v.videoWidth, v.videoHeight]")
    wanted = [options.width, options.width * 3 // 4]
    if size != wanted:
        raise OptionError(f"The camera gave {size} instead of {wanted}. Try again.")
    found = await frame.evaluate(f"([v, s]) => ({code})(v, s, false)", [video, options.seconds])
    return float(len(found["returned"]) / options.seconds)


def _table(report: dict[str, Any]) -> str:
    lines = [
        f"{report['width']}x{report['width'] * 3 // 4}, {report['rate']} frames a second, one face "
        f"each; {report['seconds']:g} s a row; browser and server share the machine; "
        "cores: those that the server keeps busy",
        "",
        f"{'':20}{'least':>8}{'median':>8}{'most':>8}{'told':>6}{'cores':>7}   "
        "fresh frames a second of each",
    ]
    for row in report["rows"]:
        each = row["fresh_a_second"]
        lines.append(
            f"{row['name']:20}{min(each):8.1f}{statistics.median(each):8.1f}{max(each):8.1f}"
            f"{row['told']:6}{row['cores']:7.2f}   " + ", ".join(f"{one:.1f}" for one in each)
        )
    lines.append("")
    for row in report["rows"]:
        if statistics.median(row["fresh_a_second"]) < ALL * report["rate"]:
            lines.append(f"{row['name']}: frames are missing, so nothing follows for a core")
            continue
        each = _frame_seconds(row)
        carried = [f"{LOAD / (each * rate):.1f} with {rate}" for rate in RATES]
        lines.append(
            f"{row['name']}: {1000 * each:.1f} ms of a core a frame, so at {100 * LOAD:.0f} % of a "
            f"core it carries {' and '.join(carried)} frames a second"
        )
    lines.append(f"peak memory of the server {report['peak_memory_mb']:.0f} MB")
    return "\n".join(lines)


def _frame_seconds(row: dict[str, Any]) -> float:
    """Of a core, for everything that the server does for one frame, its idle work included."""
    return float(row["cores"] / sum(row["fresh_a_second"]))


def _heading(report: dict[str, Any]) -> str:
    camera = report["width"], report["rate"]
    usual = camera == (WIDTHS[0], RATES[0])
    return "viewers: several at once" + (
        "" if usual else f", {camera[0]} wide, {camera[1]} a second"
    )


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--few", type=int, default=2, metavar="N", help="default: %(default)s")
    parser.add_argument("--many", type=int, default=6, metavar="N", help="default: %(default)s")
    parser.add_argument("--seconds", type=float, default=20.0, help="default: %(default)s")
    parser.add_argument("--width", type=int, choices=WIDTHS, default=WIDTHS[0], help="pixels")
    parser.add_argument("--rate", type=int, choices=RATES, default=RATES[0], help="frames a second")


BENCHMARK = Benchmark(
    name="viewers",
    describe="Measure how several viewers share the machine.",
    add_options=_add_options,
    measure=measure,
    heading=_heading,
    table=_table,
    packages=PACKAGES,
)
main = BENCHMARK.main

if __name__ == "__main__":
    sys.exit(main())
