"""What all writers have in common: they write beside the wanted file and move it into place when
they are closed, so that a half-written file never carries the final name."""

from __future__ import annotations

import contextlib
from abc import abstractmethod
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from fer_core.closing import Closing
from fer_core.errors import OptionError
from fer_core.results import FrameResult

__all__ = ["ResultWriter"]


class ResultWriter(Closing):
    """A file that grows by one result at a time.

    As a context manager it finishes the file when the block ends, and removes it when the block
    raises. One instance serves one thread.
    """

    def __init__(self, file: Path, *, sources: bool = False) -> None:
        """Start a file.

        Args:
            file: where it will be; an older one is replaced when this one is complete.
            sources: whether each row or line says first which file it is about.

        Raises:
            OptionError: the file cannot be created there.
            PackageMissingError: a package that writes this kind of file is not installed.
        """
        self.file = Path(file)
        self.written = 0
        self._sources = sources
        self._beside = self.file.with_name(self.file.name + ".part")
        self._prepare()
        try:
            self._stream: IO[Any] | None = self._open(self._beside)
        except OSError as error:
            raise OptionError(
                f"{self.file} cannot be written: {error.strerror}. Choose another place."
            ) from None
        try:
            self._start(self._stream)
        except BaseException:
            self.discard()
            raise

    def write(self, result: FrameResult, *, source: str = "", frame: int | None = None) -> None:
        """Append one result.

        Args:
            result: what was found.
            source: the file that it was found in; used where the writer was made with `sources`.
            frame: the frame's number; None counts what is written.

        Raises:
            OptionError: the file has been closed, or the disk is full.
        """
        if self._stream is None:
            raise OptionError(f"{self.file} has been closed. Start a new file.")
        number = self.written if frame is None else frame
        try:
            self._append(self._stream, result, source, number)
        except OSError as error:
            raise self._failed(error) from None
        self.written += 1

    def close(self) -> Path:
        """Finish the file and move it into place; calling it twice is allowed.

        Raises:
            OptionError: the disk is full, or the place is gone.
        """
        if self._stream is not None:
            stream, self._stream = self._stream, None
            try:
                with stream:
                    self._finish(stream)
                self._beside.replace(self.file)
            except OSError as error:
                self._beside.unlink(missing_ok=True)
                raise self._failed(error) from None
        return self.file

    def discard(self) -> None:
        """Remove what was written; after `close` it does nothing."""
        if self._stream is not None:
            stream, self._stream = self._stream, None
            with contextlib.suppress(OSError):  # a full disk: the file goes away anyway
                stream.close()
            self._beside.unlink(missing_ok=True)

    def _prepare(self) -> None:
        """Import what is needed, before a file is made."""

    def _open(self, file: Path) -> IO[Any]:
        return file.open("w", encoding="utf-8", newline="")

    def _start(self, stream: IO[Any]) -> None:
        """Write what stands before the first result."""

    @abstractmethod
    def _append(self, stream: IO[Any], result: FrameResult, source: str, frame: int) -> None:
        """Write one result."""

    def _finish(self, stream: IO[Any]) -> None:
        """Write what stands after the last result."""

    def _failed(self, error: OSError) -> OptionError:
        why = error.strerror or str(error)
        return OptionError(
            f"{self.file} cannot be written: {why}. Make room or choose another place."
        )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()
