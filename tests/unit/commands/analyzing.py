"""`analyze` called, here or in a process of its own, and its tables read."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

from fer_core import cli

FRAMES = 30
"""Of the clip in `made`."""

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
