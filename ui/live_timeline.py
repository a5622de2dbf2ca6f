"""The timeline beside the picture, as an SVG that is light enough to be sent twice a second."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from html import escape

from fer_core.emotions import CLASSES, EMOTIONS, UNCERTAIN, emotion_of
from fer_core.live_timeline import Lane, Marker, TimelineView

WIDTH, HEIGHT = 400, 96
"""Of the area, in units of the drawing."""
LANE = 12
POINTS = 100
UNCERTAIN_COLOUR = "#8a949e"

INK = "#6d7882"
"""Readable on light and dark pages: a drawing in a picture does not know the page's colours."""

STYLE = """
.fer-timeline img {display:block; width:100%; height:auto; border-radius:.4rem;
  background:color-mix(in srgb, currentColor 6%, transparent)}
.fer-axis {display:flex; justify-content:space-between; font-size:.75rem; opacity:.75}
"""


def timeline_html(view: TimelineView) -> str:
    """The mean of the faces as stacked areas, a lane for each face, and the markers."""
    high = HEIGHT + 4 + LANE * len(view.lanes)
    parts = [_area(run, start, len(view.means)) for start, run in _runs(view.means)]
    parts += [_lane(lane, HEIGHT + 4 + LANE * at) for at, lane in enumerate(view.lanes)]
    parts += [_marker(marker, view, high) for marker in view.markers]
    minutes = view.seconds / 60
    span = f"{minutes:.0f} min" if minutes >= 0.99 else f"{view.seconds:.0f} s"
    drawing = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {high}" width="{2 * WIDTH}" '
        f'height="{2 * high}" font-family="sans-serif" font-size="9">{"".join(parts)}</svg>'
    )
    # As a picture: one element of the page, however much is drawn in it.
    code = base64.b64encode(drawing.encode()).decode("ascii")
    return (
        f'<div class="fer-timeline" data-markers="{len(view.markers)}" '
        f'data-lanes="{len(view.lanes)}" '
        f'data-points="{sum(mean is not None for mean in view.means)}">'
        f'<div class="fer-head" style="margin-top:.8rem">Timeline</div>'
        f'<img alt="{escape(_in_words(view))}" src="data:image/svg+xml;base64,{code}">'
        f'<div class="fer-axis"><span>{span} ago</span><span>now</span></div></div>'
    )


def _runs(
    means: Sequence[tuple[float, ...] | None],
) -> Iterator[tuple[int, list[tuple[float, ...]]]]:
    """Stretches without a gap, each with the place of its first point."""
    run: list[tuple[float, ...]] = []
    for at, mean in enumerate((*means, None)):
        if mean is not None:
            run.append(mean)
        elif run:
            yield at - len(run), run
            run = []


def _area(run: list[tuple[float, ...]], start: int, count: int) -> str:
    """Painted from the whole stack down, each class over the one above it."""
    step = WIDTH / max(1, count)
    left = start * step
    tops = [[HEIGHT * (1.0 - sum(mean[: k + 1])) for mean in run] for k in range(len(CLASSES))]
    paths = []
    for k in reversed(range(len(CLASSES))):
        line = "".join(
            f"V{max(0.0, top):.0f}H{left + (at + 1) * step:.0f}" for at, top in enumerate(tops[k])
        )
        colour = EMOTIONS[k].hex_colour
        paths.append(f'<path fill="{colour}" d="M{left:.0f} {HEIGHT}{line}V{HEIGHT}z"/>')
    return "".join(paths)


def _lane(lane: Lane, top: float) -> str:
    step = WIDTH / max(1, len(lane.labels))
    bars, at = [], 0
    while at < len(lane.labels):
        label, start = lane.labels[at], at
        while at < len(lane.labels) and lane.labels[at] == label:
            at += 1
        if label is not None:
            bars.append(
                f'<rect x="{start * step:.0f}" y="{top:.0f}" width="{(at - start) * step:.1f}" '
                f'height="{LANE - 3}" fill="{_colour(label)}"/>'
            )
    name = f'<text x="2" y="{top + LANE - 4:.0f}" fill="{INK}">#{lane.track}</text>'
    return f"{''.join(bars)}{name}"


def _marker(marker: Marker, view: TimelineView, high: float) -> str:
    x = WIDTH * (1.0 - (view.end - marker.seconds) / view.seconds)
    note = escape(marker.note[:14])
    return (
        f'<path stroke="{INK}" stroke-width="1.4" stroke-dasharray="3 2" '
        f'd="M{x:.0f} 0V{high:.0f}"/>'
        f'<text x="{min(x + 3, WIDTH - 60):.0f}" y="10" fill="{INK}">{note}</text>'
    )


def _colour(label: str) -> str:
    emotion = emotion_of(label)
    return UNCERTAIN_COLOUR if label == UNCERTAIN or emotion is None else emotion.hex_colour


def _in_words(view: TimelineView) -> str:
    """For those who do not see it."""
    seen = [mean for mean in view.means if mean is not None]
    if not seen:
        return f"Timeline of the last {view.seconds:.0f} seconds: no face."
    means = [sum(mean[k] for mean in seen) / len(seen) for k in range(len(CLASSES))]
    best = max(range(len(CLASSES)), key=means.__getitem__)
    return (
        f"Timeline of the last {view.seconds:.0f} seconds: mostly {CLASSES[best]}, "
        f"{100 * means[best]:.0f} per cent on average."
    )
