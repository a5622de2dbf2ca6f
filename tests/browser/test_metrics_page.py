"""The Training metrics tab in a real browser."""

from __future__ import annotations

import json
import time

import pytest
from playwright.sync_api import expect

from fer_core.model_store import default_model_name, list_models, model_folder
from tests.browser.server import serve
from tests.made_models import make_model

PATIENCE = 60_000


def test_the_shipped_models_have_curves_matrix_figures_and_card(open_live):
    live = open_live()
    page = live.page
    page.get_by_role("tab", name="Training metrics").click()
    expect(page.get_by_text("Confusion matrix")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("Precision, recall and F1")).to_be_visible()
    expect(page.get_by_role("heading", name="Card")).to_be_visible()
    expect(page.locator(".js-plotly-plot").nth(3)).to_be_attached(timeout=PATIENCE)
    name = default_model_name()
    evaluation = json.loads((model_folder(name) / "evaluation.json").read_text(encoding="utf-8"))
    accuracy = 100 * next(iter(evaluation.values()))["accuracy"]
    shown = page.locator('[data-testid="stMetricValue"]').locator("visible=true").all_inner_texts()
    assert any(abs(float(text.split("%")[0]) - accuracy) < 25 for text in shown if "%" in text)
    assert name in list_models()
    assert page.locator('[data-testid="stException"]').count() == 0


def test_choosing_a_model_and_a_split_does_not_touch_a_running_stream(open_live, tmp_path):
    for name, right in (("first", 0.6), ("second", 0.9)):
        make_model(tmp_path / "models" / name, right)
    (tmp_path / "models" / "default").write_text("first\n")
    with serve(tmp_path, environment={"FER_LIVE_MODELS": str(tmp_path / "models")}) as server:
        live = open_live(url=server.url)
        video = live.start(10)
        page = live.page
        page.get_by_role("tab", name="Training metrics").click()
        expect(page.locator(".js-plotly-plot").nth(3)).to_be_attached(timeout=PATIENCE)
        box = page.locator('[data-testid="stSelectbox"]', has_text="Model").locator("visible=true")
        box.locator("input").click()
        page.get_by_role("option", name="second").click()
        expect(box.locator("input")).to_have_value("second", timeout=PATIENCE)
        page.wait_for_timeout(1500)
        assert page.locator('[data-testid="stException"]').count() == 0
        page.get_by_role("tab", name="Live").click()  # a hidden video shows no frames
        live.goes_on(video, 10)
        live.stop()


@pytest.mark.timeout(240)
def test_twenty_models_open_quickly(open_live, tmp_path):
    for number in range(20):
        make_model(tmp_path / "models" / f"model{number:02}", 0.5 + number / 50)
    (tmp_path / "models" / "default").write_text("model00\n")
    with serve(tmp_path, environment={"FER_LIVE_MODELS": str(tmp_path / "models")}) as server:
        live = open_live(url=server.url)
        live.page.get_by_role("tab", name="Training metrics").click()
        expect(live.page.locator(".js-plotly-plot").nth(3)).to_be_attached(timeout=PATIENCE)
        waits = []
        for _ in range(3):  # the first opening also fetches the charts' script
            live.page.get_by_role("tab", name="Live").click()
            live.page.wait_for_timeout(1500)
            begin = time.monotonic()
            live.page.get_by_role("tab", name="Training metrics").click()
            chart = live.page.locator(".js-plotly-plot").locator("visible=true").first
            expect(chart).to_be_visible(timeout=PATIENCE)
            waits.append(time.monotonic() - begin)
        assert min(waits) < 2, waits
