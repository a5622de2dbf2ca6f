"""The page: a head line and three tabs."""

from __future__ import annotations

import logging
from collections.abc import Callable

import streamlit as st

from fer_core.errors import FerError
from ui.icons import icon_picture, icon_style
from ui.live_panel import STYLE as PANEL_STYLE

_log = logging.getLogger(__name__)

_STYLE = """
[data-testid="stMainBlockContainer"] {padding-top:2.2rem; padding-bottom:2rem; max-width:76rem}
.fer-title {display:flex; flex-wrap:wrap; align-items:baseline; gap:.2rem .8rem}
.fer-title b {font-size:1.7rem; font-weight:700; letter-spacing:-.01em}
.fer-title span {opacity:.7}
@media (max-width: 640px) {
  [data-testid="stMainBlockContainer"] {padding-left:.9rem; padding-right:.9rem; padding-top:1.4rem}
}
"""

_TITLE = (
    '<div class="fer-title"><b>FER Live</b>'
    "<span>Facial expressions, live, on your machine</span></div>"
)


def build() -> None:
    """Draw the page. A fault in one tab is one sentence there, and the other tabs go on."""
    # The streaming library hides its warnings from programs that do not set up logging.
    logging.basicConfig(level=logging.WARNING)
    st.set_page_config(page_title="FER Live", page_icon=icon_picture("happy", 64), layout="wide")
    st.html(f"<style>{_STYLE}{PANEL_STYLE}{icon_style()}</style>{_TITLE}")
    live, video, metrics = st.tabs(
        ["Live", "Video", "Training metrics"], key="tab", on_change="rerun"
    )
    with live:
        _guarded(_live)
    with video:
        # In every run, or a file that was uploaded would be gone after a look at another tab.
        _guarded(_video)
    if metrics.open:
        with metrics:
            _guarded(_metrics)


def _guarded(render: Callable[[], None]) -> None:
    try:
        render()
    except FerError as error:
        st.error(str(error))
    except Exception as error:
        _log.exception("A tab failed")
        st.error(
            f"This tab failed ({type(error).__name__}: {error}). "
            "Reload the page; the terminal that runs it says more."
        )


def _live() -> None:
    from ui import live_tab

    live_tab.render()


def _video() -> None:
    from ui import video_tab

    video_tab.render()


def _metrics() -> None:
    from ui import metrics_tab

    metrics_tab.render()
