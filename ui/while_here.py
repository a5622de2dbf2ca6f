"""Hear when the page of this session is gone, and when it is there again.

Streamlit keeps the session of a page that went for two minutes, as its connection may only have
been broken. It empties the session's own caches at once, though, which is how one hears of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st


@dataclass(frozen=True)
class _Watch:
    thing: object
    gone: Callable[[], object]


def while_here(
    thing: object, gone: Callable[[], object], here: Callable[[], object] | None = None
) -> None:
    """Have `gone` called once the page is gone. To be called in every run.

    Args:
        thing: what it is about; kept alive for as long as the page is there.
        gone: from any thread; quick.
        here: called now, if this is the first run, or the first since the page came back.
    """
    _watched(id(thing), _Watch(thing, gone), here)


def _tell(watch: _Watch) -> None:
    watch.gone()


@st.cache_resource(scope="session", on_release=_tell, show_spinner=False)
def _watched(number: int, _watch: _Watch, _here: Callable[[], object] | None) -> _Watch:
    del number  # for the cache
    if _here is not None:
        _here()
    return _watch
