"""What a worker of `analyze --ray` does with a file, without Ray."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest
from PIL import Image

from fer_core.analyzer import Analyzer, AnalyzerOptions
from fer_core.cluster.places import find_items
from fer_core.cluster.reader import MOST_STARTS, FaceReader, Starts, Work, task_of
from fer_core.commands.sources import find_sources
from fer_core.model_store import file_sha256, model_folder
from tests.clips import Clip, make_clip


class GoneError(Exception):
    pass


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes readers as Ray's actors do, with references that are the things themselves."""
    ray = SimpleNamespace(
        get=lambda given: given, exceptions=SimpleNamespace(RayActorError=GoneError)
    )
    monkeypatch.setitem(sys.modules, "ray", ray)

    def make(done: frozenset[bytes] = frozenset(), begin: Any = None) -> FaceReader:
        files = {
            file.name: file.read_bytes() for file in model_folder().iterdir() if file.is_file()
        }
        starts = SimpleNamespace(begin=SimpleNamespace(remote=begin or Starts().begin))
        return FaceReader(Work(AnalyzerOptions(runtime="litert"), 2, files), done, starts)

    return make


@pytest.fixture
def files(tmp_path: Path, astronaut: np.ndarray) -> list[Path]:
    picture = tmp_path / "face.jpg"
    Image.fromarray(astronaut).save(picture)
    grey = tmp_path / "grey.png"
    Image.new("RGB", (64, 48)).save(grey)
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no clip")
    clip = make_clip(tmp_path / "clip.mp4", Clip((160, 120)))
    return [picture, clip, grey, broken, tmp_path / "gone.jpg"]


def batch_of(files: list[str]) -> dict[str, np.ndarray]:
    items = find_items(find_sources(files, io.BytesIO())[0])
    tasks = [task_of(number, item) for number, item in enumerate(items)]
    return {name: np.array([task[name] for task in tasks], object) for name in tasks[0]}


@pytest.mark.parametrize("address", [False, True])
def test_a_worker_answers_for_each_file(files: list[Path], reader: Any, address: bool) -> None:
    names = [file.as_uri() if address and file.exists() else str(file) for file in files]
    answers = list(reader()(batch_of(names)))
    picture, clip, grey, broken, gone = [{k: v[0] for k, v in a.items()} for a in answers]
    assert [a["error"] == "" for a in (picture, clip, grey, broken, gone)] == [True] * 3 + [
        False
    ] * 2
    assert broken["error"].startswith("broken.mp4" if not address else "file.mp4")
    assert [a["content"] for a in (picture, clip)] == [file_sha256(file) for file in files[:2]]
    rows = pyarrow.parquet.read_table(pyarrow.BufferReader(clip["rows"]))
    assert set(rows["source"].to_pylist()) == {names[1]}
    assert rows["frame"].to_pylist() == list(range(0, 15, 2))
    assert '"faces": 0' in grey["summary"]


def test_a_worker_loads_its_networks_once(
    files: list[Path], reader: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ai_edge_litert.interpreter import Interpreter

    loaded: list[type] = []

    def count(kind: type) -> None:
        begin = kind.__dict__["__init__"]

        def counted(self: Any, *given: Any, **named: Any) -> None:
            loaded.append(kind)
            begin(self, *given, **named)

        monkeypatch.setattr(kind, "__init__", counted)

    count(Analyzer)
    count(Interpreter)
    one = reader()
    batch = batch_of([str(file) for file in files[:3]])
    after: list[int] = []
    for _ in range(MOST_STARTS):
        assert [answer["error"] for answer in one(batch)] == [[""]] * 3
        after.append(len(loaded))
    assert loaded.count(Analyzer) == 1
    # A runtime opens an interpreter for each number of faces, once.
    assert Interpreter in loaded
    assert after == after[:1] * MOST_STARTS


def test_what_is_done_is_known_by_its_content(files: list[Path], reader: Any) -> None:
    done = frozenset([bytes.fromhex(file_sha256(files[0]))])
    renamed = files[0].with_name("other.jpg")
    renamed.write_bytes(files[0].read_bytes())
    (answer,) = reader(done)(batch_of([str(renamed)]))
    assert answer["content"] == [file_sha256(files[0])]
    assert answer["summary"] == answer["error"] == [""]


def test_a_file_that_ends_its_workers_is_given_up(files: list[Path], reader: Any) -> None:
    starts = Starts()
    for _ in range(MOST_STARTS):
        starts.begin(0)
    (answer,) = reader(begin=starts.begin)(batch_of([str(files[0])]))
    assert "ended the worker 3 times" in answer["error"][0]


def test_a_worker_goes_on_without_the_one_that_counts(files: list[Path], reader: Any) -> None:
    def gone(number: int) -> int:
        raise GoneError

    (answer,) = reader(begin=gone)(batch_of([str(files[2])]))
    assert answer["error"] == [""]
