"""What several tests of training need."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The architecture `tiny` can be asked for by name; what was built is forgotten afterwards."""
    import keras

    import train.architectures as registry

    from .tiny import Tiny

    monkeypatch.setitem(registry.ARCHITECTURES, "tiny", Tiny)
    yield
    keras.backend.clear_session()
