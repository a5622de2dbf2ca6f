"""What a network looked at, found by covering parts of the crop: the same for every runtime.

Occlusion sensitivity (Zeiler and Fergus, 2014, arXiv:1311.2901): a grey patch slides over the crop,
and where covering makes the class less probable, the network had looked. With p(c | x) the
calibrated probability of class c for the crop x, and x_k the crop with patch k laid over it:

    drop_k  = p(c | x) - p(c | x_k)
    heat(i) = mean of drop_k over all patches k that cover pixel i

Nothing is asked of the network but its answers, so LiteRT, ONNX and Keras give the same map.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from fer_core.emotions import CLASSES
from fer_core.errors import OptionError, PictureError
from fer_core.runtimes import Crops, Probabilities

__all__ = ["Attention", "Reads", "look"]

PATCH_SHARE = 1 / 2
"""Side of the patch, as a share of the crop's: 24 of 48 pixels. Networks that were taught with
rectangles erased read a broad smile round any smaller patch: 12 to 20 pixels take 4 points of the
shipped network's 96, wherever they lie; 24 take 9, and find the mouth."""

STRIDES = 4
"""A patch moves by this part of its own side, so that every pixel is covered sixteen times."""


class Reads(Protocol):
    """The part of `fer_core.classifier.Classifier` that is used here."""

    def classify(self, crops: Crops) -> Probabilities:
        """Calibrated probabilities, float32 (N, 7), of uint8 (N, size, size, 1)."""
        ...


@dataclass(frozen=True)
class Attention:
    """What mattered for one class in one crop.

    Attributes:
        target: the class, one of `fer_core.emotions.CLASSES`.
        probability: of `target` for the uncovered crop, 0 to 1.
        heat: float32 (size, size), by pixel of the crop: how much less probable `target` is, on
            average, under the patches that cover this pixel; from -1 to 1. Negative where covering
            makes the class more probable.
        drops: float32 (rows, columns), by place of the patch, from the upper left corner on.
        patch: side of the patch, pixels of the crop.
        stride: how far the patch moves, pixels of the crop.
        fill: grey value of the patch, 0 to 255.
    """

    target: str
    probability: float
    heat: npt.NDArray[np.float32]
    drops: npt.NDArray[np.float32]
    patch: int
    stride: int
    fill: int

    @property
    def largest_drop(self) -> float:
        """The most that one patch takes from the probability; 0 when none takes anything."""
        return max(0.0, float(self.drops.max()))


def look(
    classifier: Reads,
    crop: npt.NDArray[np.uint8],
    target: str | None = None,
    *,
    patch: int | None = None,
    stride: int | None = None,
) -> Attention:
    """Slide a grey patch over a crop and see what it takes from the answer.

    The patch has the crop's mean grey, so that covering adds no light and no dark, and reaches over
    the borders, so that they are covered as often as the middle. All places go through the
    classifier in one batch: 122 crops at the default sizes.

    >>> import numpy as np
    >>> from fer_core import Classifier
    >>> with Classifier() as classifier:
    ...     seen = look(classifier, np.zeros((48, 48, 1), np.uint8), "happy")
    >>> seen.heat.shape
    (48, 48)

    Args:
        classifier: the network.
        crop: uint8 (size, size, 1) or (size, size), from `fer_core.crops`.
        target: the class to ask about; None for the most probable one.
        patch: side of the patch, pixels; None for half of the crop's side.
        stride: how far it moves, pixels, at most `patch`; None for a quarter of the patch.

    Raises:
        PictureError: the crop has another shape or type than the network takes.
        OptionError: there is no such class, or `patch` or `stride` does not fit the crop.
        ModelError: the network failed or is closed.
    """
    plain = _plain(crop)
    size = plain.shape[0]
    patch = max(1, round(size * PATCH_SHARE)) if patch is None else patch
    stride = max(1, patch // STRIDES) if stride is None else stride
    _check(target, patch, stride, size)
    fill = int(plain.mean() + 0.5)
    starts = _starts(size, patch, stride)
    answers = classifier.classify(_covered(plain, starts, patch, fill))
    code = int(answers[0].argmax()) if target is None else CLASSES.index(target)
    drops = (answers[0, code] - answers[1:, code]).reshape(len(starts), len(starts))
    return Attention(
        target=CLASSES[code],
        probability=float(answers[0, code]),
        heat=_heat(drops, starts, patch, size),
        drops=drops,
        patch=patch,
        stride=stride,
        fill=fill,
    )


def _plain(crop: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    plain = crop[:, :, 0] if crop.ndim == 3 and crop.shape[2] == 1 else crop
    if plain.ndim != 2 or plain.dtype != np.uint8 or not plain.size or len(set(plain.shape)) > 1:
        raise PictureError(
            "A crop to look at must be uint8 (size, size, 1) or (size, size). "
            f"Received: {crop.dtype} of shape {crop.shape}."
        )
    return plain


def _check(target: str | None, patch: int, stride: int, size: int) -> None:
    if target is not None and target not in CLASSES:
        raise OptionError(f"Unknown class. Received: {target!r}. Known: {', '.join(CLASSES)}.")
    if not 1 <= patch <= size:
        raise OptionError(f"patch must be from 1 to {size}, the crop's side. Received: {patch}.")
    if not 1 <= stride <= patch:
        raise OptionError(
            f"stride must be from 1 to {patch}, the patch's side. Received: {stride}."
        )


def _starts(size: int, patch: int, stride: int) -> list[int]:
    """Upper or left edges of the patches; the first and the last ones reach over the border."""
    return list(range(stride - patch, size, stride))


def _covered(
    plain: npt.NDArray[np.uint8], starts: list[int], patch: int, fill: int
) -> npt.NDArray[np.uint8]:
    """The crop as it is, and then once for each place of the patch, row by row."""
    crops = np.repeat(plain[None, :, :, None], 1 + len(starts) ** 2, axis=0)
    for row, top in enumerate(starts):
        for column, left in enumerate(starts):
            place = 1 + row * len(starts) + column
            rows, columns = slice(max(0, top), top + patch), slice(max(0, left), left + patch)
            crops[place, rows, columns] = fill
    return crops


def _heat(
    drops: npt.NDArray[np.float32], starts: list[int], patch: int, size: int
) -> npt.NDArray[np.float32]:
    # Which pixels along one side each start covers; the patch is square, so one table serves both.
    covers = np.zeros((len(starts), size), np.float32)
    for index, start in enumerate(starts):
        covers[index, max(0, start) : start + patch] = 1.0
    times = covers.sum(axis=0)
    return np.asarray(covers.T @ drops @ covers / np.outer(times, times), np.float32)
