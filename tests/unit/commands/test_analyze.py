"""`analyze` over folders and clips: tables, copies, report; broken off and taken up again."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest
from PIL import Image

from fer_core import cli
from fer_core.commands import run as run_module
from fer_core.commands.ledger import LEDGER_FILE
from tests.clips import Clip, make_clip, read_times

FRAMES = 30
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


@pytest.fixture(scope="module")
def made(_astronaut: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two pictures of a face, one without, and a clip of two seconds."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "more").mkdir()
    Image.fromarray(_astronaut).save(folder / "a.jpg", quality=95)
    Image.fromarray(_astronaut[:, ::-1]).save(folder / "more" / "a.jpg", quality=95)
    Image.new("RGB", (64, 48), (90, 90, 90)).save(folder / "grey.png")
    make_clip(
        folder / "clip.mp4", Clip((320, 240), tuple(i / 15 for i in range(FRAMES)), sound="aac")
    )
    return folder


@pytest.fixture
def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the results go: the working directory of the test."""
    folder = tmp_path / "out"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    return folder


TABLES = ["--csv", "f.csv", "--jsonl", "f.jsonl", "--parquet", "f.parquet"]


def analyze(*arguments: object) -> int:
    return cli.main(["analyze", *map(str, arguments), "--runtime", "litert"])


def process(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    root = str(Path(__file__).resolve().parents[3])
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments), "--runtime", "litert"],
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def rows(file: str = "f.csv") -> list[dict[str, str]]:
    with Path(file).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def lines(file: str = "f.jsonl") -> list[dict[str, object]]:
    return [json.loads(line) for line in Path(file).read_text(encoding="utf-8").splitlines()]


def without_timings(entries: list[dict[str, object]]) -> list[dict[str, object]]:
    return [{**entry, "timings_ms": None} for entry in entries]


def test_one_table_of_pictures_and_clips(
    made: Path, out: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert analyze(made, *TABLES, "--threads", 2) == 0
    printed, said = capfd.readouterr()
    assert printed == ""
    assert said == (
        "4 of 4 files analysed. Runtime: litert (CPU, 2 threads). "
        "Written: f.csv, f.jsonl, f.parquet.\n"
    )
    pictures = [str(made / "a.jpg"), str(made / "more" / "a.jpg")]
    table = rows()
    assert [row["source"] for row in table if not row["seconds"]] == pictures
    clip = [row for row in table if row["source"] == str(made / "clip.mp4")]
    assert [int(row["frame"]) for row in clip] == list(range(FRAMES))
    assert [float(row["seconds"]) for row in clip] == pytest.approx(
        [i / 15 for i in range(FRAMES)], abs=0.001
    )
    assert {row["track"] for row in clip} == {"1"}
    assert [entry["source"] for entry in lines()] == [
        str(made / "a.jpg"), *[str(made / "clip.mp4")] * FRAMES, str(made / "grey.png"), pictures[1]
    ]  # fmt: skip
    parquet = pyarrow.parquet.read_table("f.parquet").to_pylist()
    assert [(row["source"], row["frame"], row["label"]) for row in parquet] == [
        (row["source"], int(row["frame"]), row["label"]) for row in table
    ]
    assert sorted(path.name for path in out.iterdir()) == [
        "f.csv", "f.jsonl", "f.parquet", LEDGER_FILE
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "ran"),
    [
        (["--runtime", "litert", "--threads", "1"], "litert (CPU, 1 thread)"),
        (["--runtime", "litert", "--threads", "3"], "litert (CPU, 3 threads)"),
        (["--runtime", "litert_int8"], "litert_int8 (CPU, 1 thread)"),
        (["--runtime", "litert", "--threads", "3", "--quiet"], None),
    ],
)
def test_the_summary_says_what_ran_the_network_and_its_threads(
    arguments: list[str], ran: str | None, made: Path, out: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["analyze", str(made / "grey.png"), "--csv", "f.csv", *arguments]) == 0
    said = f"1 of 1 files analysed. Runtime: {ran}. Written: f.csv.\n" if ran else ""
    assert capfd.readouterr() == ("", said)


def test_every_nth_frame(made: Path, out: Path, capfd: pytest.CaptureFixture[str]) -> None:
    clip = made / "clip.mp4"
    assert analyze(clip, "--every", 10, "--csv", "f.csv", "--annotate", "drawn", "--quiet") == 0
    assert [int(row["frame"]) for row in rows()] == [0, 10, 20]
    assert len(read_times(Path("drawn/clip-annotated.mp4"))) == FRAMES
    assert capfd.readouterr() == ("", "")
    assert not Path(LEDGER_FILE).exists()


