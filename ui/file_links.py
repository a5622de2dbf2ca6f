"""Links to files on the server, drawn like the page's buttons."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from urllib.parse import urljoin

import streamlit as st

__all__ = ["file_links", "whole_address"]

_STYLE = """
.fer-files {display:flex; flex-wrap:wrap; gap:.5rem}
.fer-files a.fer-file {display:inline-flex; align-items:center; min-height:2.5rem;
  padding:.25rem .75rem; border-radius:.5rem; color:inherit; text-decoration:none;
  border:1px solid color-mix(in srgb, currentColor 22%, transparent)}
.fer-files a.fer-file::before {content:"↓" / ""; margin-right:.4rem}
.fer-files a.fer-file:hover {border-color:currentColor}
.fer-files a.fer-file:focus-visible {outline:3px solid currentColor; outline-offset:2px}
"""


def file_links(links: Mapping[str, str]) -> None:
    """Draw a row of links that save a file each.

    Args:
        links: addresses, from `ViewerFiles.address`, by what stands on them.
    """
    # With `download` the page stays where it is, also when the file is gone.
    drawn = "".join(
        f"<a class='fer-file' href='{escape(address)}' download>{escape(words)}</a>"
        for words, address in links.items()
    )
    st.html(f"<style>{_STYLE}</style><div class='fer-files'>{drawn}</div>", width="content")


def whole_address(address: str) -> str:
    """`address` with the server that the viewer's browser knows, as `st.video` asks for it."""
    return urljoin(st.context.url or f"http://localhost:{st.get_option('server.port')}", address)
