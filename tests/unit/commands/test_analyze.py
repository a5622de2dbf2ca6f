"""`analyze` over folders and clips: tables, copies, report, and what it says."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet
import pytest

from fer_core import cli
from fer_core.commands.ledger import LEDGER_FILE
from tests.clips import Clip, make_clip, read_times

from .analyzing import FRAMES, TABLES, analyze, lines, rows


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
