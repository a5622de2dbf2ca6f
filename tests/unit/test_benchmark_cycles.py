"""The command that counts what START and STOP leave behind, as far as it needs no browser."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks import cycles


def row(done: int, **held: float) -> dict[str, Any]:
    return {"cycles": done, "threads": 15, "descriptors": 17, "udp": 0, "memory_mb": 300.0, **held}


@pytest.mark.parametrize(
    ("last", "said"),
    [
        ({}, []),
        ({"threads": 19, "descriptors": 13, "memory_mb": 330.0}, []),
        ({"threads": 20}, ["threads: +5"]),
        ({"descriptors": 217, "udp": 1}, ["descriptors: +200", "udp sockets: +1"]),
        ({"memory_mb": 331.0}, ["memory: +31.0 MB against 20 cycles (aim: at most +30.0)"]),
    ],
)
def test_what_is_left_behind_is_named(last: dict[str, float], said: list[str]) -> None:
    rows = [row(0, memory_mb=250.0), row(20), row(200, **last)]
    text = cycles._table({"frames": 5, "rows": rows})
    found = [line for line in text.splitlines() if line.endswith("NOT KEPT")]
    assert len(found) == len(said)
    assert all(line.startswith(words) for line, words in zip(found, said, strict=True))
    assert sum(line.endswith(": kept") for line in text.splitlines()) == 4 - len(said)


def test_too_few_cycles_are_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert cycles.main(["--cycles", "20", "--no-results"]) == 2
    assert capsys.readouterr().err == "--cycles must be more than 20. Received: 20.\n"
