"""The app, but the session of a page that went is kept for `KEPT_SECONDS`, not for two minutes."""

from __future__ import annotations

import os

from streamlit.runtime import get_instance
from streamlit.runtime.memory_session_storage import MemorySessionStorage

from ui.page import build

manager = get_instance()._session_mgr
if not hasattr(manager, "forgetful"):
    manager.forgetful = True
    manager._session_storage = MemorySessionStorage(ttl_seconds=int(os.environ["KEPT_SECONDS"]))

build()
