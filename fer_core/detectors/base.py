"""What every face detector promises."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from fer_core.results import Box, Detection

Picture = npt.NDArray[np.uint8]
"""RGB uint8 (height, width, 3), C-contiguous: the one form in which pictures travel."""


class Detector(Protocol):
    """Finds faces in a picture.

    One instance serves one session unless its docstring says that it may be shared.
    """

    name: str

    def detect(self, picture: Picture) -> list[Detection]:
        """Every face in `picture`.

        Args:
            picture: RGB uint8 (height, width, 3), any size from 1x1 up; it is not changed.

        Returns:
            Detections in pixels of `picture`, highest score first; an empty list when no face is
            found.

        Raises:
            DetectorError: the detector failed or is closed.
        """
        ...

    def close(self) -> None:
        """Release what the detector holds; calling it twice is allowed."""
        ...

    def __enter__(self) -> Detector: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


@runtime_checkable
class Follower(Protocol):
    """A detector that can save time on a stream by knowing where faces were a moment ago."""

    def follow(self, picture: Picture, known: Sequence[Box]) -> list[Detection]:
        """The faces of the next frame of a stream, as `Detector.detect` gives them.

        A known face is looked for where it should be. When one is not found there, the whole
        picture is searched in the same call. Someone who comes in is found within a few frames.

        Args:
            picture: RGB uint8 (height, width, 3), of the same size as the last one.
            known: where each face of the last frame should be now, pixels, in the framing of this
                detector's own boxes; empty to have the whole picture searched.

        Raises:
            PictureError, DetectorError: as in `Detector.detect`.
        """
        ...
