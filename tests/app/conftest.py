"""Surroundings that several tests of the page share."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from fer_core.live import LiveSession
from fer_core.video import VideoOptions
from tests.app.session import end_session, until
from tests.app.video_page import Stage
from tests.made_models import make_model
from tests.unit.live_bench import FakeAnalyzer
from ui import video_job, video_places, video_tab
from ui.video_job import MakeAnalyzer, VideoJob
from ui.video_places import Places


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    monkeypatch.setenv("FER_LIVE_MODELS", str(folder))
    for name in ("FER_LIVE_RUNS", "FER_LIVE_DATA"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def session() -> Iterator[LiveSession]:
    """A stream's session that is ready for frames."""
    made = LiveSession(make_analyzer=FakeAnalyzer)
    made.apply(made.settings)
    yield made
    made.close()


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    models = tmp_path / "models"
    make_model(models / "made")
    (models / "default").write_text("made\n")
    monkeypatch.setenv("FER_LIVE_MODELS", str(models))
    made = Stage(temporary)
    monkeypatch.setattr(video_tab, "analyzer_of", made.maker)
    monkeypatch.setattr(video_places, "AWAY_SECONDS", 0.1)
    monkeypatch.setattr(video_places, "PLACES", places := Places())
    start = video_job.VideoJob.__init__

    def watched(job: VideoJob, source: Path, make: MakeAnalyzer, options: VideoOptions) -> None:
        made.options.append(options)
        start(job, source, make, options)

    monkeypatch.setattr(video_job.VideoJob, "__init__", watched)
    yield made
    made.go.set()
    end_session()
    for token in places.tokens():
        place = places.hold(token)  # it may be in the middle of a long wait
        video_places.AWAY_SECONDS = 0.0
        places.let_go(place)
    until(lambda: not [t for t in threading.enumerate() if t.name.startswith("fer-video")])
