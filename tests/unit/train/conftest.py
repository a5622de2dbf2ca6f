"""What several tests of training need."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .made import made_dataset, write_npz


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[type], None]]:
    """Makes an architecture known by its name; what was built is forgotten afterwards."""
    import keras

    import train.architectures as registry

    def register(kind: type) -> None:
        monkeypatch.setitem(registry.ARCHITECTURES, kind.name, kind)  # type: ignore[attr-defined]

    yield register
    keras.backend.clear_session()


@pytest.fixture
def tiny(registered: Callable[[type], None]) -> None:
    """The architecture `tiny` can be asked for by name."""
    from .tiny import Tiny

    registered(Tiny)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The made data set as `fer2013.npz`."""
    return write_npz(made_dataset(), tmp_path / "fer2013.npz")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The quick options as a file for `--config`."""
    import json

    from .tiny import QUICK

    file = tmp_path / "options.json"
    file.write_text(json.dumps(QUICK.to_dict()))
    return file
