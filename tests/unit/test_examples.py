"""Every example that people are shown is run, those in docstrings and those in pages; commands of
`python -m fer_core` are understood."""

from __future__ import annotations

import doctest
import os
import re
import shlex
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import fer_core
from fer_core import cli
from fer_core.cluster.address import with_address
from tests.clips import Clip, make_clip

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND_PAGES = ("README.md", "docs/library.md", "docs/cluster.md")
COMMAND = re.compile(r"(?:^    |`)python -m fer_core (?P<words>[^#`\n]+)", re.MULTILINE)
HELP_COMMAND = re.compile(r"^  .*python -m fer_core (?P<words>.+)$", re.MULTILINE)


@pytest.fixture
def in_examples_folder(astronaut: np.ndarray, tmp_path: Path) -> Iterator[None]:
    """A folder with a portrait under two names and `clip.mp4`, one second at 15 frames a second."""
    for name in ("photo.jpg", "portrait.jpg"):
        Image.fromarray(astronaut).save(tmp_path / name, quality=95)
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
@pytest.mark.parametrize(
    ("page", "says", "makes"),
    [
        ("README.md", [r"^[a-z]+ 0\.\d+ Box\(x0="], []),
        (
            "docs/library.md",
            ["person 1 looks", r"There is no file 'nowhere\.jpg'\."],
            ["annotated.mp4", "faces.csv", "faces.parquet"],
        ),
    ],
)
def test_examples_in_pages(
    page: str, says: list[str], makes: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path.name for path in Path.cwd().iterdir()}
    blocks = BLOCK.findall((ROOT / page).read_text(encoding="utf-8"))
    assert blocks
    names: dict[str, object] = {}
    for number, block in enumerate(blocks, 1):
        exec(compile(block, f"{page}, block {number}", "exec"), names)
    printed = capsys.readouterr().out
    for sentence in says:
        assert re.search(sentence, printed, re.MULTILINE), sentence
    assert {path.name for path in Path.cwd().iterdir()} - before == set(makes)


def commands_in_pages() -> list[tuple[str, str]]:
    return [
        (page, found["words"].strip())
        for page in COMMAND_PAGES
        for found in COMMAND.finditer((ROOT / page).read_text(encoding="utf-8"))
    ]


def understood(words: str) -> bool:
    """Whether the command's own parser takes these words; it ends by itself after its help."""
    try:
        cli._parser().parse_args(with_address(shlex.split(words)))
    except SystemExit as ended:
        return ended.code == 0
    return True


@pytest.mark.parametrize(("page", "words"), commands_in_pages())
def test_a_command_in_a_page_is_understood(page: str, words: str) -> None:
    assert understood(words), page


def test_every_page_with_commands_is_looked_at() -> None:
    assert {page for page, _ in commands_in_pages()} == set(COMMAND_PAGES)
    patterns = ("*.md", "docs/*.md", "benchmarks/*.md", "deploy/*.md", "models/*/README.md")
    assert {
        str(page.relative_to(ROOT)) for pattern in patterns for page in ROOT.glob(pattern)
        if COMMAND.search(page.read_text(encoding="utf-8"))
    } == set(COMMAND_PAGES)  # fmt: skip


def test_the_examples_of_the_help_are_understood(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["analyze", "--help"])
    examples = [found["words"] for found in HELP_COMMAND.finditer(capsys.readouterr().out)]
    assert len(examples) >= 5
    assert [words for words in examples if not understood(words)] == []
