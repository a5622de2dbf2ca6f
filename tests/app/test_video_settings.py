"""What is typed into the Video tab's fields, and names that strangers gave their clips."""

from __future__ import annotations

import pytest

from fer_core.errors import OptionError
from fer_core.names import LONGEST_NAME
from ui.video_settings import LONGEST_SECONDS, ClipSettings, checked, clock, read_time, step_words
from ui.video_words import called, plain, stem


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", None),
        ("   ", None),
        ("0", 0.0),
        ("7", 7.0),
        ("90", 90.0),
        ("0:05", 5.0),
        (" 1:05 ", 65.0),
        ("1:05.5", 65.5),
        ("1:05,25", 65.25),
        ("75:00", 4500.0),
        ("1:02:03", 3723.0),
        ("4:00:00", float(LONGEST_SECONDS)),
    ],
)
def test_times_are_read_as_people_write_them(text: str, seconds: float | None) -> None:
    assert read_time("From", text) == seconds


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("abc", "cannot be read as a time"),
        ("-5", "cannot be read as a time"),
        ("1:", "cannot be read as a time"),
        (":30", "cannot be read as a time"),
        ("1:2:3:4", "cannot be read as a time"),
        ("nan", "cannot be read as a time"),
        ("1e3", "cannot be read as a time"),
        ("٣", "cannot be read as a time"),
        ("1:75", "60 or more"),
        ("1:75:00", "60 or more"),
        ("9:00:00", "later than 4:00:00"),
        ("9" * 50, "cannot be read as a time"),
    ],
)
def test_what_is_no_time_is_a_sentence(text: str, words: str) -> None:
    with pytest.raises(OptionError, match=words) as raised:
        read_time("To", text)
    assert str(raised.value).startswith("To ")


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        ("", "", (0.0, None)),
        ("0:02", "", (2.0, None)),
        ("", "0:02", (0.0, 2.0)),
        ("0:02", "0:02.5", (2.0, 2.5)),
    ],
)
def test_a_range_is_taken(start: str, end: str, found: tuple[float, float | None]) -> None:
    made = checked(start, end, 1, True, False)
    assert (made.start, made.end) == found


@pytest.mark.parametrize(("start", "end"), [("0:05", "0:03"), ("0:05", "0:05"), ("", "0")])
def test_a_range_that_ends_before_it_begins_is_a_sentence(start: str, end: str) -> None:
    with pytest.raises(OptionError, match="must be later than From"):
        checked(start, end, 1, True, False)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (ClipSettings(), ""),
        (ClipSettings(start=5.0), "0:05 to its end"),
        (ClipSettings(end=65.5), "0:00 to 1:05.5"),
        (ClipSettings(every=2, sound=False), "every 2nd frame · no sound"),
    ],
)
def test_what_was_set_is_said_in_words(settings: ClipSettings, words: str) -> None:
    assert settings.in_words() == words


def test_settings_become_options() -> None:
    options = ClipSettings(1.0, 2.0, 3, False, True).options("a clip")
    assert (options.start_seconds, options.end_seconds, options.every) == (1.0, 2.0, 3)
    assert options.audio is False
    assert options.overlay is not None
    assert options.overlay.bars is True
    assert options.name == "a clip"
    assert options.max_seconds == LONGEST_SECONDS


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (5.04, "0:05"), (5.06, "0:05.1"), (59.97, "1:00"), (3723, "1:02:03")],
)
def test_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_steps_are_said_in_words() -> None:
    assert [step_words(n) for n in (1, 2, 3, 5)] == [
        "every frame",
        "every 2nd frame",
        "every 3rd frame",
        "every 5th frame",
    ]


@pytest.mark.parametrize(
    ("name", "shown", "begins"),
    [
        ("holiday.mp4", "holiday.mp4", "holiday"),
        ("../../etc/passwd", "passwd", "passwd"),
        ("C:\\films\\cat.mov", "cat.mov", "cat"),
        ("a\r\nb\tc\0.mp4", "a b c.mp4", "a b c"),
        ("\u202egnp.mp4", "gnp.mp4", "gnp"),
        ("", "clip", "clip"),
        ("///", "clip", "clip"),
        ("...", "clip", "clip"),
    ],
)
def test_names_are_one_harmless_line(name: str, shown: str, begins: str) -> None:
    assert called(name) == shown
    assert stem(name) == begins


def test_a_long_name_keeps_both_ends() -> None:
    shown = called("a" * 300 + "-take-2.mp4")
    assert len(shown) == LONGEST_NAME
    assert shown.endswith("-take-2.mp4")


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("Plain words: nothing to do.", "Plain words: nothing to do."),
        ("![x](http://a/b.png)", r"\!\[x\](http://a/b.png)"),
        ("<b>*a*_b_`c`", r"\<b\>\*a\*\_b\_\`c\`"),
        (":smile: :red[x] $x$", r"\:smile: \:red\[x\] \$x\$"),
    ],
)
def test_markdown_in_a_name_stays_text(text: str, escaped: str) -> None:
    assert plain(text) == escaped
