"""What every face detector promises."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol

import numpy as np
import numpy.typing as npt

from fer_core.results import Detection

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
