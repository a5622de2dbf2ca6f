"""A clip's faces over time as a drawing: for each person the seven probabilities, stacked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median

from fer_core.emotions import CLASSES, EMOTIONS

__all__ = ["Point", "lane_svg"]

Point = tuple[float, tuple[float, ...]]
"""Seconds from the beginning of the drawing, and seven probabilities in the order of `CLASSES`."""

WIDTH, HEIGHT = 1000, 60
"""Of the drawing, in its own units; it is stretched to wherever it stands."""
GAP_STEPS = 2.5
"""Points this many usual steps apart have a time between them in which nobody was seen."""


def lane_svg(points: Sequence[Point], seconds: float) -> str:
    """One person's lane as an SVG element that fills its place; empty times stay empty.

    Args:
        points: in order of time.
        seconds: what the whole width stands for, above 0.
    """
    step = _step(points, seconds)
    paths = "".join(_areas(run, step, seconds) for run in _runs(points, step))
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" aria-hidden="true" '
        f'focusable="false">{paths}</svg>'
    )


def _step(points: Sequence[Point], seconds: float) -> float:
    steps = [b[0] - a[0] for a, b in pairwise(points) if b[0] > a[0]]
    return median(steps) if steps else seconds / 100


def _runs(points: Sequence[Point], step: float) -> Iterator[list[Point]]:
    """Stretches without a gap."""
    run: list[Point] = []
    for point in points:
        if run and point[0] - run[-1][0] > GAP_STEPS * step:
            yield run
            run = []
        run.append(point)
    if run:
        yield run


def _areas(run: list[Point], step: float, seconds: float) -> str:
    """Painted from the whole stack down, each class over the one above it."""
    scale = WIDTH / seconds if seconds > 0 else 0.0
    edges = [min(float(WIDTH), max(0.0, time * scale)) for time, _ in run]
    # Wide enough to be seen, however short the stay was.
    edges.append(min(float(WIDTH), max(edges[-1] + step * scale, edges[0] + 2)))
    parts = []
    for k in reversed(range(len(CLASSES))):
        line = "".join(
            f"V{HEIGHT * max(0.0, 1.0 - sum(values[: k + 1])):.1f}H{edges[at + 1]:.1f}"
            for at, (_, values) in enumerate(run)
        )
        parts.append(
            f'<path fill="{EMOTIONS[k].hex_colour}" d="M{edges[0]:.1f} {HEIGHT}{line}V{HEIGHT}z"/>'
        )
    return "".join(parts)
