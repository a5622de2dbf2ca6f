"""Which images a network is most surely wrong about, by number: never the images themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

LISTED = 32
"""Of each cell of the confusion matrix."""


def confident_mistakes(
    probabilities: npt.NDArray[Any],
    labels: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
    classes: tuple[str, ...],
) -> dict[str, dict[str, list[list[float]]]]:
    """The most confident mistakes of each cell of the confusion matrix.

    Args:
        probabilities: (N, C), calibrated.
        labels: (N,), the truth.
        rows: (N,), number of each image in the whole data set.
        classes: C names.

    Returns:
        By truth, then by answer: [row, confidence] of at most `LISTED` images, the most confident
        first. Cells without a mistake are left out.
    """
    answers = probabilities.argmax(axis=1)
    confidence = probabilities.max(axis=1)
    found: dict[str, dict[str, list[list[float]]]] = {}
    for truth, name in enumerate(classes):
        cells = {}
        for answer, other in enumerate(classes):
            places = np.flatnonzero((labels == truth) & (answers == answer))
            if truth == answer or len(places) == 0:
                continue
            # Rows decide between equals, so that the list is the same wherever it is made.
            order = np.lexsort((rows[places], -confidence[places]))[:LISTED]
            cells[other] = [
                [int(rows[place]), round(float(confidence[place]), 4)] for place in places[order]
            ]
        if cells:
            found[name] = cells
    return found
