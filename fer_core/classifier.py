"""From crops to calibrated probabilities: a model folder, opened."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fer_core.closing import Closing
from fer_core.emotions import CLASSES
from fer_core.errors import ModelError
from fer_core.model_store import ModelCard, load_card, model_folder
from fer_core.runtimes import Crops, Probabilities, Runtime, create_runtime

__all__ = ["Classifier", "calibrate"]


class Classifier(Closing):
    """Runs a batch of crops through a model and calibrates what comes out.

    Load it once per process and share it: an instance may be used by any number of threads, which
    take turns inside the runtime.

    Attributes:
        folder: the model folder.
        card: what there is to know about the model.
        runtime: what executes it; `runtime.name` and `runtime.device` say what was chosen.
    """

    def __init__(
        self,
        folder: Path | None = None,
        runtime: str = "auto",
        threads: int | None = None,
    ) -> None:
        """Open a model folder; the file that is executed must match the card's SHA-256.

        Args:
            folder: the model folder; None for the default model.
            runtime: one of `fer_core.runtimes.RUNTIMES`.
            threads: CPU threads of one call; None for the runtime's own choice.

        Raises:
            OptionError: there is no such runtime, or `threads` is not positive.
            RuntimeMissingError: the runtime's package is not installed.
            ModelError: the folder is missing, incomplete, altered, or of another kind.
        """
        self.folder = model_folder() if folder is None else Path(folder)
        self.card: ModelCard = load_card(self.folder)
        self.runtime: Runtime = create_runtime(runtime, self.folder, threads)

    def classify(self, crops: Crops) -> Probabilities:
        """Calibrated probabilities.

        Args:
            crops: uint8 (N, size, size, 1), `size` being the card's `input_size`; N may be 0.

        Returns:
            float32 (N, 7), rows sum to 1, order of `fer_core.emotions.CLASSES`.

        Raises:
            PictureError: the crops have another shape or type.
            ModelError: the network gave something that is not a probability, or is closed.
        """
        return calibrate(self.runtime.run(crops), self.card.temperature)

    def close(self) -> None:
        """Release the network; calling it twice is allowed."""
        self.runtime.close()


def calibrate(probabilities: Probabilities, temperature: float) -> Probabilities:
    """Temperature scaling (Guo et al., 2017, arXiv:1706.04599) on probabilities.

    Softmax of logits / T equals p ** (1 / T), scaled to sum to 1, so the logits are not needed.

    Args:
        probabilities: float32 (N, 7), rows sum to 1.
        temperature: above 0; above 1 flattens, under 1 sharpens, 1 changes nothing.

    Returns:
        float32 (N, 7), rows sum to 1, in the same order of size.

    Raises:
        ModelError: a row holds NaN, infinity, a negative number, or only zeros.
    """
    if len(probabilities) == 0:
        return np.zeros((0, len(CLASSES)), np.float32)
    exact = probabilities.astype(np.float64)
    best = exact.max(axis=1, keepdims=True)
    if not np.isfinite(exact).all() or exact.min() < 0 or best.min() <= 0:
        raise ModelError(
            "The network gave numbers that are not probabilities (NaN, infinite, negative or all "
            "zero). Train or export the model again."
        )
    # Relative to the best, so that small temperatures cannot turn a whole row into zeros.
    scaled = (exact / best) ** (1.0 / temperature)
    calibrated: Probabilities = (scaled / scaled.sum(axis=1, keepdims=True)).astype(np.float32)
    return calibrated
