"""`analyze --ray` without Ray: addresses, buckets, parts, what a worker does, bad input."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest
from PIL import Image

from fer_core import cli
from fer_core.analyzer import Analyzer, AnalyzerOptions
from fer_core.cluster.address import check_address, with_address
from fer_core.cluster.parts import PART_SECONDS, Parts, write_failed, write_files
from fer_core.cluster.places import PlaceError, copy_to, find_items
from fer_core.cluster.reader import MOST_STARTS, FaceReader, Starts, Work, task_of
from fer_core.commands.ledger import LEDGER_FILE, Ledger
from fer_core.commands.sources import find_sources
from fer_core.errors import OptionError
from fer_core.model_store import file_sha256, model_folder
from tests.clips import Clip, make_clip
from tests.unit.test_environment import requirements_of

# What follows --ray


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--ray", "a.mp4"], ["--ray=local", "a.mp4"]),
        (["a.mp4", "--ray"], ["a.mp4", "--ray=local"]),
        (["--ray", "--out", "o", "a"], ["--ray=local", "--out", "o", "a"]),
        (["--ray", "auto", "a"], ["--ray=auto", "a"]),
        (["--ray", "head.example:6379", "a"], ["--ray=head.example:6379", "a"]),
        (["--ray", "[::1]:6379", "a"], ["--ray=[::1]:6379", "a"]),
        (["--ray", "s3://bucket/clips"], ["--ray=local", "s3://bucket/clips"]),
        (["--ray", "ray://head:10001", "a"], ["--ray=ray://head:10001", "a"]),
        (["--ray=10.0.0.1:1", "a"], ["--ray=10.0.0.1:1", "a"]),
        (["a", "--", "--ray", "b"], ["a", "--", "--ray", "b"]),
    ],
)
def test_an_address_may_be_left_out(words: list[str], expected: list[str]) -> None:
    assert with_address(words) == expected


@pytest.mark.parametrize("address", ["ray://head:10001", "nonsense", "", "head:port"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(OptionError, match="Received: "):
        check_address(address)


# Places


@pytest.fixture
def bucket(tmp_path: Path) -> Path:
    folder = tmp_path / "bucket"
    for name in ("a.jpg", "in/b.mp4", "in/deep/c.mp4", "in/notes.txt", ".hidden/d.jpg"):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"-")
    return folder


@pytest.fixture(params=["file", "memory"])
def address(request: pytest.FixtureRequest, bucket: Path) -> Iterator[tuple[str, str]]:
    """Address and path of the bucket: by a scheme of Arrow's, and by one of fsspec's."""
    if request.param == "file":
        yield bucket.as_uri(), str(bucket)
        return
    fsspec = pytest.importorskip("fsspec", reason="it comes with Ray: see requirements-ray.txt")
    memory = fsspec.filesystem("memory")
    for file in bucket.rglob("*.*"):
        if file.is_file():
            memory.pipe(f"/bucket/{file.relative_to(bucket).as_posix()}", file.read_bytes())
    yield "memory://bucket", "/bucket"
    memory.rm("/bucket", recursive=True)


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("", ["/a.jpg", "/in/b.mp4", "/in/deep/c.mp4"]),
        ("/a.jpg", ["/a.jpg"]),
        ("/in/", ["/in/b.mp4", "/in/deep/c.mp4"]),
        ("/in/*", ["/in/b.mp4", "/in/notes.txt"]),
        ("/**/*.mp4", ["/in/b.mp4", "/in/deep/c.mp4"]),
        ("/in/[!n]*.mp?", ["/in/b.mp4"]),
    ],
)
def test_addresses_are_searched_as_folders_are(
    address: tuple[str, str], pattern: str, names: list[str]
) -> None:
    where, path = address
    items = find_items(find_sources([where + pattern], io.BytesIO())[0])
    assert [item.shown for item in items] == [where + name for name in names]
    assert [item.path for item in items] == [path + name for name in names]
    assert all(item.error is None for item in items)


def test_a_file_named_twice_is_read_once(bucket: Path) -> None:
    names = [bucket.as_uri(), bucket.as_uri() + "/in/*.mp4", str(bucket / "a.jpg")]
    items = find_items(find_sources([*names, str(bucket / "a.jpg")], io.BytesIO())[0])
    assert len(items) == 4  # three at the address, and one that is a path of this machine


def test_a_file_of_a_bucket_is_fetched_or_has_its_sentence(
    address: tuple[str, str], bucket: Path, tmp_path: Path
) -> None:
    where, path = address
    assert copy_to(tmp_path / "copy", where, f"{path}/a.jpg") == file_sha256(bucket / "a.jpg")
    assert (tmp_path / "copy").read_bytes() == b"-"
    with pytest.raises(PlaceError, match=r"gone\.jpg cannot be read: (it does not exist|.*open)"):
        copy_to(tmp_path / "copy", where, f"{path}/gone.jpg")


@pytest.mark.parametrize(
    ("pattern", "sentence"),
    [
        ("/nowhere", "does not exist"),
        ("/in/*.gif", "No file matches"),
    ],
)
def test_an_address_without_files_has_its_sentence(
    address: tuple[str, str], pattern: str, sentence: str
) -> None:
    (item,) = find_items(find_sources([address[0] + pattern], io.BytesIO())[0])
    assert item.error is not None
    assert sentence in item.error


def test_a_scheme_that_nothing_serves_has_its_sentence() -> None:
    (item,) = find_items(find_sources(["gopher://key:secret@host/clips"], io.BytesIO())[0])
    assert item.shown == "gopher://host/clips"
    assert item.error is not None
    assert "Use s3://" in item.error
    assert "secret" not in item.error


# What a worker does


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


# Parts


def rows_for(name: str, frames: int, folder: Path) -> bytes:
    from fer_core.exports import ParquetWriter
    from fer_core.results import Box, Face, FrameResult

    face = Face(Box(0, 0, 1, 1), 1.0, (1.0, 0, 0, 0, 0, 0, 0), "angry", 1)
    with ParquetWriter(folder / "rows.tmp", sources=True) as writer:
        for frame in range(frames):
            writer.write(FrameResult(9, 9, (face,), frame / 10), source=name, frame=frame)
    return (folder / "rows.tmp").read_bytes()


SUMMARY = {"width": 9, "height": 9, "faces": 3, "labels": {}, "warnings": []}


def opened(folder: Path, settings: str = "s") -> tuple[Ledger, Parts]:
    ledger = Ledger(folder / LEDGER_FILE, settings, lasting=True)
    return ledger, Parts(folder, ledger)


def all_rows(folder: Path) -> list[tuple[str, str, int]]:
    table = pyarrow.parquet.read_table(folder / "faces")
    return sorted(zip(*(table[n].to_pylist() for n in ("content", "source", "frame")), strict=True))


def test_parts_hold_each_content_once_and_say_of_which_kind(tmp_path: Path) -> None:
    ledger, parts = opened(tmp_path)
    parts.add("clip", "aa", SUMMARY, rows_for("a.mp4", 3, tmp_path))
    parts.add("clip", "aa", SUMMARY, rows_for("copy.mp4", 3, tmp_path))
    parts.add("picture", "bb", SUMMARY, rows_for("b.jpg", 1, tmp_path))
    parts.add("picture", "cc", SUMMARY, rows_for("none.jpg", 0, tmp_path))
    assert not parts.done
    parts.flush()
    ledger.close()
    assert all_rows(tmp_path) == [("aa", "a.mp4", n) for n in range(3)] + [("bb", "b.jpg", 0)]
    kinds = pyarrow.parquet.read_table(tmp_path / "faces")["kind"].to_pylist()
    assert sorted(set(kinds)) == ["clip", "picture"]
    assert set(parts.done) == {"aa", "bb", "cc"}


def test_a_run_that_was_killed_leaves_nothing_twice(tmp_path: Path) -> None:
    ledger, parts = opened(tmp_path)
    parts.add("clip", "aa", SUMMARY, rows_for("a.mp4", 3, tmp_path))
    parts.flush()
    # Killed after a part was moved into place and before the ledger knew, and while writing.
    folder = tmp_path / "faces" / "kind=clip"
    first = folder / "part-000001.parquet"
    (folder / "part-000002.parquet").write_bytes(first.read_bytes())
    (folder / "part-000003.parquet.part").write_bytes(b"half")
    (folder / "mine.parquet").write_bytes(first.read_bytes())
    ledger.close()
    ledger, parts = opened(tmp_path)
    assert sorted(file.name for file in folder.iterdir()) == ["mine.parquet", first.name]
    (folder / "mine.parquet").unlink()
    assert set(parts.done) == {"aa"}
    parts.add("clip", "bb", SUMMARY, rows_for("b.mp4", 2, tmp_path))
    parts.flush()
    ledger.close()
    assert [row[:2] for row in all_rows(tmp_path)] == [("aa", "a.mp4")] * 3 + [("bb", "b.mp4")] * 2


def test_a_part_that_is_gone_is_done_again(tmp_path: Path) -> None:
    ledger, parts = opened(tmp_path)
    parts.add("clip", "aa", SUMMARY, rows_for("a.mp4", 3, tmp_path))
    parts.flush()
    ledger.close()
    (tmp_path / "faces" / "kind=clip" / "part-000001.parquet").unlink()
    ledger, parts = opened(tmp_path)
    assert not parts.done
    parts.add("clip", "aa", SUMMARY, rows_for("a.mp4", 3, tmp_path))
    parts.flush()
    ledger.close()
    assert len(all_rows(tmp_path)) == 3


def test_a_file_that_comes_late_is_written_at_once(tmp_path: Path) -> None:
    now = [0.0]
    ledger = Ledger(tmp_path / LEDGER_FILE, "s", lasting=True)
    parts = Parts(tmp_path, ledger, lambda: now[0])
    parts.add("clip", "aa", SUMMARY, rows_for("a.mp4", 1, tmp_path))
    assert not parts.done
    now[0] = PART_SECONDS
    parts.add("clip", "bb", SUMMARY, rows_for("b.mp4", 1, tmp_path))
    assert set(parts.done) == {"aa", "bb"}
    ledger.close()


def test_results_of_other_options_are_not_mixed_in(tmp_path: Path) -> None:
    ledger, parts = opened(tmp_path)
    parts.add("clip", "aa", SUMMARY, rows_for("a.mp4", 1, tmp_path))
    parts.flush()
    ledger.close()
    ledger = Ledger(tmp_path / LEDGER_FILE, "others", lasting=True)
    with pytest.raises(OptionError, match="another model or of other options"):
        Parts(tmp_path, ledger)
    ledger.close()


def test_the_tables_of_a_run(tmp_path: Path) -> None:
    rows = [
        {"source": "a", "kind": "clip", "content": "aa", **SUMMARY, "labels": {"angry": 3}},
        {"source": "b", "kind": "picture", "error": "b is no picture."},
    ]
    write_files(tmp_path / "files.parquet", rows)
    table = pyarrow.parquet.read_table(tmp_path / "files.parquet").to_pylist()
    assert (table[0]["angry"], table[0]["sad"], table[1]["error"]) == (3, None, "b is no picture.")
    assert write_failed(tmp_path / "failed.csv", [("b", "It, too, failed.")])
    with (tmp_path / "failed.csv").open(encoding="utf-8") as stream:
        assert list(csv.reader(stream)) == [["source", "error"], ["b", "It, too, failed."]]
    assert not write_failed(tmp_path / "failed.csv", [])
    assert not (tmp_path / "failed.csv").exists()


# Bad input


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--ray", "a.jpg"], "--ray needs --out DIR"),
        (["--ray", "a.jpg", "--out", "{file}"], "is a file"),
        (["--ray", "a.jpg", "--out", "{folder}", "--csv", "x.csv"], "--csv does not go with --ray"),
        (["--ray", "a.jpg", "--out", "{folder}", "--workers", "0"], "at least 1"),
        (["--ray", "ray://h:1", "a.jpg", "--out", "{folder}"], "are not taken"),
        (["--ray=nonsense", "a.jpg", "--out", "{folder}"], "HOST:PORT"),
        (["a.jpg", "--out", "{folder}"], "--out goes only with --ray"),
        (["a.jpg", "--workers", "2"], "--workers goes only with --ray"),
        (["--ray", "--out", "{folder}"], "required: PATH"),
    ],
)
def test_options_that_do_not_fit(
    words: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    given = [word.format(file=file, folder=tmp_path / "new") for word in words]
    try:
        code = cli.main(["analyze", *given])
    except SystemExit as ended:
        code = ended.code
    assert code == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1
    assert file.read_text() == "mine"
    assert not (tmp_path / "new").exists()


def test_without_ray_the_command_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    assert cli.main(["analyze", "--ray", "a.jpg", "--out", str(tmp_path)]) == 2
    (pinned,) = requirements_of("requirements-ray.in")
    assert f'pip install "{pinned}"' in capsys.readouterr().err
