"""Test-time augmentation: several views of each image, whose probabilities are averaged."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from train.batches import resized

_CROP = 0.875
"""Side of each of the ten crops, as a share of the image's: 224 of 256, as is usual."""


def views(images: npt.NDArray[np.uint8], kind: str) -> Iterator[npt.NDArray[np.uint8]]:
    """The views of `images`, uint8 (N, size, size), each of that shape.

    Args:
        images: square crops.
        kind: `off` (the image itself), `flip` (and mirrored), or `ten-crop` (four corners and the
            middle, and these mirrored).
    """
    if kind != "ten-crop":
        yield images
        if kind == "flip":
            yield images[:, :, ::-1]
        return
    size = images.shape[1]
    side = round(_CROP * size)
    rest = size - side
    for top, left in ((0, 0), (0, rest), (rest, 0), (rest, rest), (rest // 2, rest // 2)):
        crop = resized(images[:, top : top + side, left : left + side], size)
        yield crop
        yield crop[:, :, ::-1]
