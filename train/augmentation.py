"""Random changes to training crops, in NumPy and OpenCV, so that every Keras backend sees the same.

Everything random is drawn from a generator that the caller seeds with (seed, epoch, batch): the
same batch looks the same whether training was interrupted before it or not.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fer_core.errors import OptionError
from train.checks import FROM_0_TO_1, NOT_NEGATIVE, check_ranges
from train.damage import Damage, damaged, draw_damages

MOST_CROPPED = 0.5
"""Less than half of the side of a 48x48 face is no face any more."""


@dataclass(frozen=True)
class AugmentationOptions:
    """How strongly training crops are changed. Zero switches a change off.

    Attributes:
        flip: share of crops mirrored left to right.
        rotation: largest turn, degrees either way.
        shift: largest shift, as a share of the side, each way.
        zoom: largest change of scale, as a share, in or out.
        contrast: largest change of contrast, as a share.
        brightness: largest change of brightness, as a share of the grey range.
        erasing: share of crops from which a rectangle is erased (Zhong et al., 2017).
        erasing_area: (smallest, largest) share of the crop that is erased.
        degrade: share of crops that are damaged as a webcam would: blurred, noisy, coarse, too
            dark or bright, or JPEG; see `train.damage`.
        crop: random crop: largest share of the side that is cut away; a square window anywhere in
            the picture is enlarged to the full size (Szegedy et al., 2015). The other usual random
            crop, out of a padded picture, is `shift`.
    """

    flip: float = 0.5
    rotation: float = 10.0
    shift: float = 0.08
    zoom: float = 0.1
    contrast: float = 0.25
    brightness: float = 0.1
    erasing: float = 0.3
    erasing_area: tuple[float, float] = (0.02, 0.2)
    degrade: float = 0.0
    crop: float = 0.0

    def __post_init__(self) -> None:
        check_ranges(
            self,
            {
                FROM_0_TO_1: (
                    "flip",
                    "shift",
                    "zoom",
                    "contrast",
                    "brightness",
                    "erasing",
                    "degrade",
                ),
                NOT_NEGATIVE: ("rotation", "crop"),
            },
        )
        if self.rotation > 180:
            raise OptionError(f"rotation must be at most 180. Received: {self.rotation}.")
        if self.crop > MOST_CROPPED:
            raise OptionError(f"crop must be at most {MOST_CROPPED}. Received: {self.crop}.")
        area = self.erasing_area
        if len(area) != 2 or not 0 <= area[0] <= area[1] <= 1:
            raise OptionError(f"erasing_area must be 0 <= low <= high <= 1. Received: {area}.")

    def to_dict(self) -> dict[str, Any]:
        """A plain dictionary, for config files."""
        return asdict(self)


@dataclass(frozen=True)
class Plan:
    """Every random choice for one batch, before a pixel is touched.

    Attributes:
        matrices: float32 (N, 2, 3), from places in the crop to places in the changed crop.
        damages: of some of the crops.
        gain, lift: float32 (N, 1, 1), contrast about the mean, and brightness in grey values.
        top, left, height, width: int (N,), the erased rectangle; of height 0 where there is none.
        grey: float32 (N,), what it is filled with.
    """

    matrices: npt.NDArray[np.float32]
    damages: tuple[Damage, ...]
    gain: npt.NDArray[np.float32]
    lift: npt.NDArray[np.float32]
    top: npt.NDArray[np.int64]
    left: npt.NDArray[np.int64]
    height: npt.NDArray[np.int64]
    width: npt.NDArray[np.int64]
    grey: npt.NDArray[np.float32]

    def undamaged(self) -> Plan:
        """The same, without its damages."""
        return replace(self, damages=())


def draw_plan(
    count: int, size: int, options: AugmentationOptions, random: np.random.Generator
) -> Plan:
    """Draw all that is random about one batch.

    Args:
        count, size: of the crops.
        options: how strongly they are changed.
        random: where every draw comes from.
    """
    matrices = _affine(count, size, options, random)
    damages = draw_damages(count, size, options.degrade, random)
    gain = 1 + options.contrast * random.uniform(-1, 1, (count, 1, 1)).astype(np.float32)
    lift = 255 * options.brightness * random.uniform(-1, 1, (count, 1, 1)).astype(np.float32)
    chosen = random.random(count) < options.erasing
    low, high = options.erasing_area
    area = (low + (high - low) * random.random(count)) * size * size
    aspect = np.exp(random.uniform(np.log(0.4), np.log(2.5), count))
    height = np.minimum(np.sqrt(area * aspect), size).astype(int)
    width = np.minimum(np.sqrt(area / aspect), size).astype(int)
    top = (random.random(count) * (size - height + 1)).astype(int)
    left = (random.random(count) * (size - width + 1)).astype(int)
    grey = (255 * random.random(count)).astype(np.float32)
    height = np.where(chosen, height, 0)
    return Plan(matrices, damages, gain, lift, top, left, height, width, grey)


def augment(
    crops: npt.NDArray[np.uint8],
    options: AugmentationOptions,
    random: np.random.Generator,
) -> npt.NDArray[np.float32]:
    """Changed copies of `crops`; see `draw_plan` and `follow`."""
    return follow(crops, draw_plan(crops.shape[0], crops.shape[1], options, random))


def follow(crops: npt.NDArray[np.uint8], plan: Plan) -> npt.NDArray[np.float32]:
    """Copies of `crops`, changed as a plan says.

    Args:
        crops: uint8 (N, size, size), grey.
        plan: of `draw_plan` for as many crops of this size.

    Returns:
        float32 (N, size, size, 1), grey values 0 to 255.
    """
    count, size = crops.shape[0], crops.shape[1]
    out = np.empty((count, size, size), np.float32)
    for index in range(count):
        # The edge is repeated outwards, as `fer_core.crops` does at the border of a picture.
        out[index] = cv2.warpAffine(
            crops[index],
            plan.matrices[index],
            (size, size),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
    for damage in plan.damages:
        out[damage.index] = damaged(out[damage.index], damage)
    middle = out.mean(axis=(1, 2), keepdims=True)
    out = (out - middle) * plan.gain + middle + plan.lift
    np.clip(out, 0, 255, out=out)
    for index in np.flatnonzero(plan.height).tolist():
        rows = slice(plan.top[index], plan.top[index] + plan.height[index])
        columns = slice(plan.left[index], plan.left[index] + plan.width[index])
        out[index, rows, columns] = plan.grey[index]
    return np.asarray(out[..., None], np.float32)


def _affine(
    count: int, size: int, options: AugmentationOptions, random: np.random.Generator
) -> npt.NDArray[np.float32]:
    """Matrices (N, 2, 3) that flip, turn, scale about the middle, shift, and cut a window out."""
    angle = np.deg2rad(options.rotation) * random.uniform(-1, 1, count)
    scale = 1 + options.zoom * random.uniform(-1, 1, count)
    flip = np.where(random.random(count) < options.flip, -1.0, 1.0)
    shift = options.shift * size * random.uniform(-1, 1, (count, 2))
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    middle = (size - 1) / 2
    matrix = np.empty((count, 2, 3), np.float32)
    matrix[:, 0, 0], matrix[:, 0, 1] = cos * flip, -sin
    matrix[:, 1, 0], matrix[:, 1, 1] = sin * flip, cos
    centre = np.array([middle, middle], np.float32)
    matrix[:, :, 2] = centre + shift - matrix[:, :, :2] @ centre
    if options.crop:
        _cut(matrix, size, options.crop, random)
    return matrix


def _cut(
    matrices: npt.NDArray[np.float32], size: int, most: float, random: np.random.Generator
) -> None:
    """Go on from where the matrices lead to a window there, enlarged to the full size."""
    count = len(matrices)
    share = 1 - most * random.random(count)
    corner = (size * (1 - share))[:, None] * random.random((count, 2))
    # Pixel 0 reaches from -0.5 to 0.5: the window's own edge becomes that of the crop.
    matrices /= share[:, None, None].astype(np.float32)
    matrices[:, :, 2] += ((0.5 - corner) / share[:, None] - 0.5).astype(np.float32)
