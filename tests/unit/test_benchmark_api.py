"""The API benchmark says whether its aim is reached, and trusts no figure that it cannot find."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.metrics import Metrics
from benchmarks import api
from benchmarks.processor import family_seconds, machine_seconds
from fer_core.errors import OptionError
from tests.api.conftest import wait_for

ONE, MANY = 100.0, 8


def made_row(rate: float) -> dict[str, float]:
    """A row that differs from others in its pictures a second alone."""
    rest = ("median ms", "p95 ms", "processor ms", "client ms", "cores", "a batch")
    return {"a second": rate, "others": 0.0, **dict.fromkeys(rest, 1.0)}


def made_report(ratios: list[float]) -> dict[str, Any]:
    return {
        "size": "640x480", "bytes": 1, "faces": 1, "clients": MANY, "seconds": 3.0,
        "rounds": len(ratios), "available_cores": 2,
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
    def serve(_: dict[str, str]) -> Iterator[api.Server]:
        yield api.Server(0, 0)

    def row(
        _server: api.Server, _content: bytes, clients: int, _seconds: float
    ) -> dict[str, float]:
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
    assert api._counted(metrics.text().decode()) == (7, 2)


@pytest.mark.parametrize("name", api.COUNTED)
def test_a_count_that_is_called_something_else_is_no_zero(name: str) -> None:
    text = Metrics().text().decode().replace(name, "renamed")
    with pytest.raises(OptionError, match=f"^/api/metrics has no {name}. Write into"):
        api._counted(text)


def test_what_the_machine_could_answer_at_most_is_said() -> None:
    report = made_report([1.5])
    report["rows"]["one client"] |= {"a second": 200.0, "cores": 1.25}
    report["rows"]["together"] |= {"processor ms": 4.9, "client ms": 0.1}
    # 2 cores give 2,000 ms a second, enough for 400 pictures.
    assert (
        "one client keeps 1.25 of 2 cores busy; with all of them busy at what a picture costs many "
        "clients: 2.00 times"
    ) in api._table(report).splitlines()


@pytest.mark.parametrize(("others", "said"), [(0.04, False), (0.85, True)])
def test_a_machine_that_was_not_at_rest_is_said(others: float, said: bool) -> None:
    report = made_report([2.4])
    report["rows"]["one client"]["others"] = others
    text = api._table(report)
    assert ("other programs kept 0.85 cores busy" in text) == said
    assert text.endswith("aim 2 times one client: reached")


def test_the_processes_that_read_pictures_count_as_the_server() -> None:
    spin = "import time\nwhile time.process_time() < 0.5: pass\n"
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {spin!r}])"
    child += "; sys.stdin.read()"
    command = [sys.executable, "-c", child]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        wait_for(lambda: family_seconds(process.pid) >= 0.3)
        assert process.stdin is not None
        process.stdin.close()
    with pytest.raises(OptionError, match=f"process {process.pid} cannot be read"):
        family_seconds(process.pid)


def test_a_row_has_the_time_of_server_and_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    used, counts = iter([10.0, 11.0]), iter([(0.0, 0.0), (60.0, 40.0)])
    monkeypatch.setattr(api, "family_seconds", lambda process: next(used) if process == 7 else 0)
    monkeypatch.setattr(api, "_counts", lambda _: next(counts))
    monkeypatch.setattr(api, "machine_seconds", iter([100.0, 104.0]).__next__)

    def load(*_: object) -> dict[str, float]:
        until = time.perf_counter() + 0.2
        while time.perf_counter() < until:
            pass
        return {"a second": 500.0}

    monkeypatch.setattr(api, "load", load)
    row = api._row(api.Server(1, 7), b"", 8, 0.2)
    assert 0 < row["client ms"] < row["processor ms"] <= 10
    assert row["cores"] * 1000 == pytest.approx(500 * (row["processor ms"] + row["client ms"]))
    assert row["a batch"] == 1.5
    # The machine was busy for 4 s, the server for one of them, 500 pictures a second.
    lasted = 1000 * 1.0 / (500 * row["processor ms"])
    assert row["others"] + row["cores"] == pytest.approx(4.0 / lasted)
    assert machine_seconds() > 0
