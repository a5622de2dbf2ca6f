"""What every part of the tab is made of: charts and tables that can be saved, and choices that are
still there when one comes back from another tab."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, TypeVar

import streamlit as st

from ui.metrics_charts import MODEL_COLOURS, config
from ui.metrics_compare import Measured, difference

MODELS_KEY = "metrics_models"
"""In session state: names of the chosen models, the first is what others are compared with."""

_STORE = "metrics_kept"
_Value = TypeVar("_Value")

STYLE = """
.fer-compare {overflow-x:auto; margin:.1rem 0 .3rem}
.fer-compare table {border-collapse:collapse; font-variant-numeric:tabular-nums; font-size:.92rem}
.fer-compare th, .fer-compare td {padding:.32rem .9rem .32rem .1rem; text-align:left;
  vertical-align:top; border:0; border-bottom:1px solid
  color-mix(in srgb, currentColor 14%, transparent)}
.fer-compare thead th {font-weight:600; overflow-wrap:anywhere; min-width:5.5rem}
.fer-compare tbody th {font-weight:400; opacity:.8; min-width:6.5rem}
.fer-plain thead th, .fer-plain tbody th {min-width:0}
.fer-plain th, .fer-plain td {padding-right:.8rem}
.fer-compare i {display:inline-block; width:.7rem; height:.7rem; border-radius:.2rem;
  margin-right:.4rem}
