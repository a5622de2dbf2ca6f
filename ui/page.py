"""The page: a head line and four tabs."""

from __future__ import annotations

import logging
from collections.abc import Callable

import streamlit as st

from fer_core.errors import FerError
from ui.charts_ahead import fetch_charts_ahead
from ui.icons import icon_picture, icon_style
from ui.live_panel import STYLE as PANEL_STYLE
from ui.live_timeline import STYLE as TIMELINE_STYLE
from ui.places import only_this_machine

_log = logging.getLogger(__name__)

_STYLE = """
[data-testid="stMainBlockContainer"] {padding-top:2.2rem; padding-bottom:2rem; max-width:76rem}
.fer-title {display:flex; flex-wrap:wrap; align-items:baseline; gap:.2rem .8rem}
.fer-title b {font-size:1.7rem; font-weight:700; letter-spacing:-.01em}
.fer-title span {opacity:.7}
/* In the dark theme the colour that carries white words is itself too dark for words. */
[role="tab"][aria-selected="true"] p, [data-testid="stSliderThumbValue"],
[role="radio"][aria-checked="true"] p {color:light-dark(#10181f, #e8edf1)}
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
    st.html(f"<style>{_STYLE}{PANEL_STYLE}{TIMELINE_STYLE}{icon_style()}</style>{_TITLE}")
    live, video, photo, metrics = st.tabs(
        ["Live", "Video", "Photo", "Training metrics"], key="tab", on_change="rerun"
    )
    with live:
        _guarded(_live)
    with video:
        # In every run, or a file that was uploaded would be gone after a look at another tab.
        _guarded(_video)
    if photo.open or st.session_state.get("photo_seen"):
        st.session_state["photo_seen"] = True  # from the first look on, for the same reason
        with photo:
            _guarded(_photo)
    if metrics.open:
        with metrics:
            _guarded(_metrics)
    if only_this_machine():
        # Over a network it would be megabytes for nothing, for all who never look at a chart.
        fetch_charts_ahead()


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


def _photo() -> None:
    from ui import photo_tab

    photo_tab.render()


def _metrics() -> None:
    from ui import metrics_tab

    metrics_tab.render()
