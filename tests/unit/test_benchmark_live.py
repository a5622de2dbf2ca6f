"""The commands that measure the page in a browser, as far as they need none."""

from __future__ import annotations

from unittest.mock import Mock

import pytest

from benchmarks import live, soak
from fer_core.errors import VideoError


def minute(number: int, delay: float = 180.0, memory: float = 300.0) -> dict[str, float]:
    return {
        "minute": number,
        "fresh_a_second": 14.9,
        "delay_ms": delay,
        "delay_95_ms": delay + 30,
        "memory_mb": memory,
        "threads": 20,
    }


def test_a_soak_says_what_grew():
    rows = [minute(n) for n in range(1, 31)]
    rows[0] = minute(1, memory=250.0)  # what is loaded in the first minutes is no growth
    rows[11] = minute(12, memory=309.0)
    rows[24:] = [minute(n, delay=195.0) for n in range(25, 31)]
    text = soak._table({"rows": rows})
    assert "delay in the last quarter +15 ms against the first" in text
    assert "most memory after minute 2 +3.0 %" in text
    shown = [line.split()[0] for line in text.splitlines() if line[:6].strip().isdigit()]
    assert shown == ["1", "2", "5", "10", "15", "20", "25", "30"]


def test_the_app_is_said_beside_the_echo():
    echo = {"camera_a_second": 15.0, "fresh_a_second": 15.0, "delay_ms": 180.0}
    echo |= {"delay_95_ms": 200.0, "start_s": 1.2}
    app = {**echo, "fresh_a_second": 14.7, "delay_ms": 190.0, "callback_ms": 12.0}
    app |= {"callback_95_ms": 20.0, "labelled_s": 1.34}
    text = live._table({"turns": 3, "seconds": 20.0, "rates": {"15": {"echo": echo, "app": app}}})
    assert [line.split()[-1] for line in text.splitlines() if line[:4] in ("echo", "app ")][:2] == [
        "1.2s",
        "1.34s",
    ]
    assert "app against echo: 0.98 of the fresh frames, +10 ms; callback 12.0 ms" in text


def test_delays_are_ranked_and_none_is_one_sentence():
    pytest.importorskip("playwright")
    given = [[n, 100.0 * n] for n in range(5)]
    assert live.ranked_delays({"given": given, "returned": [[2, 380.0], [3, 450.0]]}) == [150, 180]
    with pytest.raises(VideoError, match="Of 5 frames of the camera none"):
        live.ranked_delays({"given": given, "returned": []})


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (soak, ["--minutes", "2"]),
        (live, ["--seconds", "1"]),
        (live, ["--turns", "0"]),
    ],
)
def test_options_that_do_not_fit_are_one_sentence(command, words, capsys):
    assert command.main([*words, "--no-results"]) == 2
    said = capsys.readouterr().err
    assert "Received: " in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("silent", [0, 1, 2])
def test_a_page_that_shows_no_frame_is_measured_again(silent):
    answers = [VideoError("none")] * silent + [{"delay_ms": 150.0}]
    measurement = Mock(side_effect=answers)
    assert live.read_at_last(measurement) == {"delay_ms": 150.0}
    assert measurement.call_count == silent + 1


def test_pages_that_never_show_a_frame_end_the_benchmark():
    with pytest.raises(VideoError, match="none"):
        live.read_at_last(Mock(side_effect=VideoError("none")))
