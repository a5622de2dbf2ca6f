"""Weighted suppression: many overlapping candidates become one face each."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["merge_candidates", "newly_seen"]

Floats = npt.NDArray[np.float32]


def merge_candidates(
    scores: Floats, points: Floats, min_iou: float = 0.3, min_inside: float = 0.7
) -> tuple[Floats, Floats]:
    """Average the candidates of each face, weighted by score, instead of keeping only the best.

    This steadies boxes from frame to frame (Bazarevsky et al., 2019, section 3.3).

    Args:
        scores: float32 (N,).
        points: float32 (N, P, 2); the first two of the P points are the box's upper left and lower
            right corner.
        min_iou: candidates whose intersection over union with a better one is above this are the
            same face.
        min_inside: so are those whose intersection covers more than this share of the smaller box:
            parts of a face, seen at the edge of a window.

    Returns:
        Scores (M,), highest first, each the best of its group, and points (M, P, 2).
    """
    if len(scores) == 0:
        return scores, points
    corner0, corner1 = points[:, 0], points[:, 1]
    area = np.prod(np.maximum(corner1 - corner0, 0), axis=1)
    waiting = np.argsort(-scores, kind="stable")
    best_scores, merged = [], []
    while len(waiting):
        best = waiting[0]
        sides = np.minimum(corner1[best], corner1[waiting]) - np.maximum(
            corner0[best], corner0[waiting]
        )
        shared = np.prod(np.maximum(sides, 0), axis=1)
        union = area[best] + area[waiting] - shared
        smaller = np.minimum(area[best], area[waiting])
        near = shared > min_iou * union
        same = near | (shared > min_inside * smaller)
        near[0] = same[0] = True  # also when the best box is empty
        # A part of a face must go, but it must not pull the average.
        group = waiting[near]
        weights = scores[group] / scores[group].sum()
        merged.append(np.tensordot(weights, points[group], axes=1))
        best_scores.append(scores[best])
        waiting = waiting[~same]
    return np.array(best_scores, np.float32), np.array(merged, np.float32)


def newly_seen(
    points: Floats, known: Floats, min_iou: float = 0.3, min_inside: float = 0.7
) -> npt.NDArray[np.bool_]:
    """Which candidates are none of the `known` faces, by the measures of `merge_candidates`.

    Args:
        points: float32 (N, P, 2), box corners first.
        known: float32 (M, P, 2).
        min_iou, min_inside: as in `merge_candidates`.

    Returns:
        bool (N,).
    """
    sides = np.minimum(points[:, None, 1], known[None, :, 1]) - np.maximum(
        points[:, None, 0], known[None, :, 0]
    )
    shared = np.prod(np.maximum(sides, 0), axis=2)
    area = np.prod(np.maximum(points[:, 1] - points[:, 0], 0), axis=1)[:, None]
    known_area = np.prod(np.maximum(known[:, 1] - known[:, 0], 0), axis=1)[None]
    same = shared > min_iou * (area + known_area - shared)
    same |= shared > min_inside * np.minimum(area, known_area)
    fresh: npt.NDArray[np.bool_] = ~same.any(axis=1)
    return fresh
