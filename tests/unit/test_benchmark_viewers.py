"""How many viewers a core carries follows from what the server's processor took."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks import viewers


def made_report(**others: Any) -> dict[str, Any]:
    few = {"name": "2 viewers", "fresh_a_second": [10.0, 10.0], "told": 0, "cores": 0.2}
    many = {"name": "6 viewers", "fresh_a_second": [9.5] * 6, "told": 1, "cores": 1.14}
    report = {"seconds": 20.0, "width": 320, "rate": 10, "peak_memory_mb": 400.0}
    return {**report, "rows": [few, many], **others}


def test_the_table_says_how_many_viewers_a_core_carries() -> None:
    text = viewers._table(made_report())
    # 0.2 of a core for 20 frames a second: 10 ms each; 0.7 of a core are 70 frames a second.
    assert (
        "2 viewers: 10.0 ms of a core a frame, so at 70 % of a core it carries 7.0 with 10 and "
        "4.7 with 15 frames a second"
    ) in text
    assert "6 viewers: 20.0 ms of a core a frame" in text
    assert text.startswith("320x240, 10 frames a second, one face each; ")
    assert text.endswith("peak memory of the server 400 MB")


@pytest.mark.parametrize("shown", [0.0, 8.9])
def test_nothing_follows_where_frames_are_missing(shown: float) -> None:
    row = {"name": "2 viewers", "fresh_a_second": [shown, shown], "told": 0, "cores": 0.1}
    text = viewers._table(made_report(rows=[row]))
    assert "2 viewers: frames are missing, so nothing follows for a core" in text
    assert "of a core a frame" not in text


@pytest.mark.parametrize(
    ("width", "rate", "more"), [(320, 10, ""), (640, 15, ", 640 wide, 15 a second")]
)
def test_another_camera_has_a_section_of_its_own(width: int, rate: int, more: str) -> None:
    report = made_report(width=width, rate=rate)
    assert viewers._heading(report) == "viewers: several at once" + more
