"""Hundreds of bad uploads, the worst of them as the page itself reads them: none does harm."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from fer_core.names import LONGEST_NAME, shown_name
from tests.corpus import FAULTS, BadUpload, Kind, corpus, digest
from tests.corpus.upload import NAMES

ROOT = Path(__file__).resolve().parents[2]
SEED = 20_261

SECONDS = {"picture": 15.0, "clip": 10.0}
"""Processor time that one upload may take. Most take a thousandth of it."""
MEGABYTES = {"picture": 750.0, "clip": 300.0}
"""Memory on top of what the process has. The largest picture that is allowed has 64 million pixels,
held once by Pillow (4 bytes each, and 8 a row) and once as an array (3 bytes)."""
CRASHES_MAX = 5
RUN = (sys.executable, "-W", "ignore", "-m", "tests.corpus.run")


def tried(kind: Kind, folder: Path) -> list[dict[str, Any]]:
    """What came of every upload of a kind, in order; a crash of the process is an answer too."""
    out = folder / f"{kind}.jsonl"
    start, crashes = 0, 0
    while crashes < CRASHES_MAX:
        done = subprocess.run(
            [*RUN, kind, str(SEED), str(start), str(out)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            errors="replace",
        )
        if done.returncode == 0:
            break
        begun = [line["begun"] for line in _lines(out) if "begun" in line]
        assert begun, done.stderr
        crashes, start = crashes + 1, begun[-1] + 1
        crash = f"the process ended with {done.returncode}: {done.stderr[-1500:]}"
        with out.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps({"number": begun[-1], "crash": crash}) + "\n")
    made = {line["digest"] for line in _lines(out) if "digest" in line}
    assert made == {digest(corpus(SEED, kind))}, "another process makes the same uploads"
    return [line for line in _lines(out) if "number" in line]


def _lines(file: Path) -> list[dict[str, Any]]:
    if not file.exists():
        return []
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def complaints(upload: BadUpload, came: dict[str, Any]) -> list[str]:
    """What is wrong with the way in which an upload ended; nothing, if all is well."""
    if came["crash"]:
        return [came["crash"]]
    found = []
    if came["seconds"] > SECONDS[upload.kind]:
        found.append(f"took {came['seconds']:.1f} s")
    if came["megabytes"] > MEGABYTES[upload.kind]:
        found.append(f"took {came['megabytes']:.0f} MB")
    if came.get("left"):
        found.append(f"left {came['left']}")
    if "on page" in came:
        found += [f"on the page: {words}" for words in complaints(upload, came["on page"])]
        on_page = came["on page"]["sentence"]
        if came["sentence"] is None and on_page is not None:
            found.append(f"is refused on the page alone: {on_page!r}")
    sentence = came["sentence"]
    if sentence is not None:
        if not sentence.endswith(".") or len(sentence) > 400:
            found.append(f"is no short sentence: {sentence!r}")
        if any(unicodedata.category(sign)[0] == "C" for sign in sentence):
            found.append(f"has control characters in its sentence: {sentence!r}")
    return found


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("kind", "least", "worst", "results"),
    [("picture", 200, 40, (40, 160)), ("clip", 150, 10, (30, 120))],
)
def test_every_bad_upload_ends_in_a_result_or_in_one_sentence(
    kind: Kind, least: int, worst: int, results: tuple[int, int], tmp_path: Path
) -> None:
    uploads = corpus(SEED, kind)
    came = tried(kind, tmp_path)
    assert [line["number"] for line in came] == list(range(len(uploads)))
    assert len(uploads) >= least
    wrong = {
        f"{upload.kind} {line['number']}, {upload.fault}, {upload.name!r}": found
        for upload, line in zip(uploads, came, strict=True)
        if (found := complaints(upload, line))
    }
    assert not wrong
    assert sum("on page" in line for line in came) >= worst
    read = sum(line["sentence"] is None for line in came)
    assert results[0] <= read <= results[1], "some damage can be read past, and some cannot"


def test_every_kind_of_fault_is_there_and_the_seed_decides_all_of_it() -> None:
    both = corpus(1, "picture") + corpus(1, "clip")
    assert len(both) >= 300
    counted = Counter(upload.fault for upload in both)
    assert set(counted) == set(FAULTS)
    assert min(counted.values()) >= 10
    assert digest(both) != digest(corpus(2, "picture") + corpus(2, "clip"))


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_shown_without_folders_and_control_characters(name: str) -> None:
    shown = shown_name(name, "upload")
    assert 0 < len(shown) <= LONGEST_NAME
    assert not set("/\\") & set(shown)
    assert shown.strip(".")
    assert all(unicodedata.category(sign)[0] != "C" for sign in shown)
    place = (Path("/uploads") / shown).resolve()
    assert place.parent == Path("/uploads")
