"""What every runtime promises: the way a network is executed."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

Crops = npt.NDArray[np.uint8]
"""uint8 (N, size, size, 1): grey crops, straight from `fer_core.crops`."""

Probabilities = npt.NDArray[np.float32]
"""float32 (N, 7), rows sum to 1, columns in the order of `fer_core.emotions.CLASSES`."""


class Runtime(Protocol):
    """Runs one network on batches of crops. Normalisation lies inside the network."""

    name: str
    device: str
    """The device in words, such as `CPU, 2 threads` or `GPU: NVIDIA H200`."""

    def run(self, crops: Crops) -> Probabilities:
        """The network's own probabilities, before temperature scaling.

        Args:
            crops: uint8 (N, size, size, 1); N may be 0 and may change from call to call.

        Returns:
            float32 (N, 7).
        """
        ...

    def close(self) -> None:
        """Release what the runtime holds; calling it twice is allowed."""
        ...


def runtime_in_words(runtime: Runtime) -> str:
    """What ran the network, on what, with how many threads, such as `litert (CPU, 2 threads)`."""
    return f"{runtime.name} ({runtime.device})"
