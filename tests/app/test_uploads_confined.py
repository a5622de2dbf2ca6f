"""What the page is given is decoded in another process, and only that one can be harmed."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit
import streamlit_webrtc.component
from PIL import Image
from streamlit.testing.v1 import AppTest

import fer_core.pictures
from fer_core.analyzer import AnalyzerOptions
from fer_core.confined import WorkerPool
from fer_core.video import VideoOptions
from tests.app.session import until
from tests.clips import Clip, make_clip
from tests.unit.test_confined_files import children
from ui import live_snapshot
from ui.video_job import VideoJob

ROOT = Path(__file__).resolve().parents[2]
FACE = "**happy**"
GONE = "The picture ended the process that read it (SIGSEGV)"


@pytest.fixture
def portrait(astronaut: np.ndarray) -> bytes:
    held = io.BytesIO()
    Image.fromarray(astronaut[:300, 80:380]).save(held, "PNG")
    return held.getvalue()


@pytest.fixture
def not_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever decodes a file in this process fails; other processes are as ever."""

    def refuses(*_: Any) -> None:
        raise AssertionError("a picture was decoded in the app's own process")

    monkeypatch.setattr(fer_core.pictures, "_from_file", refuses)


def deadly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every picture is from now on one that ends the process it is read in."""
    call = WorkerPool.call

    def dies(pool: WorkerPool, function: str, *_: Any, **options: Any) -> Any:
        return call(pool, "tests.unit.hostile:die", "SIGSEGV", **options)

    monkeypatch.setattr(WorkerPool, "call", dies)


def photo_page() -> None:
    from ui import photo_tab

    photo_tab.render()


def photo(content: bytes) -> AppTest:
    tab = AppTest.from_function(photo_page, default_timeout=60).run()
    return tab.file_uploader(key="photo_upload").set_value([("me.png", content, "image/png")]).run()


def snapshot(content: bytes, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setattr(streamlit_webrtc.component, "get_this_session_info", lambda: None)
    monkeypatch.setattr(streamlit, "camera_input", lambda *_, **__: io.BytesIO(content))
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    return page.toggle(key="live_snapshots").set_value(True).run()


@pytest.mark.usefixtures("not_here")
def test_a_photo_is_decoded_elsewhere(portrait: bytes) -> None:
    tab = photo(portrait)
    assert not tab.exception
    assert not tab.error
    assert "**1 face** in 1 picture" in [element.value for element in tab.markdown]


@pytest.mark.usefixtures("not_here")
def test_a_snapshot_is_decoded_elsewhere(portrait: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    page = snapshot(portrait, monkeypatch)
    assert not page.exception
    assert not page.error
    assert any(FACE in element.value for element in page.markdown)


def test_a_photo_that_ends_its_process_is_one_sentence(portrait: bytes) -> None:
    with pytest.MonkeyPatch.context() as patched:
        deadly(patched)
        tab = photo(portrait)
    assert not tab.exception
    (error,) = tab.error
    assert GONE in error.value.replace("\\", "")
    assert not photo(portrait).error, "the next one is read"


def test_a_snapshot_that_ends_its_process_is_one_sentence(
    portrait: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.MonkeyPatch.context() as patched:
        deadly(patched)
        page = snapshot(portrait, monkeypatch)
    assert not page.exception
    (error,) = page.error
    assert GONE in error.value
    page.run()
    assert not page.error, "the next one is read"


def test_a_snapshot_that_is_too_large_is_not_read(
    portrait: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = portrait + bytes(live_snapshot.MOST_MEGABYTES * 1_000_000)
    deadly(monkeypatch)
    (error,) = snapshot(large, monkeypatch).error
    assert "MB is more than the 20 MB allowed" in error.value


def test_a_clip_is_annotated_in_a_process_that_ends_with_it(tmp_path: Path) -> None:
    times = tuple(i / 15 for i in range(90))
    source = make_clip(tmp_path / "upload", Clip(size=(320, 240), times=times, container="mp4"))
    before = children()
    job = VideoJob(source, AnalyzerOptions(runtime="litert"), VideoOptions())
    until(lambda: job.progress is not None or not job.at_work)
    working = children() - before
    assert job.wait(60)
    assert (job.state, job.error) == ("done", None)
    assert len(working) == 1
    assert os.getpid() not in working
    assert not working & children()
