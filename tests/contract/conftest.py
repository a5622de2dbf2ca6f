"""Fixtures for what runtimes promise: all of them opened, and a model folder to spoil."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from fer_core.runtimes import Runtime, create_runtime
from tests.contract.kinds import NAMES


@pytest.fixture(scope="module")
def opened(model_folder: Path) -> Iterator[dict[str, Runtime]]:
    made = {name: create_runtime(name, model_folder) for name in NAMES}
    yield made
    for runtime in made.values():
        runtime.close()


@pytest.fixture
def copied(model_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(model_folder, tmp_path / "model"))
