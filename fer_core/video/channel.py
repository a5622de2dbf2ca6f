"""A bounded hand-over between two threads, which also hands over failures."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class ChannelAborted(Exception):  # noqa: N818 - tells a thread to stop; no user ever sees it
    """The other end has given up; there is nothing more to do."""


class Channel(Generic[T]):
    """Holds at most `size` items; the giver waits while it is full, the taker while it is empty."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._items: deque[T] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._aborted = False
        self._error: BaseException | None = None

    def put(self, item: T) -> None:
        """Hand over an item.

        Raises:
            ChannelAborted: the taker has given up.
        """
        with self._changed:
            while len(self._items) >= self._size and not self._aborted:
                self._changed.wait()
            if self._aborted:
                raise ChannelAborted
            self._items.append(item)
            self._changed.notify_all()

    def close(self, error: BaseException | None = None) -> None:
        """No more items will come; `error` is raised at the other end after the last of them."""
        with self._changed:
            self._closed = True
            self._error = error
            self._changed.notify_all()

    def abort(self) -> None:
        """No more items are wanted: drop what is here and stop the giver."""
        with self._changed:
            self._aborted = True
            self._items.clear()
            self._changed.notify_all()

    def __iter__(self) -> Iterator[T]:
        """Items until the giver closes; raises what the giver closed with."""
        while True:
            with self._changed:
                while not self._items and not self._closed and not self._aborted:
                    self._changed.wait()
                if self._items:
                    item = self._items.popleft()
                    self._changed.notify_all()
                elif self._error is not None and not self._aborted:
                    raise self._error
                else:
                    return
            yield item
