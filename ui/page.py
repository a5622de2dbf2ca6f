"""The page: a head line and three tabs."""

from __future__ import annotations

import logging
from collections.abc import Callable

import streamlit as st

from fer_core.errors import FerError

_log = logging.getLogger(__name__)

_STYLE = """
<style>
[data-testid="stMainBlockContainer"] {padding-top:2.2rem; padding-bottom:2rem; max-width:76rem}
.fer-title {display:flex; flex-wrap:wrap; align-items:baseline; gap:.2rem .8rem}
.fer-title b {font-size:1.7rem; font-weight:700; letter-spacing:-.01em}
.fer-title span {opacity:.7}
@media (max-width: 640px) {
  [data-testid="stMainBlockContainer"] {padding-left:.9rem; padding-right:.9rem; padding-top:1.4rem}
}
</style>
"""

_TITLE = (
    '<div class="fer-title"><b>FER Live</b>'
    "<span>Facial expressions from a camera or a clip, on your own machine</span></div>"
)


def build() -> None:
    """Draw the page. A fault in one tab is one sentence there, and the other tabs go on."""
    # The streaming library hides its warnings from programs that do not set up logging.
    logging.basicConfig(level=logging.WARNING)
    st.set_page_config(page_title="FER Live", page_icon="🙂", layout="wide")
    st.html(_STYLE + _TITLE)
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
