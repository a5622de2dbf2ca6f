"""The page without a browser: what stands on it, and what it says when something is missing."""

from __future__ import annotations

import importlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import streamlit_webrtc.component
from streamlit.testing.v1 import AppTest

from fer_core.detectors import DETECTORS
from fer_core.model_store import ModelCard, load_card, runnable_models, write_card
from fer_core.model_store import model_folder as folder_of
from ui.choices import models_in_words

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[[], AppTest]:
    """Run the page once."""
    # The streaming component looks up a browser session, of which there is none here.
    monkeypatch.setattr(streamlit_webrtc.component, "get_this_session_info", lambda: None)

    def start() -> AppTest:
        return AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()

    return start


def errors(page: AppTest) -> list[str]:
    return [element.value for element in page.error]


def test_four_tabs_and_nothing_amiss(run):
    page = run()
    assert not page.exception
    assert errors(page) == []
    assert [tab.label for tab in page.tabs] == ["Live", "Video", "Photo", "Training metrics"]


def test_before_the_start_it_says_where_the_pictures_go(run):
    words = [element.value for element in run().markdown]
    notice = next(text for text in words if "START" in text)
    assert "go to the process that serves this page" in notice
    assert "Nothing is stored unless you record." in notice


def test_the_choices(run):
    page = run()
    assert page.selectbox(key="live_detector").options[0].startswith("BlazeFace")
    assert len(page.selectbox(key="live_detector").options) == len(DETECTORS)
    assert list(page.selectbox(key="live_model").options) == runnable_models()
    model = page.selectbox(key="live_model").value
    threshold = page.slider(key=f"live_threshold_{model}")
    assert threshold.value == round(100 * load_card(folder_of(model)).uncertain_below)
    assert page.toggle(key="live_mirror").value is True
    assert page.toggle(key="live_bars").value is False


def test_the_help_beside_the_models_tells_them_apart(run):
    said = run().selectbox(key="live_model").help
    for name in runnable_models():
        card = load_card(folder_of(name))
        right = f"{100 * card.figures['PrivateTest']['accuracy']:.1f} % right"
        line = next(line for line in said.splitlines() if f"**{name}**" in line)
        assert right in line
        assert f"{card.multiply_adds / 1e6:.0f} million multiply-adds" in line


def test_models_that_say_nothing_of_themselves_have_no_line(tmp_path, monkeypatch):
    monkeypatch.setenv("FER_LIVE_MODELS", str(tmp_path))
    (tmp_path / "bare").mkdir()
    write_card(ModelCard("bare", "compact48", 48), tmp_path / "bare")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "card.json").write_text("{")
    said = models_in_words(["bare", "broken", "missing"])
    assert said == "The network that reads the expression: one for each folder in models/."


def test_what_is_chosen_reaches_the_stream(run):
    page = run()
    model = page.selectbox(key="live_model").value
    page.toggle(key="live_mirror").set_value(False)
    page.toggle(key="live_bars").set_value(True)
    page.slider(key=f"live_threshold_{model}").set_value(75)
    page.selectbox(key="live_detector").set_value("haar")
    page.run()
    settings = page.session_state["live_session"].settings
    assert (settings.mirror, settings.bars) == (False, True)
    assert (settings.min_confidence, settings.detector) == (0.75, "haar")
    assert page.session_state["live_session"].ready


def test_quick_reruns_are_never_taken_for_a_lost_stream(run):
    page = run()
    stream = page.session_state["live_stream"]
    stream._last_rendered_run_count = 1
    page.run()
    assert page.session_state["live_stream"] is stream
    assert stream._last_rendered_run_count is None


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("FER_LIVE_STUN", "example.org", "FER_LIVE_STUN holds 'example.org'"),
        ("FER_LIVE_TURN_URL", "turn:example.org", "FER_LIVE_TURN_USER is not"),
    ],
)
def test_a_wrong_connection_setting_is_one_sentence(run, monkeypatch, variable, value, words):
    monkeypatch.setenv(variable, value)
    page = run()
    assert not page.exception
    assert len(errors(page)) == 1
    assert words in errors(page)[0]


def test_a_missing_default_model_is_said_and_the_page_stands(run, monkeypatch, tmp_path):
    monkeypatch.setenv("FER_LIVE_MODELS", str(tmp_path))
    page = run()
    assert not page.exception
    assert any("that names the default model" in sentence for sentence in errors(page))
    assert len(page.tabs) == 4


def test_an_altered_model_is_said_and_another_can_be_chosen(
    run, monkeypatch, tmp_path, model_folder
):
    for name in ("altered", "good"):
        shutil.copytree(model_folder, tmp_path / name)
    with (tmp_path / "altered" / "model.tflite").open("ab") as network:
        network.write(b"!")
    (tmp_path / "default").write_text("altered\n")
    monkeypatch.setenv("FER_LIVE_MODELS", str(tmp_path))
    page = run()
    assert sum("SHA-256 differs" in sentence for sentence in errors(page)) >= 1
    assert not page.session_state["live_session"].ready
    page.selectbox(key="live_model").set_value("good").run()
    assert not any("SHA-256" in sentence for sentence in errors(page))
    assert page.session_state["live_session"].ready


def test_the_app_is_built_without_tensorflow_or_mediapipe():
    code = (
        "import sys, ui.page, ui.live_tab, ui.video_tab, ui.resources\n"
        "print([m for m in ('tensorflow', 'keras', 'mediapipe') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


def test_shipped_settings_send_nothing_and_bound_uploads():
    # Python 3.10 has no parser of its own; pytest brings one there.
    parser = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    settings = parser.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert settings["browser"]["gatherUsageStats"] is False
    assert 0 < settings["server"]["maxUploadSize"] <= 2000
    assert settings["server"]["address"] == "localhost"
    assert settings["client"]["showErrorDetails"] == "none"
