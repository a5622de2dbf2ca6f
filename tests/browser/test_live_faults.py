"""What the viewer is told when something is not as it should be; the app always goes on."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

from fer_core.model_store import default_model_name, model_folder
from tests.browser.conftest import CAMERA, GRANT
from tests.browser.fake_camera import picture
from tests.browser.server import serve
from tests.browser.test_live_stream import numbered

pytestmark = pytest.mark.alone


def test_a_failing_callback_is_one_sentence_and_the_stream_goes_on(open_live, tmp_path):
    with serve(tmp_path, Path(__file__).with_name("faulty_app.py")) as server:
        live = open_live(url=server.url)
        video = live.start()
        said = live.page.get_by_text("A frame could not be worked on (ValueError: boom")
        expect(said).to_be_visible(timeout=60_000)
        assert said.count() == 1
        failed = live.panel()
        assert failed.errors > 0
        live.goes_on(video, 30)
        live.wait_panel(lambda panel: panel.faces == 1 and panel.frames > failed.frames + 30)
        expect(said).to_be_hidden(timeout=60_000)
        assert server.said().count("A live frame failed") <= 2, "not once a frame"
        live.stop()


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ([GRANT], "No camera was found. Plug one in"),
        ([CAMERA], "The browser refused the camera. Allow it"),
    ],
    ids=["no camera", "permission refused"],
)
def test_without_a_camera_the_page_says_what_to_do(open_live, launch, flags, words):
    live = open_live(browser=launch(*flags))
    live.button("START").click()
    expect(live.page.get_by_text(words)).to_be_visible(timeout=60_000)
    assert not live.frame.get_by_text("Error:").is_visible(), "the browser's own words are replaced"
    expect(live.button("START")).to_be_enabled()
    live.toggle("Mirror")
    expect(live.page.get_by_text(words)).to_be_visible()


def test_a_camera_without_a_face_is_no_fault(open_live, launch, empty_clip):
    browser = launch(GRANT, CAMERA, f"--use-file-for-fake-video-capture={empty_clip}")
    live = open_live(browser=browser)
    video = live.start(30)
    panel = live.wait_panel(lambda panel: panel.frames > 30)
    assert (panel.faces, panel.errors) == (0, 0)
    assert sum(panel.shares.values()) == 0
    shown, number, _ = numbered(live, video)
    clean = picture(number, face=False)
    assert np.abs(shown.astype(int) - clean)[40:].max() < 40, "nothing is drawn"
    live.stop()


NO_CONNECTION = """
RTCPeerConnection.prototype.setRemoteDescription = () => new Promise(() => {});
"""
"""The browser never hears where the server is, as behind a firewall that eats every packet."""


def test_a_connection_that_does_not_come_up_is_said(open_live):
    live = open_live()
    live.page.context.add_init_script(NO_CONNECTION)
    live.page.reload()
    live.open()
    live.button("START").click()
    said = live.page.get_by_text("No picture has come for")
    expect(said).to_be_visible(timeout=60_000)
    live.unfold("The picture does not come up?")
    expect(live.page.get_by_text("FER_LIVE_TURN_URL").first).to_be_visible()
    live.stop()
    expect(said).to_be_hidden(timeout=60_000)


@pytest.fixture
def models(tmp_path):
    """The default model, a copy with one byte altered, and one without its network."""
    root = tmp_path / "models"
    for name in ("good", "altered", "lacking"):
        shutil.copytree(model_folder(default_model_name()), root / name)
    network = root / "altered" / "model.tflite"
    content = bytearray(network.read_bytes())
    content[len(content) // 2] ^= 1
    network.write_bytes(content)
    (root / "lacking" / "model.tflite").unlink()
    (root / "default").write_text("good\n")
    return root


@pytest.mark.parametrize(
    ("name", "words"), [("altered", "SHA-256 differs"), ("lacking", "lacks model.tflite")]
)
def test_a_broken_model_is_one_sentence_and_the_others_can_be_chosen(
    open_live, tmp_path, models, name, words
):
    with serve(tmp_path, environment={"FER_LIVE_MODELS": str(models)}) as server:
        live = open_live(url=server.url)
        video = live.start(20)
        live.choose("Model", name)
        expect(live.page.get_by_text(words)).to_be_visible(timeout=60_000)
        live.goes_on(video, 20)
        live.wait_panel(lambda panel: panel.faces == 1)
        live.choose("Model", "good")
        expect(live.page.get_by_text(words)).to_be_hidden(timeout=60_000)
        live.goes_on(video, 20)
        live.stop()


def test_a_broken_default_leaves_a_page_from_which_another_model_works(open_live, tmp_path, models):
    (models / "default").write_text("lacking\n")
    with serve(tmp_path, environment={"FER_LIVE_MODELS": str(models)}) as server:
        live = open_live(url=server.url)
        expect(live.page.get_by_text("lacks model.tflite").first).to_be_visible()
        live.choose("Model", "good")
        expect(live.page.get_by_text("lacks model.tflite")).to_be_hidden(timeout=60_000)
        live.start(20)
        live.wait_panel(lambda panel: panel.faces == 1)
        live.stop()


def test_without_any_model_the_picture_still_comes_and_a_sentence_says_why(open_live, tmp_path):
    with serve(tmp_path, environment={"FER_LIVE_MODELS": str(tmp_path / "none")}) as server:
        live = open_live(url=server.url)
        expect(live.page.get_by_text("that names the default model").first).to_be_visible()
        video = live.start(10)
        live.goes_on(video, 10)
        live.stop()
