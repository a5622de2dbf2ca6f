"""What goes between a worker and the process that waits for it.

To the worker goes a pickle, for we trust ourselves. What comes back was made beside a stranger's
file: of its pickle only plain values, arrays and the classes that the caller named are built.

Pixels follow behind the pickle as they lie in memory, and are received where they will stay: in a
pickle, those of a telephone's picture took longer to come than to decode.
"""

from __future__ import annotations

import io
import pickle
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

__all__ = ["LARGEST_ANSWER", "Request", "Said", "pack", "receive"]

LARGEST_ANSWER = 256_000_000
"""Bytes; a worker that sends more is taken for broken."""
ASIDE_FROM = 65_536
"""Bytes; smaller arrays stay in the pickle."""
MOST_ASIDE = 16
"""Of one message; further arrays stay in the pickle."""

HEAD = struct.Struct("=QQ")
"""Bytes of the pickle, and how many arrays follow; then come their sizes, the pickle, they."""
SIZE = struct.Struct("=Q")

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


def pack(said: Said) -> list[bytes | memoryview]:
    """As pieces that are to be sent one after the other."""
    aside: list[memoryview] = []

    def stays(buffer: pickle.PickleBuffer) -> bool:
        content = buffer.raw()
        if content.nbytes < ASIDE_FROM or len(aside) == MOST_ASIDE:
            return True
        aside.append(content)
        return False

    content = pickle.dumps(said, protocol=5, buffer_callback=stays)
    sizes = b"".join(SIZE.pack(each.nbytes) for each in aside)
    return [HEAD.pack(len(content), len(aside)) + sizes + content, *aside]


def receive(fill: Callable[[memoryview], None], classes: Iterable[type]) -> Said:
    """What a worker sends.

    Args:
        fill: reads from there as many bytes as there is room for.
        classes: the dataclasses that may be in it.

    Raises:
        ValueError: it is not from `pack`, but from whoever has taken hold of the worker.
    """
    length, count = HEAD.unpack(_read(fill, HEAD.size))
    if count > MOST_ASIDE:
        raise ValueError(f"a worker sent {count} arrays")
    sizes = [size for (size,) in SIZE.iter_unpack(_read(fill, count * SIZE.size))]
    if length + sum(sizes) > LARGEST_ANSWER:
        raise ValueError(f"a worker sent {length + sum(sizes)} bytes")
    content = _read(fill, length)
    aside = [_read(fill, size) for size in sizes]
    known = {(kind.__module__, kind.__qualname__) for kind in classes} | _ARRAYS
    try:
        said = _Reader(content, aside, known).load()
    except Exception as error:
        raise ValueError(f"a worker sent something else ({error})") from None
    if not (isinstance(said, tuple) and len(said) == 2 and isinstance(said[0], str)):
        raise ValueError("a worker sent something else")
    return said


def _read(fill: Callable[[memoryview], None], size: int) -> memoryview:
    room = np.empty(size, np.uint8).data  # its pages are not touched before they are filled
    fill(room)
    return room


class _Reader(pickle.Unpickler):
    def __init__(
        self, content: memoryview, aside: list[memoryview], known: set[tuple[str, str]]
    ) -> None:
        super().__init__(io.BytesIO(content), buffers=aside)
        self._known = known

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._known:
            raise pickle.UnpicklingError(f"{module}.{name}")
        return super().find_class(module, name)
