"""`analyze` broken off by a kill or a full disk, or given again: no work is done twice."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from fer_core.commands import run as run_module
from fer_core.commands.ledger import LEDGER_FILE

from .analyzing import FRAMES, TABLES, analyze, lines, process, rows, without_timings

KILLER = """
import os, signal, sys
from fer_core import cli
from fer_core.commands import ledger, run
# A shell starts what it puts in the background with this signal ignored, and that is inherited.
signal.signal(signal.SIGINT, signal.default_int_handler)
place, count = sys.argv[1], int(sys.argv[2])
owner, name = {"frame": (ledger.Entry, "add"), "table": (run.ParquetWriter, "write")}[place]
original = getattr(owner, name)

def counted(*arguments, **options):
    global count
    count -= 1
    if count < 0:
        os.kill(os.getpid(), getattr(signal, sys.argv[3]))
    return original(*arguments, **options)

setattr(owner, name, counted)
sys.exit(cli.main(sys.argv[4:]))
"""


def test_a_second_run_does_only_what_is_new(
    made: Path, out: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = out / "folder"
    folder.mkdir()
    (folder / "one.jpg").write_bytes((made / "a.jpg").read_bytes())
    assert analyze(folder, "--csv", "f.csv", "--annotate", "drawn") == 0
    (folder / "one.jpg").rename(folder / "renamed.jpg")
    (folder / "two.jpg").write_bytes((made / "more" / "a.jpg").read_bytes())
    (folder / "bad.png").write_text("no picture")
    seen: list[str] = []
    original = run_module.analyze_source

    def watched(job, source, *rest):  # type: ignore[no-untyped-def]
        seen.append(Path(source.path).name)
        return original(job, source, *rest)

    monkeypatch.setattr(run_module, "analyze_source", watched)
    capfd.readouterr()
    assert analyze(folder, "--csv", "f.csv") == 1
    assert seen == ["bad.png", "two.jpg"]
    sentence, summary = capfd.readouterr().err.splitlines()
    assert "bad.png" in sentence
    assert summary.startswith("2 of 3 files analysed, 1 of them in an earlier run.")
    assert [Path(row["source"]).name for row in rows()] == ["renamed.jpg", "two.jpg"]
    # Another threshold is another result; a report wants pictures; a copy that is gone is made.
    for arguments in (["--min-confidence", "0"], ["--report", "r.html"], ["--annotate", "drawn"]):
        seen.clear()
        assert analyze(folder, "--csv", "f.csv", *arguments) == 1
        assert seen == ["bad.png", "renamed.jpg", "two.jpg"]
    seen.clear()
    Path("drawn/two-annotated.jpg").unlink()
    assert analyze(folder, "--csv", "f.csv", "--annotate", "drawn") == 1
    assert seen == ["bad.png", "two.jpg"]


@pytest.mark.parametrize(
    ("place", "count"),
    [("frame", 0), ("frame", 12), ("frame", FRAMES + 1), ("table", 20)],
    ids=["first file", "in the clip", "after the clip", "in the tables"],
)
def test_a_killed_run_goes_on_with_no_row_lost_or_twice(
    place: str, count: int, made: Path, out: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    arguments = ["analyze", made, *TABLES, "--annotate", "drawn"]
    killed = process(KILLER, place, count, "SIGKILL", *arguments)
    assert killed.returncode == -signal.SIGKILL
    assert not Path("f.csv").exists()
    assert analyze(*arguments[1:]) == 0
    capfd.readouterr()
    got, entries = rows(), without_timings(lines())
    drawn = sorted(path.name for path in Path("drawn").rglob("*") if path.is_file())
    assert drawn == [
        "a-annotated.jpg",
        "a-annotated.jpg",
        "clip-annotated.mp4",
        "grey-annotated.png",
    ]
    assert not list(out.rglob("*.part"))
    Path(LEDGER_FILE).unlink()
    assert analyze(*arguments[1:]) == 0
    capfd.readouterr()
    assert got == rows()
    assert entries == without_timings(lines())


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_an_interrupted_run_says_how_to_go_on(name: str, made: Path, out: Path) -> None:
    arguments = ["analyze", made, "--jsonl", "f.jsonl", "--annotate", "drawn"]
    done = process(KILLER, "frame", 12, name, *arguments)
    assert done.returncode == 130
    assert done.stderr == (
        f"Interrupted; 1 of 4 files are done and kept in {out / LEDGER_FILE}. "
        "The same command goes on from there.\n"
    )
    assert sorted(str(path.relative_to(out)) for path in out.rglob("*")) == [
        "drawn", "drawn/a-annotated.jpg", LEDGER_FILE
    ]  # fmt: skip


def test_a_full_disk_at_the_end_costs_no_work(
    made: Path, out: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    Path("f.jsonl.part").symlink_to("/dev/full")
    assert analyze(made / "a.jpg", made / "grey.png", "--jsonl", "f.jsonl") == 2
    assert "No space left on device. Make room" in capfd.readouterr().err
    assert [path.name for path in out.iterdir()] == [LEDGER_FILE]
    monkeypatch.setattr(run_module, "analyze_source", None)
    assert analyze(made / "a.jpg", made / "grey.png", "--jsonl", "f.jsonl") == 0
    assert len(lines()) == 2
    assert [path.name for path in out.iterdir()] == ["f.jsonl"]
