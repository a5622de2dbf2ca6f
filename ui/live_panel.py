"""The panel beside the picture, as HTML: light enough to be sent twice a second.

Charts of a plotting library would be redrawn each time and take their time from the video.
"""

from __future__ import annotations

from html import escape

from fer_core.emotions import UNCERTAIN, emotion_of
from fer_core.live_metrics import LABELS, LiveSnapshot

STAGES: tuple[tuple[str, str], ...] = (
    ("read", "read"),
    ("detect", "find faces"),
    ("crop", "crop"),
    ("classify", "classify"),
    ("track", "track"),
    ("draw", "draw"),
)
"""Stages in the order of work, with the words shown for them."""

_UNCERTAIN_COLOUR = "#8a949e"

STYLE = """
.fer-figures {display:flex; gap:.6rem; margin:0 0 .9rem}
.fer-figure {flex:1; padding:.55rem .7rem; border-radius:.6rem;
  background:color-mix(in srgb, currentColor 6%, transparent)}
.fer-figure b {display:block; font-size:1.55rem; line-height:1.2; font-weight:600;
  font-variant-numeric:tabular-nums}
.fer-figure span, .fer-note {font-size:.8rem; opacity:.75}
.fer-head {font-size:.85rem; font-weight:600; margin:.2rem 0 .35rem}
.fer-row {display:grid; grid-template-columns:6.6rem 1fr 2.9rem; align-items:center; gap:.5rem;
  font-size:.88rem; line-height:1.65}
.fer-track {height:.6rem; border-radius:.3rem; overflow:hidden;
  background:color-mix(in srgb, currentColor 10%, transparent)}
.fer-track i {display:block; height:100%; border-radius:.3rem}
.fer-row em {font-style:normal; text-align:right; font-variant-numeric:tabular-nums}
.fer-stages {display:flex; flex-wrap:wrap; gap:.15rem .9rem; font-size:.82rem;
  font-variant-numeric:tabular-nums; margin:.1rem 0 .2rem}
.fer-stages span {opacity:.75}
.fer-idle {opacity:.55}
"""
"""Sent once a page; the panel itself is sent twice a second."""


def panel_html(snapshot: LiveSnapshot, playing: bool) -> str:
    """The whole panel.

    Args:
        snapshot: the figures.
        playing: whether the stream is up; if not, the figures of the last minute stay, dimmed.
    """
    parts = [
        f'<div class="fer-panel{"" if playing else " fer-idle"}" data-frames="{snapshot.frames}"'
        f' data-faces="{snapshot.faces}" data-errors="{snapshot.errors}"'
        f' data-fps="{snapshot.frames_per_second:.2f}">',
        _figures(snapshot, playing),
        _shares(snapshot),
        _stages(snapshot),
        "</div>",
    ]
    return "".join(parts)


def _figures(snapshot: LiveSnapshot, playing: bool) -> str:
    values = [
        ("face" if snapshot.faces == 1 else "faces", f"{snapshot.faces}"),
        ("frames a second", f"{snapshot.frames_per_second:.1f}"),
        ("ms a frame", f"{snapshot.total_ms:.1f}" if snapshot.total_ms else "–"),
    ]
    if not playing:
        values = [(name, "–") for name, _ in values]
    cells = "".join(
        f'<div class="fer-figure"><b>{escape(value)}</b><span>{escape(name)}</span></div>'
        for name, value in values
    )
    return f'<div class="fer-figures">{cells}</div>'


def _shares(snapshot: LiveSnapshot) -> str:
    rows = "".join(_share_row(label, snapshot.shares.get(label, 0.0)) for label in LABELS)
    return f'<div class="fer-head">Expressions, last minute</div>{rows}'


def _share_row(label: str, share: float) -> str:
    emotion = emotion_of(label)
    colour = _UNCERTAIN_COLOUR if label == UNCERTAIN or emotion is None else emotion.hex_colour
    return (
        f'<div class="fer-row" data-label="{escape(label)}" data-share="{share:.4f}">'
        f'<span><span class="fer-icon fer-icon-{escape(label)}"></span>{escape(label)}</span>'
        f'<div class="fer-track"><i style="width:{100 * share:.1f}%;background:{colour}"></i></div>'
        f"<em>{100 * share:.0f} %</em></div>"
    )


def _stages(snapshot: LiveSnapshot) -> str:
    cells = "".join(
        f'<div data-stage="{name}"><span>{escape(words)}</span> '
        f"{_milliseconds(snapshot.stages.get(name))}</div>"
        for name, words in STAGES
    )
    return (
        '<div class="fer-head" style="margin-top:.8rem">Milliseconds per stage</div>'
        f'<div class="fer-stages">{cells}</div>'
    )


def _milliseconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"
