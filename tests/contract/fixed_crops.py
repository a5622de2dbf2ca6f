"""Crops that are the same on every machine: whole-number arithmetic on a picture from a wheel."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["crops_of", "fixed_crops"]


def fixed_crops() -> dict[str, npt.NDArray[np.uint8]]:
    """Grey 48x48 crops by name: a real face in three dresses, its mirror, and no face at all."""
    from skimage.data import astronaut

    # 0.299 R + 0.587 G + 0.114 B in 1/1024, without floats.
    weights = np.array([306, 601, 117], np.int64)
    grey = (np.asarray(astronaut(), np.int64) @ weights) >> 10
    # The face, 96x96, averaged two by two.
    face = grey[72:168, 178:274].reshape(48, 2, 48, 2).sum(axis=(1, 3)) // 4
    rows, columns = np.mgrid[0:48, 0:48]
    crops = {
        "face": face,
        "face_mirrored": face[:, ::-1],
        "face_dark": face // 3,
        "face_upside_down": face[::-1],
        "suit": grey[300:396, 178:274].reshape(48, 2, 48, 2).sum(axis=(1, 3)) // 4,
        "even_grey": np.full((48, 48), 128),
        "slope": (rows + columns) * 255 // 94,
        "squares": ((rows // 6 + columns // 6) % 2) * 255,
    }
    return {name: crop.astype(np.uint8) for name, crop in crops.items()}


def crops_of(count: int, seed: int = 0) -> np.ndarray:
    """Random crops, and real ones among them."""
    crops = np.random.default_rng(seed).integers(0, 256, (count, 48, 48, 1), np.uint8)
    for index, crop in enumerate(list(fixed_crops().values())[:count]):
        crops[index, :, :, 0] = crop
    return crops
