"""`python -m benchmarks.live`: fresh frames a second and delay, beside an app that only echoes.

A real browser films a moving face with a number in every frame, sends it to the server and reads
the numbers of what comes back. The app and an echo app (the same streaming library, the same
camera, no detection) take turns in one run, and what differs is the app's own. Needs Chromium and
the packages of requirements-dev.txt.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.report import Benchmark
from fer_core.errors import OptionError, VideoError

PACKAGES = ("streamlit", "streamlit-webrtc", "aiortc", "av", "ai-edge-litert")
RATES = (15, 30)
ATTEMPTS = 3

ECHO = """
import streamlit as st
from streamlit_webrtc import WebRtcMode, webrtc_streamer

from fer_core.live_settings import CameraWish

rate = int(st.query_params.get("rate", "15"))
webrtc_streamer(
    key="echo",
    mode=WebRtcMode.SENDRECV,
    rtc_configuration={"iceServers": []},
    media_stream_constraints=CameraWish(frame_rate=rate).constraints(),
    video_frame_callback=lambda frame: frame,
    sendback_audio=False,
    async_processing=True,
    media_toggle_controls=False,
)
"""


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Everything that is printed.

    Raises:
        OptionError: an option does not fit.
    """
    if options.seconds < 3 or options.turns < 1:
        raise OptionError(
            "--seconds must be at least 3 and --turns at least 1. "
            f"Received: {options.seconds:g}, {options.turns}."
        )
    server = import_module("tests.browser.server")
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as open_things:
        echo_file = Path(folder) / "echo.py"
        echo_file.write_text(ECHO, encoding="utf-8")
        places = {}
        for name, file in (("echo", echo_file), ("app", server.ROOT / "app.py")):
            own = Path(folder) / name
            own.mkdir()
            places[name] = open_things.enter_context(server.serve(own, file)).url
        browser = open_things.enter_context(filming_browser(Path(folder)))
        for rate in options.rates:
            # In turns, so that whatever else the machine does falls on both.
            taken: dict[str, list[dict[str, float]]] = {name: [] for name in places}
            for _ in range(options.turns):
                for name, url in places.items():
                    one = functools.partial(_one, browser, name, url, rate, options.seconds)
                    taken[name].append(read_at_last(one))
            found[str(rate)] = {name: _middle(values) for name, values in taken.items()}
    return {"seconds": options.seconds, "turns": options.turns, "rates": found}


def chromium_path() -> str | None:
    """The browser that `FER_LIVE_CHROMIUM` names, or the system's; None for Playwright's own."""
    names = ("chromium", "chromium-browser", "google-chrome")
    named = os.environ.get("FER_LIVE_CHROMIUM")
    return named or next(filter(None, map(shutil.which, names)), None)


@contextlib.contextmanager
def filming_browser(folder: Path) -> Iterator[Any]:
    """A browser with a camera that films a moving face; its film lies in `folder`."""
    from playwright.sync_api import sync_playwright

    given = import_module("tests.browser.conftest")
    clip = import_module("tests.browser.fake_camera").write_clip(folder / "face.mjpeg")
    flags = [*given.NO_SANDBOX, *given.QUIET, given.GRANT, given.CAMERA]
    flags.append(f"--use-file-for-fake-video-capture={clip}")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium_path(), args=flags)
        yield browser
        browser.close()


