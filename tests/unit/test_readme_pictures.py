"""The README shows the pictures that the browser tests make, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHOWN = re.compile(r"!\[[^\]]*\]\((?:docs/images/)?([^)]+)\)")


def test_the_readme_shows_exactly_the_pictures_that_the_tests_make() -> None:
    pytest.importorskip("playwright")
    from tests.browser.test_pictures import FOLDER, PICTURES

    shown = SHOWN.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    assert sorted(shown) == sorted(PICTURES)
    assert sorted(file.name for file in FOLDER.iterdir()) == sorted(PICTURES)
