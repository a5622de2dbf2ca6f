"""Every `python -m train` line that people are shown is one that the command understands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from train.cli import _parser

ROOT = Path(__file__).resolve().parents[3]
PAGES = (
    "README.md",
    "docs/training.md",
    "train/LOG.md",
    "models/compact48/README.md",
    "models/plain48/README.md",
)
LINE = re.compile(r"^    python -m train (?P<words>[^#\n]+)", re.MULTILINE)


def lines() -> list[tuple[str, str]]:
    return [
        (page, found["words"].strip())
        for page in PAGES
        for found in LINE.finditer((ROOT / page).read_text(encoding="utf-8"))
    ]


@pytest.mark.parametrize(("page", "words"), lines())
def test_a_line_is_understood(page: str, words: str) -> None:
    parsed = _parser().parse_args(shlex.split(words))
    config = getattr(parsed, "config", None) or getattr(parsed, "file", None)
    assert config is None or (ROOT / config).is_file(), f"{page}: there is no {config}"


def test_every_page_has_some() -> None:
    assert {page for page, _ in lines()} == set(PAGES)


def test_every_flag_named_in_the_text_exists() -> None:
    text = (ROOT / "docs/training.md").read_text(encoding="utf-8")
    known = " ".join((ROOT / "train" / name).read_text() for name in ("cli.py", "commands.py"))
    from dataclasses import fields

    from train.options import TrainOptions

    flags = {f"--{item.name.replace('_', '-')}" for item in fields(TrainOptions)}
    known += (ROOT / "benchmarks" / "train_step.py").read_text()
    flags |= set(re.findall(r'"(--[a-z-]+)"', known)) | {"--help"}
    assert set(re.findall(r"--[a-z][a-z-]+", text)) <= flags
