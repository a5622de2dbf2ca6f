"""`python -m benchmarks.train_step`: the step alone, the whole loop, and the share of it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from benchmarks.train_step import main, shares

pytestmark = pytest.mark.usefixtures("tiny")

QUICK = ["--arch", "tiny", "--batch-size", "8", "--steps", "2", "--repeats", "2"]
FLOAT32 = ["--precision", "float32"]


@pytest.fixture(autouse=True)
def memory_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the command asks of the allocator would stay for every later test."""
    monkeypatch.setattr("train.memory.keep_freed_memory", lambda: False)


def test_it_prints_both_paces_and_writes_them_down(tmp_path: Path, capsys) -> None:
    page = tmp_path / "RESULTS.md"
    assert main([*QUICK, *FLOAT32, "--results", str(page)]) == 0
    printed = capsys.readouterr().out
    for line in (r"step alone +[\d,]+ images", r"whole loop +[\d,]+ images", r"aim 0\.9: "):
        assert re.search(line, printed)
    text = page.read_text()
    assert "## train_step: tiny, batches of 8, float32, " in text
    assert printed.strip() in text
    assert "--results PATH" in text


def test_its_json_holds_every_measurement(capsys) -> None:
    assert main([*QUICK, *FLOAT32, "--json", "--no-results"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (len(found["steps_measured"]), len(found["loops_measured"])) == (3, 2)
    assert min(found["step"], found["loop"], found["share"]) > 0


def test_a_loop_is_set_beside_the_steps_around_it() -> None:
    """The machine is half as fast in the end; the loop has nine tenths of the step throughout."""
    assert shares([100, 100, 50, 50], [90, 67.5, 45]) == pytest.approx([0.9, 0.9, 0.9])


def test_an_unknown_network_is_one_sentence(capsys) -> None:
    assert main(["--arch", "vgg99", "--no-results"]) == 2
    said = capsys.readouterr().err
    assert "vgg99" in said
    assert said.count("\n") == 1
