"""Mixup and cutmix: crops of one batch shared out between two faces, and so their targets.

Both are one formula: out = share x own + (1 - share) x partner, with a share that is the same all
over the crop (mixup) or 0 inside a rectangle and 1 outside it (cutmix).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from train.recipe import RecipeOptions

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Mixing:
    """Who is mixed with whom in one batch.

    Attributes:
        partner: int64 (N,), index within the batch.
        blend: float32 (N,), share of the crop itself outside the rectangle, 0 to 1.
        top, left, side: int64 (N,), the square of the crop that is the partner's alone; of side 0
            where there is none.
        size: of the crops.
    """

    partner: npt.NDArray[np.int64]
    blend: Floats
    top: npt.NDArray[np.int64]
    left: npt.NDArray[np.int64]
    side: npt.NDArray[np.int64]
    size: int

    @property
    def own(self) -> Floats:
        """What is left of each crop, as a share of its area, float32 (N, 1)."""
        outside = 1 - self.side**2 / self.size**2
        return np.asarray((self.blend * outside)[:, None], np.float32)

    def targets(self, values: Floats) -> Floats:
        """Targets (or weights) of the mixed crops, (N, K), from those of the crops."""
        return np.asarray(self.own * values + (1 - self.own) * values[self.partner], np.float32)

    def crops(self, values: Floats) -> Floats:
        """The mixed crops, float32 (N, size, size, 1)."""
        shares = np.broadcast_to(self.blend[:, None, None], (len(values), self.size, self.size))
        shares = shares.copy()
        for index in np.flatnonzero(self.side):
            top, left, side = self.top[index], self.left[index], self.side[index]
            shares[index, top : top + side, left : left + side] = 0
        shares = shares[..., None]
        return np.asarray(shares * values + (1 - shares) * values[self.partner], np.float32)


def draw_mixing(
    count: int, size: int, options: RecipeOptions, random: np.random.Generator
) -> Mixing | None:
    """Who is mixed with whom; None when the options ask for neither.

    Args:
        count, size: of the crops.
        options: of the run.
        random: where every draw comes from; nothing is drawn when there is nothing to mix.
    """
    if not (options.mixup or options.cutmix):
        return None
    partner = random.permutation(count).astype(np.int64)
    kind = random.random(count)
    blend = random.beta(options.mixup_alpha, options.mixup_alpha, count)
    patch = random.beta(options.cutmix_alpha, options.cutmix_alpha, count)
    # The larger part stays the crop's own: the order of the two faces means nothing.
    blend = np.where(kind < options.mixup, np.maximum(blend, 1 - blend), 1.0)
    side = np.rint(size * np.sqrt(1 - patch)).astype(np.int64)
    top = (random.random(count) * (size - side + 1)).astype(np.int64)
    left = (random.random(count) * (size - side + 1)).astype(np.int64)
    cut = (kind >= options.mixup) & (kind < options.mixup + options.cutmix)
    return Mixing(partner, blend.astype(np.float32), top, left, np.where(cut, side, 0), size)
