"""What `analyze` is given and where its results go."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.clips import Clip, make_clip

from .analyzing import FRAMES


@pytest.fixture(scope="module")
def made(_astronaut: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two pictures of a face, one without, and a clip of two seconds."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "more").mkdir()
    Image.fromarray(_astronaut).save(folder / "a.jpg", quality=95)
    Image.fromarray(_astronaut[:, ::-1]).save(folder / "more" / "a.jpg", quality=95)
    Image.new("RGB", (64, 48), (90, 90, 90)).save(folder / "grey.png")
    make_clip(
        folder / "clip.mp4", Clip((320, 240), tuple(i / 15 for i in range(FRAMES)), sound="aac")
    )
    return folder


@pytest.fixture
def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the results go: the working directory of the test."""
    folder = tmp_path / "out"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    return folder
