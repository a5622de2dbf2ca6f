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
        shares: float32 (N, size, size), of the crop itself, 0 to 1.
    """

    partner: npt.NDArray[np.int64]
    shares: Floats

    @property
    def own(self) -> Floats:
        """What is left of each crop, as a share of its area, float32 (N, 1)."""
        means = self.shares.mean(axis=(1, 2), dtype=np.float64)
        return np.asarray(means[:, None], np.float32)

    def targets(self, values: Floats) -> Floats:
        """Targets (or weights) of the mixed crops, (N, K), from those of the crops."""
        return np.asarray(self.own * values + (1 - self.own) * values[self.partner], np.float32)

    def crops(self, values: Floats) -> Floats:
        """The mixed crops, float32 (N, size, size, 1)."""
        shares = self.shares[..., None]
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
    shares = np.ones((count, size, size), np.float32)
    mixed = kind < options.mixup
    # The larger part stays the crop's own: the order of the two faces means nothing.
    shares[mixed] = np.maximum(blend, 1 - blend).astype(np.float32)[mixed, None, None]
    side = np.rint(size * np.sqrt(1 - patch)).astype(int)
    top = (random.random(count) * (size - side + 1)).astype(int)
    left = (random.random(count) * (size - side + 1)).astype(int)
    for index in np.flatnonzero((kind >= options.mixup) & (kind < options.mixup + options.cutmix)):
        rows = slice(top[index], top[index] + side[index])
        shares[index, rows, left[index] : left[index] + side[index]] = 0
    return Mixing(partner, shares)
