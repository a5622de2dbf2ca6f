"""`analyze --ray` without Ray: addresses, buckets, bad input."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fer_core import cli
from fer_core.cluster.address import check_address, with_address
from fer_core.cluster.places import PlaceError, copy_to, find_items
from fer_core.commands.sources import find_sources
from fer_core.errors import OptionError
from fer_core.model_store import file_sha256
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
