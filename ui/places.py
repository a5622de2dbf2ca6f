"""For whom the page is served."""

from __future__ import annotations

import streamlit as st


def only_this_machine() -> bool:
    """Whether the page is served to this machine alone."""
    return st.get_option("server.address") in ("localhost", "127.0.0.1", "::1")
