"""The command as a user types it: in a process of its own, with real pictures."""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fer_core import cli
from fer_core.emotions import CLASSES, UNCERTAIN


def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fer_core", *map(str, arguments)],
        env={**os.environ, "CUDA_VISIBLE_DEVICES": "-1", **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def photo(astronaut: np.ndarray, tmp_path: Path) -> Path:
    file = tmp_path / "portrait.jpg"
    Image.fromarray(astronaut).save(file, quality=95)
    return file


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    file = tmp_path / "empty.png"
    Image.new("RGB", (320, 240), (90, 90, 90)).save(file)
    return file


@pytest.fixture
def no_picture(tmp_path: Path) -> Path:
    file = tmp_path / "notes.png"
    file.write_text("not a picture")
    return file


def test_faces_are_printed_as_one_json_document(photo: Path, empty: Path) -> None:
    done = run("analyze", photo, empty)
    assert (done.returncode, done.stderr) == (0, "")
    first, second = json.loads(done.stdout)
    assert (first["picture"], first["width"], first["height"]) == (str(photo), 512, 512)
    (face,) = first["faces"]
    x0, y0, x1, y1 = face["box"]
    assert x0 < 226 < x1
    assert y0 < 122 < y1
    assert face["label"] in (*CLASSES, UNCERTAIN)
    assert list(face["probabilities"]) == list(CLASSES)
    assert sum(face["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert face["confidence"] == max(face["probabilities"].values())
    assert second["faces"] == []


def test_one_bad_picture_does_not_lose_the_others(
    photo: Path, no_picture: Path, tmp_path: Path
) -> None:
    missing, hollow = tmp_path / "nowhere.jpg", tmp_path / "hollow"
    hollow.mkdir()
    done = run("analyze", no_picture, photo, missing, hollow)
    assert done.returncode == 1
    entries = json.loads(done.stdout)
    assert [sorted(entry) for entry in entries[0::2]] == [["error", "picture"]] * 2
    assert len(entries[1]["faces"]) == 1
    lines = done.stderr.splitlines()
    assert lines == [entries[index]["error"] for index in (0, 2, 3)]
    assert "notes.png" in lines[0]
    assert "nowhere.jpg" in lines[1]


def test_annotated_pictures_are_written_whole(
    photo: Path, empty: Path, astronaut: np.ndarray, tmp_path: Path
) -> None:
    folder = tmp_path / "made" / "for it"
    other = tmp_path / "other"
    other.mkdir()
    twin = other / photo.name
    twin.write_bytes(photo.read_bytes())
    done = run("analyze", photo, empty, twin, "--annotate", folder, "--bars")
    assert (done.returncode, done.stderr) == (0, "")
    names = ["portrait-annotated.jpg", "empty-annotated.png", "portrait-annotated-2.jpg"]
    assert [Path(entry["annotated"]).name for entry in json.loads(done.stdout)] == names
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)
    drawn = np.asarray(Image.open(folder / names[0]), int)
    assert drawn.shape == astronaut.shape
    difference = np.abs(drawn - astronaut).max(axis=2) > 60
    # Around the face, and not in the lower half of the picture.
    assert difference[:256].mean() > 0.02
    assert difference[300:].mean() < 0.001
    assert np.asarray(Image.open(photo)).shape == (512, 512, 3)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "The following arguments are required: COMMAND. See `python -m fer_core --help`."),
        (["analyze"], "The following arguments are required: PATH."),
        (["analyse", "x.png"], "invalid choice: 'analyse'"),
        (["analyze", "x.png", "--detector", "hog"], "invalid choice: 'hog'"),
        (["analyze", "x.png", "--runtime", "onnx"], "invalid choice: 'onnx'"),
        (["analyze", "x.png", "--min-confidence", "2"], "from 0 to 1. Received: 2.0."),
        (["analyze", "x.png", "--min-confidence", "much"], "invalid float value: 'much'"),
        (["analyze", "x.png", "--threads", "0"], "threads must be at least 1. Received: 0."),
        (["analyze", "x.png", "--model", "nowhere"], "There is no model called 'nowhere'."),
        (["analyze", "x.png", "--annotate", "/dev/null/x"], "for --annotate cannot be made"),
    ],
)
def test_a_command_that_cannot_be_carried_out(
    arguments: list[str], sentence: str, capfd: pytest.CaptureFixture[str]
) -> None:
    try:
        code: object = cli.main(arguments)
    except SystemExit as leaving:
        code = leaving.code
    assert code == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert sentence in err
    assert len(err.splitlines()) == 1


