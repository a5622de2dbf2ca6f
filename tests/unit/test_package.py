"""`import fer_core` is light, and its public names are what they say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import fer_core

LIMIT_SECONDS = 0.3


def python(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    ).stdout.strip()


def test_importing_it_is_quick_and_brings_nothing_heavy() -> None:
    code = """
import sys, time
before, started = set(sys.modules), time.perf_counter()
import fer_core
print(time.perf_counter() - started)
heavy = ("numpy", "cv2", "tensorflow", "keras", "mediapipe", "ai_edge_litert", "streamlit", "av")
print(sorted(name for name in heavy if name in sys.modules and name not in before))
"""
    seconds, heavy = python(code).splitlines()
    assert float(seconds) < LIMIT_SECONDS
    assert heavy == "[]"


def test_the_analyzers_module_brings_no_framework() -> None:
    code = """
import sys
import fer_core.analyzer, fer_core.overlay, fer_core.exports, fer_core.cli
heavy = ("tensorflow", "keras", "mediapipe", "ai_edge_litert", "streamlit", "av")
print(sorted(name for name in heavy if name in sys.modules))
"""
    assert python(code) == "[]"


def test_public_names_are_sorted_and_there() -> None:
    constants = [name for name in fer_core.__all__ if name.isupper()]
    kinds = [name for name in fer_core.__all__ if name[0].isupper() and not name.isupper()]
    functions = [name for name in fer_core.__all__ if name[0].islower()]
    assert fer_core.__all__ == sorted(constants) + sorted(kinds) + sorted(functions)
    assert set(fer_core.__all__) == set(fer_core._ROOM_OF) <= set(dir(fer_core))
    for name in fer_core.__all__:
        assert getattr(fer_core, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Analyser'"):
        fer_core.Analyser  # noqa: B018


def test_its_types_are_shipped() -> None:
    assert (Path(fer_core.__file__).parent / "py.typed").is_file()
