"""The Training metrics tab in a real browser."""

from __future__ import annotations

import contextlib
import csv
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from fer_core.emotions import CLASSES
from fer_core.model_store import default_model_name, list_models, model_folder
from tests.app.metrics_made import make_full_model, write_dataset
from tests.browser.conftest import PHONE
from tests.browser.live_page import choose_option, click_until, go_to_tab, pick
from tests.browser.server import serve
from tests.browser.test_phone import OVERFLOW
from tests.made_models import make_history

PATIENCE = 60_000
OPENS_IN = 2.0
"""Seconds, with twenty models."""


@dataclass(frozen=True)
class Served:
    """An app with models, a data set and a run that is training."""

    url: str
    run: Path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("metrics")
    make_full_model(folder / "models" / "first", 0.6)
    make_full_model(folder / "models" / "second", 0.8)
    for number in range(3, 21):
        make_full_model(folder / "models" / f"more{number:02}", 0.6 + number / 100)
    (folder / "models" / "default").write_text("first\n")
    run = folder / "runs" / "growing"
    (run / "checkpoint").mkdir(parents=True)
    (run / "options.json").write_text('{"epochs": 30}')
    make_history(run / "history.csv", 3)
    environment = {
        "FER_LIVE_MODELS": str(folder / "models"),
        "FER_LIVE_RUNS": str(folder / "runs"),
        "FER_LIVE_DATA": str(write_dataset(folder / "fer2013.npz")),
    }
    with serve(folder, environment=environment) as server:
        yield Served(server.url, run)


def open_tab(page: Page) -> None:
    go_to_tab(page, "Training metrics")
    expect(box(page, "Split")).to_be_visible(timeout=PATIENCE)


def box(page: Page, label: str) -> Locator:
    return page.locator('[data-testid="stSelectbox"]', has_text=label).locator("visible=true")


def choose_model(page: Page, name: str) -> None:
    page.locator('[data-testid="stMultiSelect"] input').locator("visible=true").fill(name)
    chosen = page.locator('[data-testid="stMultiSelect"]').locator("visible=true")
    # By its words: how a tag is marked up differs between versions of Streamlit.
    tag = chosen.get_by_text(name).first
    click_until(page.get_by_role("option", name=name), tag.is_visible)
    page.keyboard.press("Escape")


def section(page: Page, name: str) -> None:
    pick(page.get_by_role("radio", name=name, exact=True))


def plots(page: Page) -> Locator:
    """The charts that are seen: Streamlit may keep an earlier drawing, hidden, behind the new."""
    return page.locator(".js-plotly-plot").locator("visible=true")


def nothing_amiss(page: Page) -> None:
    assert page.locator('[data-testid="stException"]').count() == 0
    assert page.get_by_text("This tab failed").count() == 0


def test_the_shipped_models_have_figures_and_every_section(open_live):
    page = open_live().page
    open_tab(page)
    expect(page.locator(".js-plotly-plot").nth(1)).to_be_attached(timeout=PATIENCE)
    name = default_model_name()
    evaluation = json.loads((model_folder(name) / "evaluation.json").read_text(encoding="utf-8"))
    accuracy = 100 * evaluation["PrivateTest"]["accuracy"]
    shown = page.locator('[data-testid="stMetricValue"]').locator("visible=true").all_inner_texts()
    assert any(abs(float(text.split("%")[0]) - accuracy) < 0.1 for text in shown if "%" in text)
    assert name in list_models()
    for part, words in (
        ("Confusion", "Examples of one mistake"),
        ("Classes", "Thin lines are 95 % intervals."),
        ("Card", "Intended use."),
    ):
        section(page, part)
        expect(page.get_by_text(words)).to_be_visible(timeout=PATIENCE)
    nothing_amiss(page)


def click_cell(page: Page, drawing: Locator, truth: str, answer: str) -> None:
    """Click a cell of the matrix, again when the drawing moved under the click."""
    said = page.get_by_text(f"{truth} faces for {answer}")
    for _ in range(3):
        # While the page draws anew, the one visible drawing may be missing for a moment.
        expect(drawing).to_have_count(1, timeout=PATIENCE)
        area = drawing.bounding_box()
        side = area["width"] / len(CLASSES), area["height"] / len(CLASSES)
        # Off the middle of the cell: all of it can be clicked.
        page.mouse.click(
            area["x"] + (CLASSES.index(answer) + 0.25) * side[0],
            area["y"] + (CLASSES.index(truth) + 0.7) * side[1],
        )
        with contextlib.suppress(PlaywrightTimeout):
            said.wait_for(timeout=PATIENCE / 3)
            return
    raise AssertionError(f"no click on the cell of {truth} and {answer} has any effect")


