"""The panel beside the picture, as HTML: light enough to be sent twice a second.

Charts of a plotting library would be redrawn each time and take their time from the video.
"""

from __future__ import annotations

from html import escape

from fer_core.calibration import CalibrationState
from fer_core.emotions import UNCERTAIN, emotion_of
from fer_core.live_metrics import LABELS, LiveSnapshot
from fer_core.recording import RecordingStatus
from ui.connection_state import ConnectionState

STAGES: tuple[tuple[str, str], ...] = (
    ("read", "read"),
    ("detect", "find faces"),
    ("crop", "crop"),
    ("classify", "classify"),
    ("track", "track"),
    ("judge", "judge"),
    ("draw", "draw"),
)
"""Stages in the order of work, with the words shown for them."""

MOST_HINTS = 4
_UNCERTAIN_COLOUR = "#8a949e"

STYLE = """
.fer-figures {display:flex; gap:.6rem; margin:0 0 .9rem}
.fer-figure {flex:1; padding:.55rem .7rem; border-radius:.6rem;
  background:color-mix(in srgb, currentColor 6%, transparent)}
.fer-figure b {display:block; font-size:1.55rem; line-height:1.2; font-weight:600;
  font-variant-numeric:tabular-nums}
.fer-figure span, .fer-note {font-size:.8rem; opacity:.8}
.fer-head {font-size:.85rem; font-weight:600; margin:.2rem 0 .35rem}
.fer-row {display:grid; grid-template-columns:6.6rem 1fr 2.9rem; align-items:center; gap:.5rem;
  font-size:.88rem; line-height:1.65}
.fer-track {height:.6rem; border-radius:.3rem; overflow:hidden;
  background:color-mix(in srgb, currentColor 10%, transparent)}
.fer-track i {display:block; height:100%; border-radius:.3rem}
.fer-row em {font-style:normal; text-align:right; font-variant-numeric:tabular-nums}
.fer-stages {display:flex; flex-wrap:wrap; gap:.15rem .9rem; font-size:.82rem;
  font-variant-numeric:tabular-nums; margin:.1rem 0 .2rem}
.fer-stages span {opacity:.8}
.fer-idle {opacity:.8}
.fer-state {font-size:.8rem; margin:-.3rem 0 .7rem}
.fer-line {font-size:.85rem; line-height:1.5; padding-left:.7rem; margin:0 0 .5rem;
  border-left:.2rem solid currentColor}
.fer-line-recording {border-color:#d13c3c}
.fer-line-hint {border-color:#e0a400}
.fer-line-neutral {border-color:#5a8f9e}
"""
"""Sent once a page; the panel itself is sent twice a second."""


def panel_html(
    snapshot: LiveSnapshot,
    playing: bool,
    recording: RecordingStatus | None = None,
    neutral: CalibrationState | None = None,
    allowed: float | None = None,
    state: ConnectionState | None = None,
) -> str:
    """The whole panel.

    Args:
        snapshot: the figures.
        playing: whether the stream is up; if not, the figures of the last minute stay, dimmed.
        recording: of the recording at work, if any.
        neutral: of the neutral calibration.
        allowed: frames a second that this viewer gets because others came first; None for all.
        state: of the connection.
    """
    connection = "" if state is None else state.name
    parts = [
        f'<div class="fer-panel{"" if playing else " fer-idle"}" data-frames="{snapshot.frames}"'
        f' data-faces="{snapshot.faces}" data-errors="{snapshot.errors}"'
        f' data-fps="{snapshot.frames_per_second:.2f}" data-state="{connection}"'
        f' data-total="{snapshot.total_ms:.2f}" data-slow="{snapshot.slow_ms:.2f}">',
        _figures(snapshot, playing),
        "" if state is None else f'<div class="fer-state">{escape(state.words)}</div>',
        _lines(snapshot, recording, neutral, allowed) if playing else "",
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


def _lines(
    snapshot: LiveSnapshot,
    recording: RecordingStatus | None,
    neutral: CalibrationState | None,
    allowed: float | None,
) -> str:
    """What is going on besides: a line each, and none most of the time."""
    lines = []
    if allowed is not None:
        words = f"The server is busy with viewers who came first: up to {allowed:.0f} frames a "
        lines.append(("busy", words + "second are worked on for you, and more when there is room."))
    if recording is not None and recording.active:
        minutes, seconds = divmod(int(recording.seconds), 60)
        words = f"Recording {minutes}:{seconds:02} · {recording.bytes / 1e6:.1f} MB"
        if recording.dropped or recording.lost:
            words += f" · {recording.dropped} pictures left out, {recording.lost} frames lost"
        lines.append(("recording", words))
    for track, problems in snapshot.problems[:MOST_HINTS]:
        who = "The face" if snapshot.faces == 1 or track is None else f"Face #{track}"
        lines.append(("hint", f"{who} is {', '.join(problems)}."))
    if neutral is not None and neutral.progress is not None:
        lines.append(("neutral", f"Hold a neutral face … {100 * neutral.progress:.0f} %"))
    elif neutral is not None and neutral.failure:
        lines.append(("neutral", neutral.failure))
    elif neutral is not None and neutral.tracks:
        faces = ", ".join(f"#{track}" for track in neutral.tracks[:MOST_HINTS])
        lines.append(("neutral", f"Relative to the neutral face of {faces}."))
    return "".join(
        f'<div class="fer-line fer-line-{kind}">{escape(words)}</div>' for kind, words in lines
    )


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
