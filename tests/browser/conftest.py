from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    Playwright,
    expect,
    sync_playwright,
)
from playwright.sync_api import Error as PlaywrightError

from tests.browser.fake_camera import write_clip
from tests.browser.live_page import KEEP_CAMERA, PATIENCE, LivePage
from tests.browser.server import AppServer, serve

DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}

EXPECTED_WITHIN = 30_000
"""Milliseconds for what is expected without a limit of its own: test machines may be busy."""

NO_SANDBOX = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
QUIET = ["--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
GRANT = "--use-fake-ui-for-media-stream"
CAMERA = "--use-fake-device-for-media-stream"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that fails says what stood on its pages: elsewhere nobody can look at them."""
    report = yield
    if report.when == "call" and report.failed:
        for page in getattr(item, "pages_shown", []):
            report.sections.append((f"page {page.url}", _text_of(page)))
    return report


def _text_of(page: Page) -> str:
    try:
        return page.locator("body").inner_text(timeout=2000)[:4000]
    except PlaywrightError as error:
        return f"cannot be read: {error}"


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Chromium of the system, or the one that `FER_LIVE_CHROMIUM` names."""
    named = os.environ.get("FER_LIVE_CHROMIUM")
    found = named or next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    if not found:
        pytest.fail("No Chromium. Install it (apt install chromium) or set FER_LIVE_CHROMIUM.")
    return found


@pytest.fixture(scope="session")
def playwright_driver() -> Iterator[Playwright]:
    expect.set_options(timeout=EXPECTED_WITHIN)
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
def face_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("camera") / "face.mjpeg")


@pytest.fixture(scope="session")
def empty_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("camera") / "empty.mjpeg", face=False)


Launch = Callable[..., Browser]


@pytest.fixture(scope="session")
def launch(playwright_driver: Playwright, chromium_path: str) -> Iterator[Launch]:
    """Start a browser with the given flags; all are closed at the end."""
    started: list[Browser] = []

    def start(*flags: str) -> Browser:
        browser = playwright_driver.chromium.launch(
            executable_path=chromium_path, args=[*NO_SANDBOX, *QUIET, *flags]
        )
        started.append(browser)
        return browser

    yield start
    for browser in started:
        browser.close()


@pytest.fixture(scope="session")
def face_browser(launch: Launch, face_clip: Path) -> Browser:
    """A browser whose camera shows a face, and which is allowed to use it."""
    return launch(GRANT, CAMERA, f"--use-file-for-fake-video-capture={face_clip}")


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """The app as it is shipped."""
    with serve(tmp_path_factory.mktemp("app")) as server:
        yield server


OpenLive = Callable[..., LivePage]


@pytest.fixture
def open_live(
    request: pytest.FixtureRequest, app: AppServer, face_browser: Browser
) -> Iterator[OpenLive]:
    """Open the Live tab in a fresh context: `open_live(viewport=..., browser=..., url=...)`."""
    contexts: list[BrowserContext] = []
    request.node.pages_shown = []

    def start(
        viewport: dict[str, int] = DESKTOP,
        browser: Browser = face_browser,
        url: str = app.url,
        **options: object,
    ) -> LivePage:
        context = browser.new_context(viewport=viewport, **options)
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        context.add_init_script(KEEP_CAMERA)
        page: Page = context.new_page()
        request.node.pages_shown.append(page)
        return LivePage(page, url).open()

    yield start
    for context in contexts:
        try:
            context.close()
        except PlaywrightError as error:
            if "has been closed" not in str(error):  # a test may have killed its browser
                raise
