"""The Video tab as its tests use it: its surroundings, and how it is read."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from fer_core.closing import Closing
from fer_core.detectors.base import Picture
from fer_core.results import FrameResult
from fer_core.video import VideoOptions
from tests.app.session import LIMIT, until
from tests.clips import FakeAnalyzer, file_names
from ui.choices import Choice

FORTY = tuple(i / 15 for i in range(40))


class TabAnalyzer(FakeAnalyzer, Closing):
    """Waits for `go` before the tenth frame, so that a test can look at a job at work."""

    def __init__(self, go: threading.Event) -> None:
        super().__init__()
        self.go = go
        self.closed = False

    def track(self, picture: Picture, pts: float) -> FrameResult:
        if len(self.times) == 10:
            assert self.go.wait(LIMIT)
        return super().track(picture, pts)

    def close(self) -> None:
        self.closed = True


class Stage:
    """What a test needs around the page."""

    def __init__(self, temporary: Path) -> None:
        self.temporary = temporary
        self.go = threading.Event()
        self.go.set()
        self.analyzers: list[TabAnalyzer] = []
        self.choices: list[Choice] = []
        self.options: list[VideoOptions] = []

    def maker(self, choice: Choice) -> Callable[[], TabAnalyzer]:
        self.choices.append(choice)
        made = TabAnalyzer(self.go)
        self.analyzers.append(made)
        return lambda: made

    def files(self) -> list[str]:
        """Names of all files under the temporary folder."""
        return file_names(self.temporary)


def page() -> None:
    from ui import video_tab

    video_tab.render()


def opened(file: Path | None = None, name: str = "holiday.mp4") -> AppTest:
    tab = AppTest.from_function(page, default_timeout=LIMIT).run()
    if file is not None:
        upload(tab, file, name)
    assert not tab.exception
    return tab


def upload(tab: AppTest, file: Path, name: str = "holiday.mp4") -> None:
    upload_all(tab, [(file, name)])


def upload_all(tab: AppTest, files: list[tuple[Path, str]]) -> None:
    given = [(name, file.read_bytes(), "video/mp4") for file, name in files]
    tab.file_uploader[0].set_value(given).run()
    assert not tab.exception


def finished(tab: AppTest) -> AppTest:
    def over() -> bool:
        tab.run()
        assert not tab.exception
        return not {"queued", "waiting", "running"} & set(states(tab))

    until(over)
    return tab.run()  # it may have ended after its place was drawn and before its row was


def rows(tab: AppTest) -> list[str]:
    """The rows of the list, as HTML."""
    return [item.proto.body for item in tab.get("html") if "data-state" in item.proto.body]


def states(tab: AppTest) -> list[str]:
    return [re.findall(r'data-state="(\w+)"', row)[0] for row in rows(tab)]


def buttons(tab: AppTest, label: str) -> list[Any]:
    return [button for button in tab.button if button.label == label]


def press(tab: AppTest, key: str) -> None:
    tab.button(key=key).click().run()
    assert not tab.exception


def press_in_row(tab: AppTest, label: str, number: int = 0) -> None:
    buttons(tab, label)[number].click().run()
    assert not tab.exception