def test_a_clip_is_printed_in_short(
    made: Path, out: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert analyze(made / "clip.mp4", made / "grey.png") == 0
    clip, picture = json.loads(capfd.readouterr().out)
    assert clip.pop("clip") == str(made / "clip.mp4")
    labels = clip.pop("labels")
    assert sum(labels.values()) == FRAMES
    assert clip == {
        "width": 320, "height": 240, "seconds": 2.0, "frames": FRAMES, "frames_analysed": FRAMES,
        "faces": FRAMES, "people": 1, "warnings": [],
    }  # fmt: skip
    assert picture["faces"] == []
    assert list(out.iterdir()) == []


def test_a_clip_that_is_cut_off_is_said(
    made: Path, out: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    clip = make_clip(
        out / "whole.mp4", Clip(times=tuple(i / 15 for i in range(60)), faststart=True)
    )
    cut = out / "cut.mp4"
    cut.write_bytes(clip.read_bytes()[: clip.stat().st_size * 9 // 10])
    assert analyze(cut) == 0
    printed, said = capfd.readouterr()
    (entry,) = json.loads(printed)
    assert "cut off or damaged" in entry["warnings"][0]
    assert said == f"{cut}: {entry['warnings'][0]}\n"


def test_annotated_copies_mirror_the_folder_and_are_not_read_again(
    made: Path, out: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    inside = out / "copied"
    for file in (made / "a.jpg", made / "more" / "a.jpg"):
        copy = inside / file.relative_to(made)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(file.read_bytes())
    names = ["a-annotated.jpg", "a.jpg", LEDGER_FILE, "more", "more/a-annotated.jpg", "more/a.jpg"]
    for _ in range(2):
        assert analyze(inside, "--annotate", inside) == 0
        found = sorted(str(path.relative_to(inside)) for path in inside.rglob("*"))
        assert found == sorted(names)
        entries = json.loads(capfd.readouterr().out)
        assert [entry["annotated"] for entry in entries] == [
            str(inside / "a-annotated.jpg"), str(inside / "more" / "a-annotated.jpg")
        ]  # fmt: skip


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


def test_the_report_needs_nothing_else_and_trusts_no_name(made: Path, out: Path) -> None:
    evil = out / "<img src=x onerror=alert(1)>.png"
    evil.write_bytes((made / "a.jpg").read_bytes())
    bad = out / "<b>bad.jpg"
    bad.write_text("no picture")
    assert analyze(evil, bad, made / "clip.mp4", "--report", "r.html", "--quiet") == 1
    page = Path("r.html").read_text(encoding="utf-8")
    assert "<img src=x" not in page
    assert "<b>bad" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;.png" in page
    assert "1 file could not be analysed" in page
    assert not re.search(r"(?:src|href)=['\"](?!data:)", page)
    assert "<script" not in page
    assert page.count("<img src='data:image/jpeg;base64,/9j/") >= 2
    assert f"{FRAMES + 1} faces in all" in page
    widths = re.findall(r"width:([\d.]+)%", page)
    assert widths
    assert all(0 < float(width) <= 100 for width in widths)


@pytest.mark.skipif(os.name != "posix", reason="names are bytes on POSIX only")
def test_names_that_are_no_text(made: Path, out: Path) -> None:
    name = os.fsdecode(b"caf\xe9.jpg")
    Path(name).write_bytes((made / "a.jpg").read_bytes())
    assert analyze(out, *TABLES, "--report", "r.html", "--annotate", "drawn", "--quiet") == 0
    (row,) = rows()
    assert row["source"] == str(out / "caf\ufffd.jpg")
    assert (out / "drawn" / os.fsdecode(b"caf\xe9-annotated.jpg")).is_file()


def everything_said(terminal: int) -> str:
    """All that a program writes to a pseudo-terminal until it closes it, a few kB a read."""
    said = b""
    with contextlib.suppress(OSError):  # how Linux tells the end of a terminal
        while part := os.read(terminal, 4096):
            said += part
    return said.decode()


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
def test_on_a_terminal_there_is_a_bar_and_in_a_pipe_there_is_json(made: Path, out: Path) -> None:
    import pty

    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "fer_core", "analyze", str(made), "--runtime", "litert"]
    process = subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3]),
             "TERM": "xterm", "COLUMNS": "120"},
        stdout=subprocess.PIPE, stderr=follower,
    )  # fmt: skip
    os.close(follower)
    said = everything_said(leader)
    os.close(leader)
    answer, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    assert len(json.loads(answer)) == 4
    assert "4/4" in said
    assert "100%" in said
    assert "left" in said


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--every", "0"], "every must be a whole number of frames, at least 1. Received: 0."),
        (["--every", "often"], "invalid int value: 'often'"),
        (["--csv", "nowhere/f.csv"], "for --csv does not exist. Make it first"),
        (["--parquet", "."], "--parquet . is a folder."),
        (["--csv", "same", "--jsonl", "same"], "--csv and --jsonl name the same file, same."),
    ],
)
def test_a_command_that_cannot_be_carried_out(
    arguments: list[str], sentence: str, out: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    try:
        code: object = analyze("x.png", *arguments)
    except SystemExit as leaving:
        code = leaving.code
    assert code == 2
    printed, said = capfd.readouterr()
    assert printed == ""
    assert sentence in said
    assert len(said.splitlines()) == 1
    assert list(out.iterdir()) == []


def test_parquet_without_its_package_is_said_before_the_work(
    out: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert analyze("x.png", "--parquet", "f.parquet") == 2
    assert "--parquet needs the package pyarrow" in capfd.readouterr().err


def test_bad_files_of_every_kind_are_said_and_the_good_one_is_kept(
    made: Path, out: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    Path("empty.mp4").touch()
    Path("text.mp4").write_text("no clip")
    Path("empty.png").touch()
    names = ["empty.mp4", "text.mp4", "empty.png", "gone.mp4", "gone.png", "*.webm", "bad\0name"]
    assert analyze(*names, made / "a.jpg", "--csv", "f.csv") == 1
    said = capfd.readouterr().err.splitlines()
    assert len(said) == len(names) + 1
    for name, sentence in zip(names[:-1], said, strict=False):
        assert name in sentence
    assert len(rows()) == 1
