"""`analyze --ray` with Ray: a worker is killed in the middle, and the command is given again."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest
from PIL import Image

from fer_core import cli
from fer_core.analyzer import Analyzer, AnalyzerOptions
from fer_core.cluster import address as address_module
from fer_core.cluster.reader import OWN_FOLDER
from fer_core.model_store import file_sha256
from tests.clips import Clip, make_clip

pytest.importorskip("ray", reason="Ray is optional: pip install -r requirements-ray.txt")

ROOT = Path(__file__).resolve().parents[2]
CLIPS = 7
FRAMES = 45
BUSY = "MapWorker(MapBatches(FaceReader)).submit"
"""What Ray calls the process of a worker that has a task."""


def processes() -> Iterator[tuple[int, int, str]]:
    """Number, parent and title of every process."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError, IndexError):
                parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
                title = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                yield int(folder.name), int(parent), title


def workers_of(run: int) -> list[int]:
    """The processes below `run` that have a task."""
    everything = list(processes())
    below = {run}
    while True:
        more = {number for number, parent, _ in everything if parent in below} - below
        if not more:
            break
        below |= more
    return [number for number, _, title in everything if number in below and BUSY in title]


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A folder for temporary files whose name is short enough for Ray's sockets."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def written_at(out: Path) -> dict[Path, int]:
    """The parts of the results, and when each was written."""
    return {file: file.stat().st_mtime_ns for file in (out / "faces").rglob("*.parquet")}


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds the workers in /proc")
def test_a_killed_worker_loses_nothing_and_a_second_run_does_only_what_is_new(
    astronaut: np.ndarray, tmp_path: Path, scratch: Path
) -> None:
    clips = tmp_path / "clips"
    clips.mkdir()
    first = make_clip(clips / "0.mp4", Clip((320, 240), tuple(i / 15 for i in range(FRAMES))))
    for number in range(1, CLIPS):
        # Other content, and the same frames.
        (clips / f"{number}.mp4").write_bytes(first.read_bytes() + b"\0" * 8 * number)
    (clips / "broken.mp4").write_bytes(b"no clip")
    out = tmp_path / "out"
    command = [sys.executable, "-m", "fer_core", "analyze", "--runtime", "litert"]
    command += ["--ray", str(clips), "--out", str(out)]
    surroundings = {**os.environ, "TMPDIR": str(scratch)}
    run = subprocess.Popen(
        [*command, "--workers", "2"],
        cwd=ROOT,
        env=surroundings,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    killed = None
    begun: set[Path] = set()
    while run.poll() is None and killed is None:
        begun.update(file.parent for file in scratch.glob(f"{OWN_FOLDER}*/rows*"))
        busy = workers_of(run.pid)
        if len(begun) >= 3 and busy:  # by two workers, so that one of them has done a file
            killed = busy[0]
            os.kill(killed, signal.SIGKILL)
        time.sleep(0.01)
    said = run.communicate(timeout=120)
    assert killed is not None, said
    assert run.returncode == 1, said
    assert said[0] == ""
    assert f"{CLIPS} of {CLIPS + 1} files analysed" in said[1]
    assert "broken.mp4" in said[1]

    with Analyzer(AnalyzerOptions(runtime="litert")) as analyzer:
        expected = [
            (index, face.label, face.confidence)
            for index, result in enumerate(analyzer.analyze_video(first))
            for face in result.faces
        ]
    assert len(expected) > FRAMES // 2
    table = pyarrow.parquet.read_table(out / "faces").to_pylist()
    assert len(table) == CLIPS * len(expected)
    for number in range(CLIPS):
        content = file_sha256(clips / f"{number}.mp4")
        rows = [row for row in table if row["content"] == content]
        assert [(row["frame"], row["label"]) for row in rows] == [e[:2] for e in expected]
        assert [row["confidence"] for row in rows] == pytest.approx(
            [confidence for *_, confidence in expected], abs=1e-5
        )
    files = pyarrow.parquet.read_table(out / "files.parquet").to_pylist()
    assert [row["error"] is None for row in files] == [True] * CLIPS + [False]

    # Again, with another file and as many workers as there are cores; and nothing is said of Ray.
    (clips / "broken.mp4").unlink()
    Image.fromarray(astronaut).save(clips / "portrait.png")
    before = written_at(out)
    again = subprocess.run(
        command, cwd=ROOT, env=surroundings, capture_output=True, text=True, timeout=180
    )
    assert (again.returncode, again.stdout) == (0, ""), again.stderr
    assert len(again.stderr.splitlines()) == 1, again.stderr
    said_again = f"{CLIPS + 1} of {CLIPS + 1} files analysed, {CLIPS} of them in an earlier run."
    assert said_again in again.stderr
    after = written_at(out)
    assert {file: after[file] for file in before} == before
    (new,) = after.keys() - before.keys()
    (row,) = pyarrow.parquet.read_table(new).to_pylist()
    assert row["content"] == file_sha256(clips / "portrait.png")


@pytest.mark.parametrize("listens", [False, True])
def test_an_address_that_does_not_answer_is_said_soon(
    listens: bool,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(address_module, "ANSWER_SECONDS", 3.0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        if not listens:
            server.close()
        begun = time.monotonic()
        words = ["analyze", "--ray", address, str(tmp_path), "--out", str(tmp_path / "out")]
        assert cli.main(words) == 2
    assert time.monotonic() - begun < 30
    error = capsys.readouterr().err
    assert address in error
    assert error.count("\n") == 1
