"""The links to files on a page that a test has drawn."""

from __future__ import annotations

import re
from html import unescape

from streamlit.testing.v1 import AppTest

_LINK = re.compile(r"<a class='fer-file' href='([^']+)' download>([^<]+)</a>")


def links(tab: AppTest) -> list[tuple[str, str]]:
    """What stands on each, and its address."""
    drawn = "".join(item.proto.body for item in tab.get("html"))
    return [(unescape(words), unescape(address)) for address, words in _LINK.findall(drawn)]
