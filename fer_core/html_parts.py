"""What every HTML file of ours is made of: one style, bars, legends. Needs no other file.

No script, no address of another machine: small pictures are data URIs, bars are boxes of a width.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from fer_core.emotions import EMOTIONS, UNCERTAIN

__all__ = ["UNCERTAIN_COLOUR", "bar", "colours", "head", "legend", "several"]

UNCERTAIN_COLOUR = "#8a8f98"

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2026; --soft: #667; --line: #dde1e6; --paper: #fff;
  --card: #f6f7f9; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaed; --soft: #9aa3ad; --line: #333a42;
  --paper: #14171b; --card: #1c2127; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 64rem; padding: 2rem 1.25rem 4rem; background: var(--paper);
  color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: 0; overflow-wrap: anywhere; }
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


def head(title: str, style: str = "") -> str:
    """The beginning of a file: `title` is escaped, `style` is added to the common one."""
    return (
        "<!doctype html>\n<html lang='en'>\n<meta charset='utf-8'>\n"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>\n"
        "<meta http-equiv='Content-Security-Policy' "
        "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">\n"
        f"<title>{escape(title)}</title>\n<style>{_STYLE}{style}</style>\n"
    )


def bar(counts: Mapping[str, float]) -> str:
    """The shares of the labels, side by side."""
    total = sum(counts.values())
    parts = "".join(
        f"<i style='width:{100 * counts[label] / total:.2f}%;background:{colour}' "
        f"title='{label} {100 * counts[label] / total:.1f} %'></i>"
        for label, colour, _ in colours()
        if counts.get(label)
    )
    return f"<div class='bar'>{parts}</div>"


def legend(counts: Mapping[str, float]) -> str:
    """Every label with its colour and share."""
    total = sum(counts.values()) or 1
    items = "".join(
        f"<li><b style='background:{colour}'></b>{emoji} {label} "
        f"{100 * counts.get(label, 0) / total:.1f} %</li>"
        for label, colour, emoji in colours()
    )
    return f"<ul class='legend'>{items}</ul>"


def colours() -> list[tuple[str, str, str]]:
    """(label, colour, emoji) of the seven classes and `uncertain`."""
    classes = [(emotion.name, emotion.hex_colour, emotion.emoji) for emotion in EMOTIONS]
    return [*classes, (UNCERTAIN, UNCERTAIN_COLOUR, "")]


def several(count: int, what: str) -> str:
    """`1 face`, `2 faces`, `3 people`."""
    plural = {"person": "people"}.get(what, what + "s")
    return f"{count:,} {what if count == 1 else plural}"
