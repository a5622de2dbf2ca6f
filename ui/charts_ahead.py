"""The script that draws charts, fetched before somebody asks for a chart.

It is large: a browser that has to fetch and read it first takes a second longer to open the tab of
training metrics. It is not run ahead: that holds up the page for as long, in the middle of what
someone does with the camera (1.0 to 2.3 s on a busy machine; only fetched, nothing over 0.2 s).
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import streamlit as st

_FOLDER = Path("static", "static", "js")
_WAIT_MS = 3000
"""After the page is there: the camera comes first."""

_SCRIPT = """<script>
setTimeout(() => {
  const link = document.createElement("link");
  link.rel = "modulepreload";
  link.href = new URL("static/js/NAME", document.baseURI);
  document.head.append(link);
}, WAIT);
</script>"""


def fetch_charts_ahead() -> None:
    """Have the browser fetch it, once the page is there.

    Nothing is shown, and where Streamlit keeps the script elsewhere nothing is done.
    """
    name = chart_script()
    if name is not None:
        script = _SCRIPT.replace("NAME", name).replace("WAIT", str(_WAIT_MS))
        st.html(script, unsafe_allow_javascript=True)


@lru_cache(maxsize=1)
def chart_script() -> str | None:
    """Name of the script among Streamlit's own files, or None."""
    found = sorted((Path(st.__file__).parent / _FOLDER).glob("PlotlyChart.*.js"))
    return found[0].name if found else None
