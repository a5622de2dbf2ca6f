"""One HTML file about a run: shares of the expressions, a table, a few frames. Needs nothing else.

No script, no address of another machine: small pictures are data URIs, bars are boxes of a width.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any

from fer_core.commands.work import label_counts
from fer_core.emotions import EMOTIONS, UNCERTAIN
from fer_core.errors import OptionError

__all__ = ["ReportRow", "write_report"]

PICTURED_FILES = 200
"""Files, from the first on, whose frames are shown; 200 make some 10 MB."""
UNCERTAIN_COLOUR = "#8a8f98"

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2026; --soft: #667; --line: #dde1e6; --paper: #fff;
  --card: #f6f7f9; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaed; --soft: #9aa3ad; --line: #333a42;
  --paper: #14171b; --card: #1c2127; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 64rem; padding: 2rem 1.25rem 4rem; background: var(--paper);
  color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: 0; }
h2 { font-size: 1.1rem; margin: 2.25rem 0 .75rem; }
.soft { color: var(--soft); font-size: .9rem; }
.bar { display: flex; height: 1.1rem; border-radius: .3rem; overflow: hidden;
  background: var(--line); min-width: 12rem; }
.bar i { display: block; }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin: .75rem 0; padding: 0;
  list-style: none; font-variant-numeric: tabular-nums; }
.legend b { display: inline-block; width: .8rem; height: .8rem; border-radius: .2rem;
  margin-right: .4rem; vertical-align: -.05rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .45rem .75rem .45rem 0; border-top: 1px solid var(--line);
  vertical-align: top; }
th { color: var(--soft); font-weight: 500; font-size: .85rem; border-top: 0; }
td.number, th.number { text-align: right; }
td.name { overflow-wrap: anywhere; min-width: 10rem; }
.frames { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: .5rem; }
figure { margin: 0; background: var(--card); border-radius: .4rem; overflow: hidden; }
figure img { display: block; height: 120px; max-width: 100%; }
figcaption { padding: .2rem .5rem; font-size: .8rem; color: var(--soft); }
"""


@dataclass(frozen=True)
class ReportRow:
    """A file in the report.

    Attributes:
        name: its path.
        summary: what was found; empty when it failed.
        thumbnails: pairs of a caption and a JPEG in base64.
        error: why it could not be analysed.
    """

    name: str
    summary: dict[str, Any]
    thumbnails: tuple[tuple[str, str], ...] = ()
    error: str | None = None


def write_report(file: Path, rows: Sequence[ReportRow], facts: Sequence[str]) -> None:
    """Write the report, beside and moved into place.

    Args:
        file: where it goes.
        rows: a row a file, in the order of the run.
        facts: what it was made with, a phrase each.

    Raises:
        OptionError: it cannot be written there.
    """
    beside = file.with_name(file.name + ".part")
    try:
        try:
            with beside.open("w", encoding="utf-8") as stream:
                stream.writelines(_pieces(rows, facts))
            beside.replace(file)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise OptionError(
            f"{file} cannot be written: {error.strerror}. Make room or choose another place."
        ) from None


def _pieces(rows: Sequence[ReportRow], facts: Sequence[str]) -> Any:
    good = [row for row in rows if row.error is None]
    bad = [row for row in rows if row.error is not None]
    total: Counter[str] = Counter()
    for row in good:
        total.update(label_counts(row.summary))
    count = sum(total.values())
    now = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z").strip()
    yield (
        "<!doctype html>\n<html lang='en'>\n<meta charset='utf-8'>\n"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>\n"
        "<meta http-equiv='Content-Security-Policy' "
        "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">\n"
        f"<title>Facial expressions in {len(rows)} files</title>\n<style>{_STYLE}</style>\n"
        f"<h1>Facial expressions in {_several(len(rows), 'file')}</h1>\n"
        f"<p class='soft'>{escape(' · '.join([now, *facts]))}</p>\n"
        f"<h2>{_several(count, 'face')} in all</h2>\n{_bar(total)}\n{_legend(total)}\n"
        "<p class='soft'>A label is the look of a face in one frame, as a network reads it; it is "
        "not what somebody feels. In clips each analysed frame counts its faces anew.</p>\n"
    )
    if bad:
        yield f"<h2>{_several(len(bad), 'file')} could not be analysed</h2>\n<ul>\n"
        for row in bad:
            yield f"<li>{escape(row.error or '')}</li>\n"
        yield "</ul>\n"
    yield (
        "<h2>Files</h2>\n<div class='wide'><table>\n<tr><th>file</th><th class='number'>frames</th>"
        "<th class='number'>faces</th><th>expressions</th></tr>\n"
    )
    for number, row in enumerate(good):
        yield _row(row, pictured=number < PICTURED_FILES)
    yield "</table></div>\n"
    if len(good) > PICTURED_FILES:
        yield f"<p class='soft'>Frames are shown of the first {PICTURED_FILES} files.</p>\n"
    yield "</html>\n"


def _row(row: ReportRow, pictured: bool) -> str:
    counts = label_counts(row.summary)
    faces = sum(counts.values())
    size = f"{row.summary['width']}x{row.summary['height']}"
    clip = "seconds" in row.summary
    if clip:
        size += f", {row.summary['seconds']:.1f} s, {_several(row.summary['people'], 'person')}"
    notes = "".join(f"<br>{escape(text)}" for text in row.summary.get("warnings", ()))
    frames = f"{row.summary['frames_analysed']:,}" if clip else "1"
    shares = ", ".join(
        f"{label} {100 * counts[label] / faces:.0f} %"
        for label in sorted(counts, key=lambda label: -counts[label])[:3]
        if counts[label]
    )
    cells = (
        f"<tr><td class='name'>{escape(row.name)}<div class='soft'>{escape(size)}{notes}</div></td>"
        f"<td class='number'>{frames}</td><td class='number'>{faces:,}</td>"
        f"<td>{_bar(counts)}<div class='soft'>{escape(shares) or 'no face'}</div>"
    )
    if pictured and row.thumbnails:
        cells += "<div class='frames'>" + "".join(
            f"<figure><img src='data:image/jpeg;base64,{escape(data, quote=True)}' "
            f"alt='{escape(caption, quote=True) or 'the picture'}'>"
            f"<figcaption>{escape(caption) or '&nbsp;'}</figcaption></figure>"
            for caption, data in row.thumbnails
        ) + "</div>"  # fmt: skip
    return cells + "</td></tr>\n"


def _bar(counts: dict[str, int] | Counter[str]) -> str:
    total = sum(counts.values())
    parts = "".join(
        f"<i style='width:{100 * counts[label] / total:.2f}%;background:{colour}' "
        f"title='{label} {100 * counts[label] / total:.1f} %'></i>"
        for label, colour, _ in _colours()
        if counts.get(label)
    )
    return f"<div class='bar'>{parts}</div>"


def _legend(counts: Counter[str]) -> str:
    total = max(1, sum(counts.values()))
    items = "".join(
        f"<li><b style='background:{colour}'></b>{emoji} {label} "
        f"{100 * counts[label] / total:.1f} %</li>"
        for label, colour, emoji in _colours()
    )
    return f"<ul class='legend'>{items}</ul>"


def _colours() -> list[tuple[str, str, str]]:
    classes = [(emotion.name, emotion.hex_colour, emotion.emoji) for emotion in EMOTIONS]
    return [*classes, (UNCERTAIN, UNCERTAIN_COLOUR, "")]


def _several(count: int, what: str) -> str:
    plural = {"person": "people"}.get(what, what + "s")
    return f"{count:,} {what if count == 1 else plural}"