.fer-compare td {white-space:nowrap}
.fer-compare td.fer-words {white-space:normal; max-width:16rem}
.fer-compare small {font-size:.78rem; opacity:.7; margin-left:.55rem}
.fer-compare small.fer-better, .fer-compare small.fer-worse {opacity:1; font-weight:650}
.fer-compare small.fer-better {color:#12937a}
.fer-compare small.fer-worse {color:#d2691e}
.st-key-metrics_key_figures {row-gap:.1rem; column-gap:2.2rem}
.st-key-metrics_key_figures [data-testid="stMetricValue"] {font-size:1.6rem}
.fer-faces {display:flex; flex-wrap:wrap; gap:.5rem; margin:.2rem 0 .6rem}
.fer-faces figure {margin:0; width:76px}
.fer-faces img {display:block; width:76px; height:76px; border-radius:.3rem;
  object-fit:cover}
.fer-faces figcaption {font-size:.72rem; line-height:1.25; opacity:.75;
  font-variant-numeric:tabular-nums; margin-top:.1rem}
@media (max-width: 640px) {
  .fer-compare th, .fer-compare td {padding-right:.6rem}
  .fer-compare tbody th {min-width:5rem}
  .fer-compare thead th {min-width:4.6rem}
  .fer-compare small {display:block; margin-left:0}
  .fer-faces figure, .fer-faces img {width:64px}
  .fer-faces img {height:64px}
  .st-key-metrics_key_figures {column-gap:1.4rem}
  .st-key-metrics_key_figures [data-testid="stMetricValue"] {font-size:1.3rem}
}
"""

MARKS = (
    "▲ ▼ mark a difference from the first model that is larger than its 95 % interval; "
    "a difference without a mark may be chance. Where a file lacks what an interval is made of, "
    "nothing is marked."
)


@dataclass(frozen=True)
class Row:
    """One line of a table that compares models.

    Attributes:
        label: what it is.
        cells: a figure, a text or None for each model.
        percent: shares are shown as per cent; otherwise as they are, with three digits.
        lower_is_better: for errors.
    """

    label: str
    cells: Sequence[Measured | str | None]
    percent: bool = True
    lower_is_better: bool = False


def kept(key: str, default: _Value, allowed: Sequence[Any] | None = None) -> None:
    """Give the widget `key` the value that it had when it was last seen, or `default`.

    Args:
        key: of the widget, which must be drawn without a default of its own.
        default: at first, and when the value is not allowed any more.
        allowed: the values that there are now.
    """
    value = st.session_state.get(key, st.session_state.get(_STORE, {}).get(key, default))
    if allowed is not None and value not in allowed:
        value = default
    if key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value


def last(key: str, default: _Value) -> _Value:
    """What the widget `key` said when it was last seen, or `default`: a default to give it.

    For switches and lists: one that gets its value by `kept` is drawn as off, or empty, where the
    browser misses the one message that says it.
    """
    found: _Value = st.session_state.get(_STORE, {}).get(key, default)
    return found


def keep(key: str, value: _Value) -> _Value:
    """Remember what the widget `key` says, and hand it on."""
    st.session_state.setdefault(_STORE, {})[key] = value
    return value


def choice(label: str, options: Sequence[str], key: str) -> str:
    """A row of buttons of which one is always pressed."""

    def press_again() -> None:
        # A press on the pressed one lets go of it; that is no choice.
        if st.session_state[key] is None:
            st.session_state[key] = st.session_state[_STORE][key]

    kept(key, options[0], options)
    found = st.segmented_control(
        label, options, key=key, label_visibility="collapsed", on_change=press_again
    )
    return keep(key, found or options[0])


def colours_of(names: Sequence[str]) -> list[str]:
    """The colours of models: the same in every chart, also where some of the chosen are absent."""
    chosen = list(st.session_state.get(MODELS_KEY, ()))
    places = [chosen.index(name) if name in chosen else at for at, name in enumerate(names)]
    return [MODEL_COLOURS[place % len(MODEL_COLOURS)] for place in places]


def chart(figure: Any, key: str, name: str) -> None:
    """Draw a Plotly figure; its camera saves it as `name`.png."""
    st.plotly_chart(figure, key=key, config=config(name), width="stretch")


def csv_button(rows: Sequence[Mapping[str, Any]], name: str, label: str = "CSV") -> None:
    """A button that saves `rows` as `name`.csv."""
    st.download_button(
        label,
        data=csv_text(rows),
        file_name=f"{name}.csv",
        mime="text/csv",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
        key=f"metrics_csv_{name}",
        help="Save these figures. The camera on a chart saves it as a picture.",
    )


def csv_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows as csv; a missing figure is an empty cell."""
    stream = io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(stream, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def plain_table(heads: Sequence[str], rows: Mapping[str, Sequence[str]]) -> None:
    """A small table: a heading for each column, a name for each row."""
    head = "".join(f"<th>{escape(each)}</th>" for each in heads)
    lines = "".join(
        f"<tr><th>{escape(name)}</th>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        for name, cells in rows.items()
    )
    st.html(
        f'<div class="fer-compare fer-plain"><table><thead><tr><th></th>{head}</tr></thead>'
        f"<tbody>{lines}</tbody></table></div>"
    )


def compare_table(
    names: Sequence[str], rows: Sequence[Row], reasons: Sequence[str | None], name: str
) -> None:
    """Models side by side, with the difference of each from the first, and a CSV of it.

    Args:
        names: of the models.
        rows: lines without any figure are left out.
        reasons: why a model must not be compared with the first, or None.
        name: of the CSV.
    """
    shown = [row for row in rows if any(cell is not None for cell in row.cells)]
    heads = "".join(
        f'<th><i style="background:{colour}"></i>{escape(each)}</th>'
        for each, colour in zip(names, colours_of(names), strict=True)
    )
    lines = "".join(
        f"<tr><th>{escape(row.label)}</th>"
        + "".join(_cell(row, at, reasons[at]) for at in range(len(names)))
        + "</tr>"
        for row in shown
    )
    st.html(
        f'<div class="fer-compare"><table><thead><tr><th></th>{heads}</tr></thead>'
        f"<tbody>{lines}</tbody></table></div>"
    )
    csv_button(compare_rows(names, shown, reasons), name)


def compare_rows(
    names: Sequence[str], rows: Sequence[Row], reasons: Sequence[str | None]
) -> list[dict[str, Any]]:
    """The same as rows of a csv, one for each figure and model."""
    found = []
    for row in rows:
        for at, (name, cell) in enumerate(zip(names, row.cells, strict=True)):
            line: dict[str, Any] = {"figure": row.label, "model": name}
            if isinstance(cell, Measured):
                line["value"] = cell.value
                line["low"], line["high"] = cell.ends or ("", "")
                gap = _gap(row, at, reasons[at])
                if gap is not None:
                    line["difference"] = gap.value
                    line["difference_low"], line["difference_high"] = gap.ends or ("", "")
                    line["larger_than_interval"] = "yes" if gap.clear else "no" if gap.ends else ""
            else:
                line["value"] = cell or ""
            found.append(line)
    return found


def _gap(row: Row, at: int, reason: str | None) -> Any:
    first, cell = row.cells[0], row.cells[at]
    if at == 0 or reason or not isinstance(first, Measured) or not isinstance(cell, Measured):
        return None
    return difference(first, cell)


def _cell(row: Row, at: int, reason: str | None) -> str:
    cell = row.cells[at]
    if not isinstance(cell, Measured):
        return f'<td class="fer-words">{escape(cell or "")}</td>'
    return f"<td>{_measured(row, at, cell, reason)}</td>"


def _measured(row: Row, at: int, cell: Measured, reason: str | None) -> str:
    text = f"{100 * cell.value:.1f} %" if row.percent else f"{cell.value:.3f}"
    gap = _gap(row, at, reason)
    if gap is None:
        return text + (f"<small>{_range(row, cell.ends)}</small>" if cell.ends else "")
    words = f"{100 * gap.value:+.1f}" if row.percent else f"{gap.value:+.3f}"
    words = words.replace("-", "−")
    if not gap.clear:
        return f"{text}<small>{words}</small>"
    better = (gap.value > 0) != row.lower_is_better
    return (
        f'{text}<small class="fer-{"better" if better else "worse"}" '
        f'title="95 %: {_range(row, gap.ends, "+")}">'
        f"{'▲' if gap.value > 0 else '▼'} {words}</small>"
    )


def _range(row: Row, ends: tuple[float, float] | None, sign: str = "") -> str:
    if ends is None:
        return ""
    low, high = (100 * ends[0], 100 * ends[1]) if row.percent else ends
    digits = 1 if row.percent else 3
    return f"{low:{sign}.{digits}f} to {high:{sign}.{digits}f}"
