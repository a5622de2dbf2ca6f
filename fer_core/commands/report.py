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
from fer_core.errors import OptionError
from fer_core.html_parts import bar, head, legend, several

__all__ = ["ReportRow", "write_report"]

PICTURED_FILES = 200
"""Files, from the first on, whose frames are shown; 200 make some 10 MB."""


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
    yield head(f"Facial expressions in {len(rows)} files")
    yield (
        f"<h1>Facial expressions in {several(len(rows), 'file')}</h1>\n"
        f"<p class='soft'>{escape(' · '.join([now, *facts]))}</p>\n"
        f"<h2>{several(count, 'face')} in all</h2>\n{bar(total)}\n{legend(total)}\n"
        "<p class='soft'>A label is the look of a face in one frame, as a network reads it; it is "
        "not what somebody feels. In clips each analysed frame counts its faces anew.</p>\n"
    )
    if bad:
        yield f"<h2>{several(len(bad), 'file')} could not be analysed</h2>\n<ul>\n"
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
        size += f", {row.summary['seconds']:.1f} s, {several(row.summary['people'], 'person')}"
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
        f"<td>{bar(counts)}<div class='soft'>{escape(shares) or 'no face'}</div>"
    )
    if pictured and row.thumbnails:
        cells += "<div class='frames'>" + "".join(
            f"<figure><img src='data:image/jpeg;base64,{escape(data, quote=True)}' "
            f"alt='{escape(caption, quote=True) or 'the picture'}'>"
            f"<figcaption>{escape(caption) or '&nbsp;'}</figcaption></figure>"
            for caption, data in row.thumbnails
        ) + "</div>"  # fmt: skip
    return cells + "</td></tr>\n"
