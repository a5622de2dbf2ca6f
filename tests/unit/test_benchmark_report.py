"""The commands that measure: what they print, what they write down, and what they refuse."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmarks import frame, gpu, machine, runtimes, sessions, startup
from benchmarks.report import Benchmark
from benchmarks.results import put_section
from fer_core.errors import OptionError


def test_a_section_is_replaced_and_the_others_stay_in_order(tmp_path: Path) -> None:
    page = tmp_path / "RESULTS.md"
    for heading, body in (("b: two", "old"), ("a: one", "first\n\n```text\n# x\n```"), ("c", "3")):
        put_section(page, heading, body)
    before = page.read_text()
    put_section(page, "b: two", "new")
    text = page.read_text()
    assert text == before.replace("old", "new")
    assert text.startswith("# Results\n")
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## a: one",
        "## b: two",
        "## c",
    ]
    assert [file.name for file in tmp_path.iterdir()] == ["RESULTS.md"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("processor : 0\nmodel name : AMD EPYC\nflags : fpu avx avx2 fma", ("AMD EPYC", "AVX2")),
        ("model name : Xeon\nflags : avx2 avx512f\n\nflags : none", ("Xeon", "AVX-512")),
        ("model name : Xeon\nflags : avx2 avx512f amx_int8", ("Xeon", "AMX")),
        ("model name : old\nflags : sse2", ("old", "")),
    ],
)
def test_a_processor_is_named_with_its_widest_arithmetic(
    content: str, expected: tuple[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "cpuinfo"
    file.write_text(content)
    assert machine._processor(file) == expected


def made(measure: Any = lambda options: {"found": options.count}) -> Benchmark:
    def add_options(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--count", type=int, default=3)
        parser.add_argument("--data")

    return Benchmark(
        "made",
        "Made for a test.",
        add_options,
        measure,
        heading=lambda report: f"made: {report['found']}",
        table=lambda report: f"found {report['found']}",
        packages=("numpy", "no-such-package"),
    )


def test_what_is_printed_is_written_down(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    assert made().main(["--count", "4", "--data", "/data/faces", "--results", str(page)]) == 0
    printed = capsys.readouterr().out
    for words in ("cores", f"numpy {np.__version__}", "no-such-package not installed", "found 4"):
        assert words in printed
    written = page.read_text()
    assert printed.strip() in written
    assert "## made: 4\n" in written
    assert "`python -m benchmarks.made --count 4 --data PATH --results PATH`, 20" in written
    assert "/data" not in written


def test_nothing_is_written_when_nobody_wants_it_or_it_failed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert made().main(["--json", "--no-results"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["found"] == 3
    assert {"date", "machine", "versions"} <= set(report)

    def refuse(_: argparse.Namespace) -> dict[str, Any]:
        raise OptionError("--count must be even. Received: 3.")

    page = tmp_path / "page.md"
    assert made(refuse).main(["--results", str(page)]) == 2
    assert capsys.readouterr().err == "--count must be even. Received: 3.\n"
    assert not page.exists()


def test_peak_memory_is_this_process() -> None:
    before = machine.peak_megabytes()
    block = np.ones(60_000_000, np.uint8)
    assert machine.peak_megabytes() >= before
    assert machine.peak_megabytes() > block.nbytes / 1e6


@pytest.mark.parametrize(
    ("command", "arguments", "words"),
    [
        (runtimes, ["--repeats", "0"], "--repeats must be at least 1"),
        (startup, ["--runs", "0"], "--runs must be at least 1"),
        (sessions, ["--sessions", "0"], "--sessions, --faces and --frames must be at least 1"),
        (gpu, ["--seconds", "0"], "--seconds must be above 0"),
        (gpu, ["--largest", "0"], "--largest at least 1"),
        (runtimes, ["--model", "nowhere"], "no model called 'nowhere'"),
    ],
)
def test_bad_options_are_said(
    command: Any, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main([*arguments, "--no-results"]) == 2
    assert words in capsys.readouterr().err


def test_runtimes_compares_times_answers_and_accuracy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(runtimes, "RUNTIMES", ("auto", "litert", "litert_int8"))
    crops = np.random.default_rng(0).integers(0, 256, (20, 48, 48, 1), np.uint8)
    split = (crops, np.arange(20) % 7)
    monkeypatch.setattr(runtimes, "_load", lambda _: {"PrivateTest": split})
    assert runtimes.main(["--repeats", "2", "--data", "faces", "--no-results"]) == 0
    text = capsys.readouterr().out
    for words in ("litert_int8", "16 crops", "furthest from litert", "points lost", "20 images"):
        assert words in text


def test_a_quantised_network_that_loses_too_much_is_named() -> None:
    def row(name: str, accuracy: float) -> dict[str, Any]:
        times = {count: {"median": 1.0, "p95": 2.0} for count in runtimes.COUNTS}
        accuracies = {"PrivateTest": accuracy}
        return {"runtime": name, "device": "CPU", "milliseconds": times, "accuracy": accuracies}

    report = {
        "model": "made",
        "repeats": 1,
        "compared_with": "litert",
        "furthest": {"litert": 0.0, "litert_int8": 0.5},
        "images": {"PrivateTest": 1000},
        "rows": [row("litert", 0.7), row("litert_int8", 0.69)],
    }
    text = runtimes._table(report)
    assert "litert_int8 69.00 %, +1.00 points lost, MORE THAN 0.2" in text
    assert text.count("MORE THAN") == 1


def test_sessions_run_one_and_several(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--sessions", "3", "--frames", "3", "--json", "--no-results"]
    assert sessions.main(arguments) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [row["sessions"] for row in rows] == [1, 3] * len(sessions.WAYS)
    assert all(0 < row["median"] <= row["p95"] for row in rows)
    assert all(row["frames_a_second"] > 0 for row in rows)


def test_startup_needs_no_framework_and_little_memory(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(startup, "WAYS", startup.WAYS[:1])
    assert startup.main(["--runs", "1", "--json", "--no-results"]) == 0
    imported, photo = json.loads(capsys.readouterr().out)["rows"]
    assert imported["heavy"] == photo["heavy"] == []
    assert photo["peak_megabytes"] < startup.AIM_MEGABYTES
    assert 0 < photo["seconds_inside"] < photo["seconds_whole"]


def test_the_first_answer_of_a_new_process_comes_in_time() -> None:
    """The quickest of a few: other tests run on the same cores."""
    seconds = []
    for _ in range(6):
        seconds.append(startup.first_answer(*startup.WAYS[0])["seconds_whole"])
        if seconds[-1] < startup.AIM_SECONDS:
            break
    assert min(seconds) < startup.AIM_SECONDS


def test_startup_says_what_failed() -> None:
    found = startup._measured("raise SystemExit('no such thing')", 1)
    assert found == {"failed": "no such thing"}
    assert "failed: no such thing" in startup._table({"runs": 1, "rows": [{"what": "x", **found}]})


@pytest.mark.parametrize(
    ("median", "p95", "verdict"),
    [(4.9, 9.9, "reached"), (5.1, 6.0, "not reached"), (4.0, 10.1, "not reached")],
)
def test_frame_says_whether_its_aim_is_reached(median: float, p95: float, verdict: str) -> None:
    times = {stage: {"median": median, "p95": p95} for stage in frame.STAGES}
    found = {"faces_found_share": 1.0, "milliseconds": times}
    report = {"size": [640, 480], "faces": 1, "detectors": {"blazeface": found, "mediapipe": found}}
    (line,) = frame._verdicts(report)[1:]
    assert line.startswith(f"blazeface: median {median:.2f} of at most 5 ms")
    assert line.endswith(f"of at most 10: {verdict}")
    assert frame._verdicts({**report, "faces": 3}) == []


@pytest.mark.parametrize(
    ("on_gpu", "words"),
    [(False, "sees no GPU here"), (True, "aim 200,000 faces a second: ")],
)
def test_gpu_measures_every_batch_size_and_the_cards_own_rate(
    on_gpu: bool,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    sizes: list[int] = []
    fake = SimpleNamespace(
        on_gpu=on_gpu,
        device="GPU: made" if on_gpu else "CPU",
        backend="made",
        run=lambda crops: sizes.append(len(crops)),
        close=lambda: None,
    )
    monkeypatch.setattr(gpu, "create_runtime", lambda *_: fake)
    monkeypatch.setattr(gpu, "_matrix_rate", lambda kind, side, seconds: 1e12)
    assert gpu.main(["--seconds", "0.001", "--no-results"]) == 0
    text = capsys.readouterr().out
    assert words in text
    assert "1.00 TFLOP/s in bfloat16" in text
    largest = gpu.LARGEST if on_gpu else gpu.LARGEST_ON_CPU
    assert sorted(set(sizes)) == [2**power for power in range(largest.bit_length())]
