"""Import a package as if some of its optional dependencies were not installed."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

__all__ = ["hidden_imports"]


@contextmanager
def hidden_imports(*names: str) -> Iterator[None]:
    """Within the block, this thread cannot import the packages `names`.

    Other threads are not touched, nothing is left in `sys.modules`, and a package that is loaded
    already stays visible. MediaPipe needs this: where TensorFlow is installed it imports it (6 s,
    600 MB) inside a `try`, only to open files through it, and goes on without when it is missing.
    """
    finder = _Hiding(names, threading.get_ident())
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _Hiding(MetaPathFinder):
    """Finds the hidden packages missing, for one thread."""

    def __init__(self, names: Sequence[str], thread: int) -> None:
        self._names = frozenset(names)
        self._thread = thread

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name.partition(".")[0] in self._names and threading.get_ident() == self._thread:
            raise ModuleNotFoundError(f"No module named {name!r} (hidden on purpose)", name=name)
        return None
