"""The comparison with other packages, as far as it goes without installing them."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import benchmarks.peers.__main__ as peers
from benchmarks.clip import face_boxes, face_clip
from benchmarks.peers import environments, worker
from benchmarks.peers.environments import CONTESTANTS, ENVIRONMENTS, PeerError
from benchmarks.peers.process import Worker
from fer_core.results import Box


def test_every_contestant_has_an_environment_and_a_kind() -> None:
    assert {one.environment for one in CONTESTANTS} == set(ENVIRONMENTS)
    assert {one.kind for one in CONTESTANTS} == set(worker.KINDS)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("clip") / "clip.npy"
    np.save(file, np.stack([picture for _, picture in face_clip(320, 240, 1, 4)]))
    return file


@pytest.mark.parametrize("kind", [kind for kind in worker.KINDS if kind.startswith("fer_live")])
def test_this_project_answers_like_the_others(kind: str, clip: Path, tmp_path: Path) -> None:
    reader = worker.KINDS[kind]()
    answer = worker._answer(reader, {"do": "pictures", "file": str(clip), "from": 1, "to": 4})
    assert len(answer["seconds"]) == len(answer["boxes"]) == 3
    for index, boxes in enumerate(answer["boxes"]):
        assert peers._missed(boxes, face_boxes(320, 240, 1, (index + 1) / 30)) == 0
    crops = tmp_path / "crops.npy"
    np.save(crops, np.zeros((2, 48, 48), np.uint8))
    labels = worker._answer(reader, {"do": "crops", "file": str(crops)})["labels"]
    assert len(labels) == 2
    assert set(labels) <= set(worker.LABELS)
    assert worker._answer(reader, {"do": "memory"})["peak"] > 20
    asked = {"do": "versions", "of": ["numpy", "no-such-package"]}
    assert worker._answer(reader, asked) == {"versions": {"numpy": np.__version__}}


def test_a_missed_face_is_one_without_a_box() -> None:
    true = [Box(0, 0, 10, 10), Box(50, 50, 60, 60)]
    assert peers._missed([], true) == 2
    assert peers._missed([[0, 0, 10, 10], [200, 0, 210, 10]], true) == 1
    assert peers._missed([[1, 1, 11, 11], [49, 49, 61, 61]], true) == 0


def test_a_package_that_is_not_there_is_said() -> None:
    with pytest.raises(PeerError, match="deepface"):
        Worker(Path(sys.executable), "deepface", patience=60)


def _asked(patience: float) -> None:
    with Worker(Path(sys.executable), "any", patience) as started:
        try:
            started.ask(do="memory")
        finally:
            started._process.kill()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("print('{}', flush=True); input(); raise SystemExit(3)", "ended with code 3"),
        ("print('{}', flush=True); import time; time.sleep(60)", "no answer for 1 s"),
        ('print(\'{"error": "no weights"}\')', "no weights"),
    ],
)
def test_a_worker_that_fails_is_said(
    code: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "worker.py"
    script.write_text(code)
    monkeypatch.setattr("benchmarks.peers.process.WORKER", script)
    with pytest.raises(PeerError, match=words):
        _asked(1.0 if "sleep" in code else 60.0)


def test_an_environment_that_pip_cannot_make_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = ENVIRONMENTS["fer"]
    monkeypatch.setattr(environments.venv, "create", lambda *_, **__: None)
    failed = SimpleNamespace(returncode=1, stderr="trying\nERROR: no such package\n")
    monkeypatch.setattr(environments.subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(PeerError, match="pip cannot install fer: ERROR: no such package"):
        environments.python_in(tmp_path, environment)


def test_this_projects_environment_is_made_anew_when_its_sources_change(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = environments._sources_sha256()
    assert before == environments._sources_sha256()
    monkeypatch.setattr(environments, "ROOT", tmp_path)
    (tmp_path / "pyproject.toml").write_text("other")
    assert environments._sources_sha256() != before


def test_an_environment_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = ENVIRONMENTS["fer"]
    (tmp_path / "fer").mkdir()
    calls: list[Any] = []
    monkeypatch.setattr(environments.venv, "create", lambda *_, **__: None)

    def pip(command: list[str], **_: Any) -> SimpleNamespace:
        calls.append(command)
        return SimpleNamespace(returncode=0, stderr="")

    monkeypatch.setattr(environments.subprocess, "run", pip)
    for _ in range(2):
        assert environments.python_in(tmp_path, environment).name == "python"
    assert len(calls) == 1
    assert calls[0][-len(environment.packages) :] == list(environment.packages)


def row(title: str, rate: float, missed: int, first: float) -> dict[str, Any]:
    one = {
        "milliseconds": 1000 / rate,
        "p95": 2000 / rate,
        "frames_a_second": rate,
        "missed": missed,
        "frames": 100,
        "peak_megabytes": 50,
    }
    return {
        "title": title,
        **dict.fromkeys(peers.AIMS, one),
        "first_answer_seconds": first,
        "first_answer_megabytes": 60,
        "megabytes_on_disk": 1234,
        "versions": {"mine" if title == "ours" else "theirs": "1.2"},
    }


def test_the_table_says_what_was_reached_and_what_did_not_run() -> None:
    rows = {
        "fer_live": row("ours", 300.0, 1, 0.5),
        "fer_live-haar": row("ours", 200.0, 1, 0.5),
        "fer": {**row("theirs", 15.0, 2, 6.0), "accuracy": 0.6581},
        "deepface": {"title": "deepface", "failed": "ConnectionError: no weights"},
    }
    text = peers._table({"turns": 2, "rows": rows})
    assert "deepface                    did not run: ConnectionError: no weights" in text
    assert "640x480: 20.0 times the frames a second of fer (aim 12: reached)" in text
    assert "1280x720: 20.0 times the frames a second of fer (aim 25: not reached)" in text
    assert "no more faces missed: yes" in text
    assert "first answer 12.0 times as fast as fer (aim 10: reached)" in text
    assert "65.81 %" in text
    assert "1,234" in text
    assert "most, MB" in text
    assert text.splitlines()[-2:] == ["mine 1.2", "theirs 1.2"], "one line an environment"
