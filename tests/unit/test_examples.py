"""Every example that people are shown is run: those in docstrings and those in docs/."""

from __future__ import annotations

import doctest
import os
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import fer_core
from tests.clips import Clip, make_clip

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("docs/library.md",)
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def in_examples_folder(astronaut: np.ndarray, tmp_path: Path) -> Iterator[None]:
    """A folder with `portrait.jpg` and `clip.mp4`, one second at 15 frames a second."""
    Image.fromarray(astronaut).save(tmp_path / "portrait.jpg", quality=95)
    make_clip(tmp_path / "clip.mp4", Clip(size=(320, 240)))
    before = Path.cwd()
    os.chdir(tmp_path)
    yield
    os.chdir(before)


def modules_with_examples() -> list[str]:
    files = sorted((ROOT / "fer_core").rglob("*.py"))
    return [
        ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for file in files
        if re.search(r"^\s*>>> ", file.read_text(encoding="utf-8"), re.MULTILINE)
    ]


@pytest.mark.usefixtures("in_examples_folder")
@pytest.mark.parametrize("name", modules_with_examples())
def test_examples_in_docstrings(name: str) -> None:
    names = {public: getattr(fer_core, public) for public in fer_core.__all__}
    failed, tried = doctest.testmod(import_module(name), extraglobs=names)
    assert tried
    assert not failed


def test_no_example_is_skipped() -> None:
    assert [
        name for name in modules_with_examples()
        if "doctest: +SKIP" in Path(str(import_module(name).__file__)).read_text(encoding="utf-8")
    ] == []  # fmt: skip
    assert {"fer_core", "fer_core.analyzer", "fer_core.results"} <= set(modules_with_examples())


@pytest.mark.usefixtures("in_examples_folder")
@pytest.mark.parametrize("page", PAGES)
def test_examples_in_pages(page: str, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = BLOCK.findall((ROOT / page).read_text(encoding="utf-8"))
    assert blocks
    names: dict[str, object] = {}
    for number, block in enumerate(blocks, 1):
        exec(compile(block, f"{page}, block {number}", "exec"), names)
    printed = capsys.readouterr().out
    assert "person 1 looks" in printed
    assert "There is no file 'nowhere.jpg'." in printed
    assert sorted(path.name for path in Path.cwd().iterdir()) == [
        "annotated.mp4", "clip.mp4", "faces.csv", "faces.parquet", "portrait.jpg"
    ]  # fmt: skip
