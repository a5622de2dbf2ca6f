"""A bar with the time left, on standard error, where somebody looks at it."""

from __future__ import annotations

import sys
from typing import Any

from fer_core.closing import Closing
from fer_core.commands.common import complain

__all__ = ["Progress"]


class Progress(Closing):
    """How far a run over several files is; silent where standard error is no terminal.

    The bar runs over bytes: a long clip counts for more than a picture.
    """

    def __init__(self, total: int, files: int, wanted: bool) -> None:
        """Begin.

        Args:
            total: bytes of all files.
            files: number of files.
            wanted: False for no bar anywhere.
        """
        self._bar: Any = None
        self._size = 0
        self._before = 0
        self._number = 0
        self._files = files
        if not (wanted and sys.stderr.isatty()):
            return
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            TaskProgressColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )
        from rich.progress import Progress as Bar

        self._bar = Bar(
            TextColumn("{task.fields[count]}"),
            BarColumn(bar_width=None),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[name]}", markup=False),
            console=Console(stderr=True),
            redirect_stdout=False,
            redirect_stderr=False,
            expand=True,
        )
        self._total = max(1, total)
        self._task = self._bar.add_task("", total=self._total, count=f"0/{files}", name="")

    def start(self, name: str, size: int) -> None:
        """The next file begins; `size` is its bytes."""
        self._size = size
        self._number += 1
        if self._bar is not None:
            count = f"{self._number}/{self._files}"
            self._bar.update(self._task, count=count, name=_short(name))

    def fraction(self, share: float) -> None:
        """This share of the file, 0 to 1, is done."""
        if self._bar is not None:
            self._bar.update(self._task, completed=self._before + share * self._size)

    def done(self) -> None:
        """The file is done."""
        self._before += self._size
        self.fraction(0)

    def skip(self) -> None:
        """The file had been done before: it says nothing about the time that is left."""
        if self._bar is not None:
            self._total = max(1, self._total - self._size)
            self._bar.update(self._task, total=self._total)

    def say(self, sentence: str) -> None:
        """Print a sentence above the bar."""
        if self._bar is None:
            complain(sentence)
        else:
            self._bar.console.print(sentence, markup=False, highlight=False, soft_wrap=True)

    def close(self) -> None:
        """Leave the bar as it stands; calling it twice is allowed."""
        if self._bar is not None:
            self._bar.stop()

    def __enter__(self) -> Progress:
        if self._bar is not None:
            self._bar.start()
        return self


def _short(name: str, most: int = 32) -> str:
    return name if len(name) <= most else "..." + name[3 - most :]
