"""What the paths of a command line mean."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer_core.commands.sources import CLIP, PICTURE, Source, find_sources, kind_of
from fer_core.errors import OptionError
from tests.clips import Clip, make_clip


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in (
        "b.JPG", "a.png", "notes.txt", ".hidden.png", "a-annotated.png", "b-annotated-2.jpg",
        "clips/z.mp4", "clips/deep/y.MOV", ".cache/x.png", "clips/fer-live.ledger",
    ):  # fmt: skip
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    return tmp_path


def found(*names: object, listed: bytes = b"") -> list[Source]:
    return find_sources([str(name) for name in names], io.BytesIO(listed))[0]


def test_a_folder_gives_its_pictures_and_clips_in_order(tree: Path) -> None:
    assert found(tree) == [
        Source(str(tree / "a.png"), PICTURE),
        Source(str(tree / "b.JPG"), PICTURE),
        Source(str(tree / "clips/z.mp4"), CLIP, "clips"),
        Source(str(tree / "clips/deep/y.MOV"), CLIP, str(Path("clips", "deep"))),
    ]


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("*.png", ["a-annotated.png", "a.png"]),
        ("**/*.m[po]4", ["clips/z.mp4"]),
        ("?.JPG", ["b.JPG"]),
    ],
)
def test_patterns(tree: Path, pattern: str, names: list[str]) -> None:
    assert [source.path for source in found(tree / pattern)] == [str(tree / name) for name in names]


def test_a_file_whose_name_looks_like_a_pattern_is_a_file(tmp_path: Path) -> None:
    file = tmp_path / "take[1].png"
    file.touch()
    assert found(file) == [Source(str(file), PICTURE)]


def test_what_was_named_is_kept_and_what_was_found_is_not_repeated(tree: Path) -> None:
    one = tree / "a.png"
    assert [source.path for source in found(one, one)] == [str(one)] * 2
    assert len(found(one, tree)) == 4
    assert len(found(tree, tree, tree / "*.JPG")) == 4


@pytest.mark.parametrize("data", [b"a.png\n\nclips\n", b"a.png\0clips\0", b"a.png\r\nclips"])
def test_a_list_on_standard_input(tree: Path, data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tree)
    sources, many = find_sources(["-"], io.BytesIO(data))
    assert many
    assert [source.path for source in sources] == ["a.png", "clips/z.mp4", "clips/deep/y.MOV"]


def test_only_several_are_many(tree: Path) -> None:
    assert not find_sources([str(tree / "a.png"), "nowhere"], io.BytesIO())[1]
    assert find_sources([str(tree)], io.BytesIO())[1]
    assert find_sources([str(tree / "*")], io.BytesIO())[1]


def test_an_empty_list_is_said() -> None:
    with pytest.raises(OptionError, match="The list on standard input is empty"):
        found("-", listed=b"\n\n")


def test_what_means_nothing_is_an_error_of_its_own(tmp_path: Path) -> None:
    hollow, pattern, missing = found(tmp_path, tmp_path / "*.mp4", tmp_path / "no.png")
    assert "holds no picture and no clip" in (hollow.error or "")
    assert "No file matches" in (pattern.error or "")
    assert missing.error is None


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root reads everything")
def test_a_folder_that_cannot_be_read(tree: Path) -> None:
    (tree / "clips").chmod(0)
    try:
        errors = [source.error for source in found(tree) if source.error]
    finally:
        (tree / "clips").chmod(0o700)
    assert len(errors) == 1
    assert "cannot be read: Permission denied" in errors[0]


def test_names_that_say_nothing_are_looked_into(astronaut: np.ndarray, tmp_path: Path) -> None:
    picture, clip, text = tmp_path / "picture", tmp_path / "clip.dat", tmp_path / "text"
    Image.fromarray(astronaut).save(picture, "PNG")
    make_clip(tmp_path / "c.mp4", Clip(times=(0.0, 0.1))).rename(clip)
    text.write_text("neither")
    assert [kind_of(str(file)) for file in (picture, clip, text)] == [PICTURE, CLIP, PICTURE]