def test_a_click_on_a_cell_shows_that_mistake(open_live, made, tmp_path):
    page = open_live(url=made.url).page
    open_tab(page)
    section(page, "Confusion")
    plot = plots(page).filter(has_text="truth")
    for truth, answer in (("fear", "sad"), ("happy", "angry")):
        click_cell(page, plot.locator(".nsewdrag"), truth, answer)
        expect(box(page, "Truth").locator("input")).to_have_value(truth, timeout=PATIENCE)
        expect(page.locator(".fer-faces img")).to_have_count(3, timeout=PATIENCE)
        # Rows of a class are seven apart; PrivateTest begins at row 168.
        expect(page.get_by_text(f"row {168 + CLASSES.index(truth)}")).to_be_visible()
        page.wait_for_timeout(500)
    with page.expect_download() as waited:
        plot.hover()
        plot.locator(".modebar-btn").click()
    assert waited.value.suggested_filename == "first-confusion.png"
    assert Path(waited.value.path()).read_bytes().startswith(b"\x89PNG")
    with page.expect_download() as waited:
        page.get_by_role("button", name="CSV").nth(1).click()
    rows = list(csv.DictReader(Path(waited.value.path()).read_text().splitlines()))
    assert len(rows) == len(CLASSES) ** 2
    assert {row["model"] for row in rows} == {"first"}
    nothing_amiss(page)


def test_two_models_side_by_side_on_a_phone(open_live, made):
    page = open_live(url=made.url, viewport=PHONE, has_touch=True).page
    open_tab(page)
    choose_model(page, "second")
    table = page.locator(".fer-compare table").first
    expect(table).to_contain_text("second", timeout=PATIENCE)
    expect(table.locator(".fer-better").first).to_be_visible()
    for part, count in (("Training", 2), ("Confusion", 2), ("Classes", 1), ("Confidence", 2)):
        section(page, part)
        expect(plots(page)).to_have_count(count, timeout=PATIENCE)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        assert page.evaluate(OVERFLOW) == []
    nothing_amiss(page)


def test_the_curves_of_a_run_grow_without_a_reload(open_live, made):
    page = open_live(url=made.url).page
    open_tab(page)
    expect(page.get_by_text("is training: epoch 3 of 30")).to_be_visible(timeout=PATIENCE)
    choose_model(page, "growing")
    expect(page.get_by_text("growing: 3 epochs")).to_be_visible(timeout=PATIENCE)
    make_history(made.run / "history.csv", 20)
    expect(page.get_by_text("growing: 20 epochs")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("is training: epoch 20 of 30")).to_be_visible(timeout=PATIENCE)
    drawn = "p.checkVisibility() && Math.max(...p.data.map(line => line.x.length)) === 20"
    page.wait_for_function(
        f"() => [...document.querySelectorAll('.js-plotly-plot')].some(p => {drawn})",
        timeout=PATIENCE,
    )
    nothing_amiss(page)


def test_a_switch_shows_what_is_drawn_after_a_look_at_another_section(open_live, made):
    """Only a browser tells: the script knows the value, the switch on the page may not."""
    page = open_live(url=made.url).page
    open_tab(page)
    rates = "p => p.data.filter(line => line.yaxis === 'y2').length"
    plot = plots(page).first
    switch = page.locator('[data-testid="stCheckbox"]', has_text="Learning rate")
    for wanted in (True, False, True):
        expect(plot).to_be_visible(timeout=PATIENCE)
        if switch.locator("input").is_checked() != wanted:
            switch.locator("label").click()
        page.wait_for_timeout(1500)
        for part, words in (("Card", "Intended use."), ("Training", "best: epoch")):
            section(page, part)
            expect(page.get_by_text(words).first).to_be_visible(timeout=PATIENCE)
        expect(plot).to_be_visible(timeout=PATIENCE)
        expect(switch.locator("input")).to_be_checked(checked=wanted)
        assert plot.evaluate(rates) == int(wanted)
    nothing_amiss(page)


def test_choosing_models_and_a_split_does_not_touch_a_running_stream(open_live, made):
    live = open_live(url=made.url)
    video = live.start(10)
    page = live.page
    open_tab(page)
    choose_model(page, "second")
    expect(page.locator(".fer-compare table").first).to_contain_text("second", timeout=PATIENCE)
    choose_option(box(page, "Split"), "PublicTest")
    page.wait_for_timeout(1500)
    nothing_amiss(page)
    live.tab("Live")  # a hidden video shows no frames
    live.goes_on(video, 10)
    live.stop()


def test_the_charts_script_is_there_before_a_chart_is_asked_for(open_live, made):
    page = open_live(url=made.url).page
    with page.expect_response("**/static/js/PlotlyChart.*.js", timeout=PATIENCE) as waited:
        pass
    assert waited.value.ok
    # Fetched only: to run it takes a second or two, in which no click is answered.
    link = page.locator('head link[rel="modulepreload"][href*="/static/js/PlotlyChart."]')
    expect(link).to_have_count(1)
    expect(page.get_by_role("tab", name="Live")).to_have_attribute("aria-selected", "true")
    nothing_amiss(page)


@pytest.mark.alone
def test_twenty_models_open_quickly(open_live, made):
    live = open_live(url=made.url)
    waits = []
    for _ in range(4):  # the first opening also fetches the charts' script
        begin = time.monotonic()
        live.tab("Training metrics")
        chart = plots(live.page).first
        expect(chart).to_be_visible(timeout=PATIENCE)
        waits.append(time.monotonic() - begin)
        live.tab("Live")
        live.page.wait_for_timeout(1000)
    print("Seconds to open with twenty models:", [round(wait, 2) for wait in waits])
    assert min(waits) < OPENS_IN, waits