def test_pretty_prints_the_same_document_indented(
    photo: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["analyze", str(photo), str(photo), "--pretty", "--runtime", "litert"]) == 0
    text = capfd.readouterr().out
    assert [entry["picture"] for entry in json.loads(text)] == [str(photo)] * 2
    assert '\n    "width": 512' in text


def test_under_the_threshold_the_label_is_uncertain(
    photo: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["analyze", str(photo), "--min-confidence", "1", "--runtime", "litert"]) == 0
    (entry,) = json.loads(capfd.readouterr().out)
    face = entry["faces"][0]
    assert face["label"] == UNCERTAIN or face["confidence"] == 1.0


def test_a_full_folder_is_said_and_leaves_nothing_half(
    photo: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "out"
    # A folder where the picture should go: it cannot be moved into place.
    (folder / "portrait-annotated.jpg").mkdir(parents=True)
    assert cli.main(["analyze", str(photo), "--annotate", str(folder)]) == 1
    out, err = capfd.readouterr()
    assert "cannot be written" in json.loads(out)[0]["error"]
    assert "Choose another folder." in err
    assert [path.name for path in folder.iterdir()] == ["portrait-annotated.jpg"]


def test_a_reader_that_leaves_early_gets_no_traceback(photo: Path) -> None:
    command = [sys.executable, "-m", "fer_core", "analyze", *[str(photo)] * 3]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    errors = process.stderr.read()
    process.stderr.close()
    assert process.wait(60) == 1
    assert errors == ""


ANALYSIS = ("--detector", "--small-faces", "--model NAME", "--runtime", "--threads N")
HELP = {
    "": ("analyze", "camera", "models", "--version"),
    "analyze": (*ANALYSIS, "PATH", "--csv FILE", "--annotate DIR", "--pretty", "--verbose"),
    "analyze --ray": ("--ray [ADDRESS]", "--out DIR", "--workers N"),
    "camera": (*ANALYSIS, "--device N", "--size WxH", "--mirror", "--record FILE", "--seconds S"),
    "models": ("list", "show", "verify"),
    "models list": ("--json",),
    "models show": ("NAME", "--json"),
    "models verify": ("NAME", "--json"),
}
"""What stands at the beginning of a line, among others."""


@pytest.mark.parametrize("words", HELP)
def test_help_names_what_there_is(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([*words.split(), "--help"])
    assert ended.value.code == 0
    text, errors = capsys.readouterr()
    assert errors == ""
    assert text.startswith(f"usage: python -m fer_core {words.removesuffix(' --ray')}".rstrip())
    for item in HELP[words]:
        assert re.search(rf"^ +{re.escape(item)}\s", text, re.MULTILINE), item
    assert ("exit codes: 0" in text) == (words != "")


def actions_in(parser: argparse.ArgumentParser, words: str = "") -> dict[str, list[Any]]:
    """What each command takes, by its words."""
    found: dict[str, list[Any]] = {words: parser._actions}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, inside in action.choices.items():
                found.update(actions_in(inside, f"{words} {word}".strip()))
    return found


def test_no_command_and_no_option_is_without_help() -> None:
    found = actions_in(cli._parser())
    assert set(found) == {words.removesuffix(" --ray") for words in HELP}
    for words, actions in found.items():
        for action in actions:
            named = action.help or isinstance(action, argparse._SubParsersAction)
            assert named, (words, action.dest)


def test_the_version_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("fer-live")
