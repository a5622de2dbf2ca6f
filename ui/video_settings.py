"""The part of a clip that is wanted, how many of its frames, and what the written clip has."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from fer_core.errors import OptionError

if TYPE_CHECKING:
    from fer_core.video import VideoOptions

STEPS = (1, 2, 3, 5, 10, 15)
LONGEST_SECONDS = 4 * 3600
"""Longer clips are refused: the page is for one viewer's clips, the command line for archives."""

_TIME_WIDTH, _STEP_WIDTH = 150, 220
"""Pixels: two times stand side by side on a phone."""

_TIME = re.compile(r"(?:(?:(\d{1,3}):)?(\d{1,5}):)?(\d{1,6}(?:[.,]\d{1,3})?)", re.ASCII)


@dataclass(frozen=True)
class ClipSettings:
    """What the viewer has set.

    Attributes:
        start: seconds from the beginning of the clip, 0 or more.
        end: seconds, later than `start`; None for the end of the clip.
        every: every how many frames one is analysed, 1 or more.
        sound: whether the sound is kept.
        bars: whether a bar for each expression is drawn.
    """

    start: float = 0.0
    end: float | None = None
    every: int = 1
    sound: bool = True
    bars: bool = False

    def options(self, name: str) -> VideoOptions:
        """The same for the work on a clip that messages call `name`.

        Raises:
            OptionError: a value does not fit.
        """
        from fer_core.overlay import OverlayOptions
        from fer_core.video import VideoOptions

        return VideoOptions(
            overlay=OverlayOptions(bars=self.bars),
            audio=self.sound,
            max_seconds=LONGEST_SECONDS,
            name=name,
            start_seconds=self.start,
            end_seconds=self.end,
            every=self.every,
        )

    def in_words(self) -> str:
        """What differs from the usual; empty when nothing does."""
        said = []
        if self.start or self.end is not None:
            end = "its end" if self.end is None else clock(self.end)
            said.append(f"{clock(self.start)} to {end}")
        if self.every > 1:
            said.append(step_words(self.every))
        if not self.sound:
            said.append("no sound")
        return " · ".join(said)


def settings(prefix: str) -> ClipSettings | None:
    """Draw the controls; None, and a sentence, when a time makes no sense."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        start = _time_field("From", f"{prefix}_from", "0:00", "the beginning")
        end = _time_field("To", f"{prefix}_to", "the end", "the end of the clip")
        every = st.selectbox(
            "Analyse",
            STEPS,
            format_func=step_words,
            key=f"{prefix}_every",
            help="Frames between two analysed ones show the last answer. Every third is about "
            "three times as fast.",
            width=_STEP_WIDTH,
        )
        sound = st.toggle(
            "Keep sound", value=True, key=f"{prefix}_sound", help="In the written clip."
        )
        bars = st.toggle("Bars", key=f"{prefix}_bars", help="A bar for each expression.")
    try:
        return checked(start, end, every, sound, bars)
    except OptionError as error:
        st.error(str(error))
        return None


def _time_field(words: str, key: str, placeholder: str, empty: str) -> str:
    return st.text_input(
        words,
        key=key,
        placeholder=placeholder,
        help=f"Minutes:seconds, such as 1:05 or 1:05.5. Empty for {empty}.",
        width=_TIME_WIDTH,
    )


def checked(start: str, end: str, every: int, sound: bool, bars: bool) -> ClipSettings:
    """The settings, from what was typed.

    Raises:
        OptionError: a time cannot be read, or the end is not after the start.
    """
    first = read_time("From", start) or 0.0
    last = read_time("To", end)
    if last is not None and last <= first:
        raise OptionError(
            f"To ({clock(last)}) must be later than From ({clock(first)}). "
            "Write a later time, or leave To empty for the end of the clip."
        )
    return ClipSettings(first, last, every, sound, bars)


def read_time(field: str, text: str) -> float | None:
    """Seconds from `1:05`, `1:02:03`, `65` or `5.5`; None for an empty text.

    Raises:
        OptionError: it is none of these, or beyond the longest clip that is taken.
    """
    text = text.strip()
    if not text:
        return None
    found = _TIME.fullmatch(text)
    if found is None:
        raise OptionError(
            f"{field} cannot be read as a time. Write minutes:seconds, such as 1:05, "
            "or leave it empty."
        )
    hours, minutes, seconds = found[1], found[2], float(found[3].replace(",", "."))
    if (minutes is not None and seconds >= 60) or (hours is not None and int(minutes) >= 60):
        raise OptionError(
            f"{field} has 60 or more seconds or minutes after a colon. "
            "Write minutes:seconds, such as 1:05."
        )
    whole = 3600 * int(hours or 0) + 60 * int(minutes or 0) + seconds
    if whole > LONGEST_SECONDS:
        raise OptionError(
            f"{field} is later than {clock(LONGEST_SECONDS)}, and longer clips are not taken. "
            "Write an earlier time."
        )
    return whole


def clock(seconds: float, tenths: bool | None = None) -> str:
    """A time in a clip: `0:05`, `1:05.5`, `1:02:03`.

    Args:
        seconds: 0 or more.
        tenths: whether tenths are shown; None where they are not zero.
    """
    whole, tenth = divmod(round(max(0.0, seconds) * 10), 10)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
    return f"{text}.{tenth}" if tenths or (tenths is None and tenth) else text


def step_words(every: Any) -> str:
    """`every frame`, `every 2nd frame` and so on."""
    if every == 1:
        return "every frame"
    ending = {2: "nd", 3: "rd"}.get(every, "th")
    return f"every {every}{ending} frame"
