"""What the tests of the page wait for, and how they leave it."""

from __future__ import annotations

import time
from collections.abc import Callable

from streamlit.runtime.caching.cache_resource_api import clear_session_cache

LIMIT = 60.0


def end_session() -> None:
    """What Streamlit does when a viewer has gone; AppTest's sessions all have one name."""
    clear_session_cache("test session id")


def until(true: Callable[[], bool], seconds: float = LIMIT) -> None:
    """Wait for it, at most so long."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)
