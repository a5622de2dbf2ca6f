"""The page of `benchmarks.scale`, and what the command refuses; nothing is measured here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks import scale
from benchmarks.scale import Speed

RATES = {1: 5.0, 2: 9.0, 4: 16.0}


def measured(workers: Sequence[int], *_: int) -> list[Speed]:
    alone = [Speed(0, 6.0, 0.1), Speed(0, 18.0, 0.1)]
    return alone + [Speed(count, RATES[count], 12.0, 80.0) for count in workers]


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(scale, "PAGE", tmp_path / "page.md")
    monkeypatch.setattr(scale, "measure", measured)
    return scale.PAGE


@pytest.mark.parametrize(
    ("workers", "last_row", "words"),
    [
        (
            ["1"],
            "| 4 workers on 4 cores (on paper) | 20.0 | 600 | 4.00 | |",
            ["takes 1 workers' speed a worker (5.0) times four: files are\nindependent"],
        ),
        (
            ["1", "2"],
            "| 4 workers on 4 cores (on paper) | 18.0 | 540 | 3.60 | |",
            [
                "2 workers give 90 % of 2 times one.",
                "takes 2 workers' speed a worker (4.5) times four: files are\nindependent",
                "| cores, all day | 103 | 34 |",
            ],
        ),
        (
            ["1", "2", "4"],
            "| 4 workers | 16.0 | 480 | 3.20 | 12.0 |",
            ["4 workers give 80 % of 4 times one.", "does.\nFiles are\nindependent"],
        ),
        (
            ["4", "1"],
            "| 1 worker | 5.0 | 150 | 1.00 | 12.0 |",
            ["4 workers give 80 % of 4 times one.", "| 4 workers | 16.0 | 480 | 3.20 | 12.0 |"],
        ),
    ],
)
def test_four_workers_are_on_paper_only_where_they_were_not_measured(
    workers: list[str],
    last_row: str,
    words: list[str],
    page: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert scale.main(["--workers", *workers]) == 0
    text = page.read_text()
    assert capsys.readouterr().out == text + "\n"
    table = text.split("## On paper")[0]
    assert [line for line in table.splitlines() if line.startswith("|")][-1] == last_row
    assert ("on paper" in table) == ("4" not in workers)
    for word in words:
        assert word in text


def test_nothing_is_written_without_a_page(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert scale.main(["--no-page"]) == 0
    assert "| one process, without Ray, every 5th frame | 18.0 |" in capsys.readouterr().out
    assert not page.exists()


@pytest.mark.parametrize(
    "options",
    [
        ["--workers", "0"],
        ["--workers", "2", "-1"],
        ["--seconds", "0"],
        ["--workers", "1", "4", "--clips", "7"],
    ],
)
def test_options_that_measure_nothing_are_said(
    options: list[str],
    page: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(scale, "measure", None)
    assert scale.main(options) == 2
    error = capsys.readouterr().err
    assert error.startswith("There must be at least two clips a worker, and one second a clip.")
    assert error.count("\n") == 1
    assert not page.exists()
