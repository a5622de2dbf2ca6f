"""axe-core over every tab: nothing that would keep somebody out (WCAG 2.2, A and AA)."""

from __future__ import annotations

import time

import pytest
from axe_playwright_python.base import AXE_SCRIPT

from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.live_page import LivePage, go_to_tab

SERIOUS = ("serious", "critical")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


SECONDS = 15
"""What is being drawn or is about to go is faded for a moment; what stays wrong is a fault."""

LOOKS = pytest.mark.parametrize(
    ("theme", "viewport"), [("light", DESKTOP), ("dark", PHONE)], ids=["desktop", "phone"]
)


def faults(live: LivePage) -> list[str]:
    """What axe-core calls serious or critical, on the page and in the stream's frame."""
    for frame in live.page.frames:
        frame.evaluate(AXE_SCRIPT)
    found = live.page.evaluate(
        "tags => axe.run(document, {runOnly: tags, resultTypes: ['violations']})", RULES
    )
    return [
        f"{fault['id']}: {node['html'][:160]}: {' '.join(one['message'] for one in node['any'])}"
        for fault in found["violations"]
        if fault["impact"] in SERIOUS
        for node in fault["nodes"]
    ]


def lasting_faults(live: LivePage) -> list[str]:
    """Those that are still there when the page has come to rest."""
    deadline = time.monotonic() + SECONDS
    while (found := faults(live)) and time.monotonic() < deadline:
        live.page.wait_for_timeout(1000)
    return found


def test_a_fault_would_be_found(open_live):
    live = open_live()
    live.page.evaluate("document.querySelector('h1, .fer-title').innerHTML += '<button></button>'")
    assert any(fault.startswith("button-name") for fault in faults(live))


@LOOKS
@pytest.mark.parametrize("tab", ["Live", "Video", "Photo", "Training metrics"])
def test_no_tab_has_a_serious_fault(open_live, tab, theme, viewport):
    live = open_live(viewport=viewport, color_scheme=theme)
    go_to_tab(live.page, tab)
    live.settled()
    assert lasting_faults(live) == []


@LOOKS
def test_a_running_stream_with_all_that_is_shown_of_it_has_none(open_live, theme, viewport):
    live = open_live(viewport=viewport, color_scheme=theme)
    live.start(20)
    live.wait_panel(lambda panel: panel.faces == 1)
    live.press("Record", "End")
    assert lasting_faults(live) == []
    live.press("End", "Record")
    live.page.get_by_text("Recordings (1)").wait_for()
    assert lasting_faults(live) == []
    live.stop()
