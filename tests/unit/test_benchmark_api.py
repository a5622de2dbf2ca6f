"""The API benchmark says whether its aim is reached, and trusts no figure that it cannot find."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.metrics import Metrics
from benchmarks import api
from fer_core.errors import OptionError

ONE, MANY = 100.0, 8


def made_row(rate: float) -> dict[str, float]:
    """A row that differs from others in its pictures a second alone."""
    rest = ("median ms", "p95 ms", "processor ms", "cores", "a batch")
    return {"a second": rate, **dict.fromkeys(rest, 1.0)}


def made_report(ratios: list[float]) -> dict[str, Any]:
    return {
        "size": "640x480", "bytes": 1, "faces": 1, "clients": MANY, "seconds": 3.0,
        "rounds": len(ratios),
        "rows": {name: made_row(ONE) for name in api.ROWS},
        "ratios": {"one client": ratios, "in turn": [3.0], "unbatched": [3.0]},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("ratios", "verdict"),
    [
        ([1.32], "not reached"),
        ([1.21, 1.32, 2.61], "not reached"),
        ([1.9999], "not reached"),
        ([2.0], "reached"),
        ([1.5, 2.01, 2.2], "reached"),
    ],
)
def test_the_table_ends_with_the_verdict_on_the_median(ratios: list[float], verdict: str) -> None:
    assert api._table(made_report(ratios)).splitlines()[-1] == f"aim 2 times one client: {verdict}"


@pytest.mark.parametrize(
    ("rate", "verdict"), [(132.0, "not reached"), (199.9, "not reached"), (200.0, "reached")]
)
def test_the_verdict_is_printed_and_written_down(
    rate: float,
    verdict: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    @contextlib.contextmanager
    def serve(_: dict[str, str]) -> Iterator[int]:
        yield 0

    def row(_port: int, _content: bytes, clients: int, _seconds: float) -> dict[str, float]:
        return made_row(rate if clients == MANY else ONE)

    monkeypatch.setattr(api, "serve", serve)
    monkeypatch.setattr(api, "load", lambda *_: {})
    monkeypatch.setattr(api, "_row", row)
    page = tmp_path / "RESULTS.md"
    assert api.main(["--rounds", "3", "--clients", str(MANY), "--results", str(page)]) == 0
    line = f"aim 2 times one client: {verdict}\n"
    assert line in capsys.readouterr().out
    assert line in page.read_text()


def test_the_servers_own_counts_are_read() -> None:
    metrics = Metrics()
    metrics.note_batch(3, 5)
    metrics.note_batch(4, 6)
    pictures, batches, processor = api._counted(metrics.text().decode())
    assert (pictures, batches) == (7, 2)
    assert processor > 0


@pytest.mark.parametrize("name", api.COUNTED)
def test_a_count_that_is_called_something_else_is_no_zero(name: str) -> None:
    text = Metrics().text().decode().replace(name, "renamed")
    with pytest.raises(OptionError, match=f"^/api/metrics has no {name}. Write into"):
        api._counted(text)