def _one(browser: Any, name: str, url: str, rate: int, seconds: float) -> dict[str, float]:
    """One app, once: fresh frames a second, delay, and how long START takes to a frame, a label."""
    from playwright.sync_api import expect

    live = import_module("tests.browser.live_page")
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    try:
        context.add_init_script(live.KEEP_CAMERA)
        page = live.LivePage(context.new_page(), f"{url}/?rate={rate}")
        if name == "app":
            page.open()
            if rate != RATES[0]:
                page.page.get_by_role("button", name="Camera").click()
                page.page.get_by_role("radio", name=str(rate), exact=True).click()
                page.page.keyboard.press("Escape")
                page.page.wait_for_timeout(2000)
        else:
            page.page.goto(page.url)
            expect(page.button("START")).to_be_enabled(timeout=live.PATIENCE)
        first = import_module("tests.browser.first_frames").FirstFrames(page)
        begin = time.monotonic()
        video = page.start(0)
        started = time.monotonic() - begin
        page.page.wait_for_timeout(3000)
        raw = page.numbers(video, seconds)
        ranked = ranked_delays(raw)
        measured = {
            "fresh_a_second": len(raw["returned"]) / seconds,
            "camera_a_second": len(raw["given"]) / seconds,
            "delay_ms": statistics.median(ranked),
            "delay_95_ms": ranked[int(0.95 * (len(ranked) - 1))],
            "start_s": started,
        }
        if name == "app":
            panel = page.page.locator(".fer-panel")
            measured["callback_ms"] = float(panel.get_attribute("data-total") or "nan")
            measured["callback_95_ms"] = float(panel.get_attribute("data-slow") or "nan")
            measured["labelled_s"] = _labelled(first)
        page.stop()
        return measured
    finally:
        context.close()


def _labelled(first: Any) -> float:
    seconds: float | None = first.labelled()
    if seconds is None:
        raise VideoError("Of the first frames that came back none had a label. Try again.")
    return seconds


def read_at_last(measurement: Callable[[], dict[str, float]]) -> dict[str, float]:
    """What a measurement says, which is made again where the browser showed no frame at all.

    One in some dozens of headless Chromium's pages never says that a frame was presented, neither
    of the camera nor of what comes back, which says nothing about the app.

    Raises:
        VideoError: as often as it was made.
    """
    for _ in range(ATTEMPTS - 1):
        with contextlib.suppress(VideoError):
            return measurement()
    return measurement()


def ranked_delays(raw: dict[str, Any]) -> list[float]:
    """Milliseconds from the camera to the page and back, the shortest first.

    Raises:
        VideoError: nothing came back whose number can be read.
    """
    found = import_module("tests.browser.test_live_measured").delays(raw["given"], raw["returned"])
    if not len(found):
        raise VideoError(
            f"Of {len(raw['given'])} frames of the camera none was known again among "
            f"{len(raw['returned'])} that came back. Try again."
        )
    return sorted(float(late) for _, late in found)


def _middle(values: Sequence[dict[str, float]]) -> dict[str, float]:
    return {key: statistics.median(value[key] for value in values) for key in values[0]}


def _table(report: dict[str, Any]) -> str:
    lines = [
        f"640x480, one face; medians of {report['turns']} turns of {report['seconds']:g} s; "
        "browser and server share the machine",
        "start, labelled: from START to the first frame that comes back, and with a label",
    ]
    for rate, apps in report["rates"].items():
        echo, app = apps["echo"], apps["app"]
        lines += ["", f"camera at {rate} frames a second"]
        lines.append(
            f"{'':6}{'camera':>8}{'fresh':>8}{'delay':>8}{'p95':>8}{'start':>8}{'labelled':>10}"
        )
        for name, found in apps.items():
            lines.append(
                f"{name:6}{found['camera_a_second']:8.1f}{found['fresh_a_second']:8.1f}"
                f"{found['delay_ms']:8.0f}{found['delay_95_ms']:8.0f}{found['start_s']:7.1f}s"
                + (f"{found['labelled_s']:9.2f}s" if "labelled_s" in found else "")
            )
        ratio = app["fresh_a_second"] / max(0.01, echo["fresh_a_second"])
        more = app["delay_ms"] - echo["delay_ms"]
        lines.append(
            f"app against echo: {ratio:.2f} of the fresh frames, {more:+.0f} ms; callback "
            f"{app['callback_ms']:.1f} ms, p95 {app['callback_95_ms']:.1f} ms"
        )
    return "\n".join(lines)


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=float, default=20.0, help="of each measurement")
    parser.add_argument("--turns", type=int, default=3, help="how often each app is measured")
    parser.add_argument("--rates", type=int, nargs="+", choices=RATES, default=list(RATES))


BENCHMARK = Benchmark(
    name="live",
    describe="Measure fresh frames a second and delay, beside an app that only echoes.",
    add_options=_add_options,
    measure=measure,
    heading=lambda report: "live: beside an echo",
    table=_table,
    packages=PACKAGES,
)
main = BENCHMARK.main

if __name__ == "__main__":
    sys.exit(main())
