"""The page at the width of a phone."""

from __future__ import annotations

import pytest

from tests.browser.conftest import PHONE

OVERFLOW = """() => {
  const wide = document.documentElement.clientWidth;
  return [...document.querySelectorAll('[data-testid="stMainBlockContainer"] *')]
    .filter(e => e.offsetParent && e.getBoundingClientRect().right > wide + 1
      && !e.closest('[data-testid="stDataFrame"], .js-plotly-plot'))
    .map(e => e.outerHTML.slice(0, 120)).slice(0, 3);
}"""


@pytest.mark.parametrize("tab", ["Live", "Video", "Training metrics"])
def test_nothing_reaches_over_the_edge(open_live, tab):
    live = open_live(viewport=PHONE)
    live.tab(tab)
    live.settled()
    live.page.wait_for_timeout(3000)
    assert live.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert live.page.evaluate(OVERFLOW) == []


def test_the_stream_runs_and_picture_and_figures_share_the_screen(open_live):
    live = open_live(viewport=PHONE, has_touch=True)
    video = live.start(20)
    live.wait_panel(lambda panel: panel.faces == 1)
    shown = live.frame.locator("video").bounding_box()
    assert shown["x"] >= 0
    assert shown["x"] + shown["width"] <= PHONE["width"]
    below = "() => document.querySelector('.fer-figures').getBoundingClientRect().bottom"
    assert live.page.evaluate(below) < PHONE["height"]
    live.goes_on(video, 10)
    live.stop()
