"""The Training metrics tab as its tests use it: opened, and read."""

from __future__ import annotations

import json
from typing import Any

from streamlit.testing.v1 import AppTest


def page() -> None:
    from ui import metrics_tab

    metrics_tab.render()


def page_with_other_tab() -> None:
    import streamlit as st

    from ui import metrics_tab

    if st.checkbox("Training metrics", value=True):
        metrics_tab.render()


def opened() -> AppTest:
    tab = AppTest.from_function(page, default_timeout=60).run()
    assert not tab.exception
    return tab


def charts(tab: AppTest) -> list[dict[str, Any]]:
    return [json.loads(chart.proto.spec) for chart in tab.get("plotly_chart")]


def figures(tab: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in tab.metric}


def html(tab: AppTest) -> str:
    parts = [part.proto.body for part in tab.get("html")]
    return "\n".join(part for part in parts if not part.startswith("<style>"))


def section(tab: AppTest, name: str) -> AppTest:
    tab.session_state["metrics_section"] = name
    tab.run()
    assert not tab.exception
    return tab


def choose(tab: AppTest, *names: str) -> AppTest:
    tab.multiselect(key="metrics_models").set_value(list(names)).run()
    assert not tab.exception
    return tab


def texts(tab: AppTest) -> str:
    return "\n".join(part.value for part in (*tab.markdown, *tab.caption))


def notes(tab: AppTest) -> str:
    return "\n".join(note.value for note in tab.info)
