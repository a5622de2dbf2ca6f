"""The pictures behind the figures, read from a data set on this machine, if one is named.

No picture of the data set lies in the project: `evaluation.json` names rows only.
"""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from fer_core.errors import FerError
from ui.metrics_evaluation import Evaluation, Mistake
from ui.metrics_parts import keep, kept
from ui.places import only_this_machine

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from fer_core.fer2013 import Dataset, Split

DATA_VARIABLE = "FER_LIVE_DATA"
"""Environment variable that names FER2013, in any of its layouts."""

DATA_KEY = "metrics_data"
RUNS_KEY = "metrics_runs"

HOW = (
    "To see the pictures, say where FER2013 is: start the app with "
    f"`{DATA_VARIABLE}=/path/to/fer2013.csv` (an `.npz` or a folder with `train/` and `test/` "
    "will do)"
)


def places() -> str:
    """Where the data set and other runs are, on the page itself; returns the folder of runs.

    Only on a page for this machine alone: others must not feel their way through its disk.
    """
    if not only_this_machine():
        return ""
    kept(DATA_KEY, "")
    kept(RUNS_KEY, "")
    with st.popover("Folders", icon=":material/folder_open:", width="stretch"):
        keep(
            DATA_KEY,
            st.text_input(
                "FER2013",
                key=DATA_KEY,
                placeholder=os.environ.get(DATA_VARIABLE, "") or "/path/to/fer2013.csv",
                help="csv, .npz or a folder with train/ and test/. Its pictures are only shown.",
            ),
        )
        return keep(
            RUNS_KEY,
            st.text_input(
                "More runs",
                key=RUNS_KEY,
                placeholder="/path/to/runs",
                help="A folder of model folders, besides models/.",
            ),
        )


def how_to_set() -> str:
    """A sentence for those who have not said where the data set is."""
    return f"{HOW}, or name it above under *Folders*." if only_this_machine() else f"{HOW}."


def data_path() -> str:
    """Where the data set is said to be; empty when nothing is said."""
    said = str(st.session_state.get(DATA_KEY, "")) if only_this_machine() else ""
    return said.strip() or os.environ.get(DATA_VARIABLE, "").strip()


def dataset() -> Dataset | None:
    """The data set, or None after a sentence that says why there is none."""
    path = data_path()
    if not path:
        st.info(how_to_set())
        return None
    try:
        return _dataset(path, _changed(path))
    except FerError as error:
        st.warning(str(error))
    except (OSError, ValueError, MemoryError) as error:
        st.warning(f"The data set at {path} cannot be read ({error}).")
    return None


@st.cache_resource(show_spinner="Reading the data set …", max_entries=1)
def _dataset(path: str, changed: int) -> Dataset:
    from fer_core.fer2013 import load_dataset

    return load_dataset(path)


def _changed(path: str) -> int:
    try:
        return Path(path).expanduser().stat().st_mtime_ns
    except (OSError, ValueError):
        return 0


def fits(evaluation: Evaluation, part: Split) -> bool:
    """Whether the rows of the mistakes are those of `part`: each must have the label it was given.

    A folder of pictures has another order than the csv, and a network of other labels other truths.
    """
    import numpy as np

    wanted = [
        (mistake.row, truth)
        for truth, answers in evaluation.mistakes.items()
        for mistakes in answers.values()
        for mistake in mistakes
    ]
    if not wanted or len(part) == 0:
        return False
    found = places_of([row for row, _ in wanted], part)
    if (found < 0).any():
        return False
    names = np.array(part.classes)[part.labels[found]]
    # Votes of FER+ give some rows another truth than their label, an order of its own nearly all.
    return float(np.mean(names == np.array([truth for _, truth in wanted]))) > 0.5


def places_of(rows: Sequence[int], part: Split) -> npt.NDArray[np.int64]:
    """Where the rows stand in `part`; -1 for those that do not."""
    import numpy as np

    order = np.argsort(part.rows)
    at = np.searchsorted(part.rows, rows, sorter=order)
    at = order[np.minimum(at, len(order) - 1)]
    return np.where(part.rows[at] == np.asarray(rows), at, -1).astype(np.int64)


def mistakes_html(mistakes: Sequence[Mistake], part: Split) -> str:
    """The pictures of wrong answers, each with the confidence and its row."""
    found = places_of([mistake.row for mistake in mistakes], part)
    return faces_html(
        [part.images[at] for at in found],
        [f"{mistake.confidence:.0%} sure<br>row {mistake.row}" for mistake in mistakes],
    )


def faces_html(images: Sequence[npt.NDArray[np.uint8]], captions: Sequence[str]) -> str:
    """Pictures in rows that break where the page is narrow.

    Args:
        images: grey, (side, side).
        captions: HTML of our own.
    """
    figures = "".join(
        f'<figure><img alt="" src="data:image/png;base64,{_png(image)}">'
        f"<figcaption>{caption}</figcaption></figure>"
        for image, caption in zip(images, captions, strict=True)
    )
    return f'<div class="fer-faces">{figures}</div>'


def sample_html(part: Split, name: str, count: int, seed: int) -> str:
    """Some pictures of one class, drawn by lot."""
    import numpy as np

    rows = np.flatnonzero(part.labels == part.classes.index(name))
    drawn = np.random.default_rng(seed).permutation(rows)[:count]
    return faces_html(
        [part.images[at] for at in drawn], [escape(f"row {part.rows[at]}") for at in drawn]
    )


def _png(image: npt.NDArray[np.uint8]) -> str:
    from PIL import Image

    held = io.BytesIO()
    Image.fromarray(image).save(held, "PNG")
    return base64.b64encode(held.getvalue()).decode("ascii")
