"""The learning rate of every step, as a pure function."""

from __future__ import annotations

import math

from train.options import TrainOptions

FLOOR = 0.002
"""The cosine ends at this share of the highest rate; at exactly 0 the last epoch would be lost."""

WARM_START = 0.05
"""The warm-up starts at this share of it; from zero the first steps would be wasted."""


def rate_at(options: TrainOptions, progress: float, plateau_scale: float = 1.0) -> float:
    """The rate after `progress` epochs (a fraction within an epoch).

    Args:
        options: of the run.
        progress: epochs done, 0 to `options.epochs`.
        plateau_scale: product of the reductions on plateau so far.
    """
    if progress < options.warmup_epochs:
        share = WARM_START + (1 - WARM_START) * progress / options.warmup_epochs
    elif options.schedule == "cosine":
        span = max(options.epochs - options.warmup_epochs, 1e-9)
        done = min(1.0, (progress - options.warmup_epochs) / span)
        share = FLOOR + (1 - FLOOR) * 0.5 * (1 + math.cos(math.pi * done))
    else:
        share = 1.0
    return options.learning_rate * share * plateau_scale
