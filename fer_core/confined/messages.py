"""What goes between a worker and the process that waits for it.

To the worker goes a pickle, for we trust ourselves. What comes back was made beside a stranger's
file: of its pickle only plain values, arrays and the classes that the caller named are built.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["LARGEST_ANSWER", "Request", "Said", "pack", "unpack"]

LARGEST_ANSWER = 256_000_000
"""Bytes; a worker that sends more is taken for broken."""

Kind = Literal["ready", "alive", "progress", "answer", "error", "limit", "fault"]
"""`error` is one of ours, with its class and sentence; `limit` the name of a limit; `fault`
whatever else was raised, with its class and traceback."""

Said = tuple[Kind, Any]

_ARRAYS = {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy._core.numeric", "_frombuffer"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy.core.numeric", "_frombuffer"),
}


@dataclass(frozen=True)
class Request:
    """A function to call in the worker.

    Attributes:
        function: `module:name`, at the top of the module.
        arguments: given to it, after a `fer_core.confined.child.Tell`.
    """

    function: str
    arguments: tuple[Any, ...]


def pack(said: Said) -> bytes:
    """As bytes."""
    return pickle.dumps(said, protocol=5)


def unpack(content: bytes, classes: Iterable[type]) -> Said:
    """What a worker has sent.

    Args:
        content: from `pack`, or from whoever has taken hold of the worker.
        classes: the dataclasses that may be in it.

    Raises:
        ValueError: it is anything else.
    """
    known = {(kind.__module__, kind.__qualname__) for kind in classes} | _ARRAYS
    try:
        said = _Reader(content, known).load()
    except Exception as error:
        raise ValueError(f"a worker sent something else ({error})") from None
    if not (isinstance(said, tuple) and len(said) == 2 and isinstance(said[0], str)):
        raise ValueError("a worker sent something else")
    return said


class _Reader(pickle.Unpickler):
    def __init__(self, content: bytes, known: set[tuple[str, str]]) -> None:
        super().__init__(io.BytesIO(content))
        self._known = known

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._known:
            raise pickle.UnpicklingError(f"{module}.{name}")
        return super().find_class(module, name)
