"""The frame benchmark prints what it says it prints."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import frame
from benchmarks.clip import face_clip


@pytest.mark.parametrize("faces", [1, 3, 8])
def test_the_clip_moves_and_has_its_size(faces: int) -> None:
    pictures = [picture for _, picture in face_clip(320, 240, faces, 3)]
    assert {picture.shape for picture in pictures} == {(240, 320, 3)}
    assert (pictures[0] != pictures[2]).any()
    assert [seconds for seconds, _ in face_clip(320, 240, 1, 3)] == [0, 1 / 30, 2 / 30]


def test_json_has_every_stage_of_every_detector(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--frames", "5", "--detectors", "blazeface", "haar", "--runtime", "litert"]
    assert frame.main([*arguments, "--json", "--no-results"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["size"] == [640, 480]
    assert "threads" in report["runtime"] or "thread" in report["runtime"]
    assert set(report["detectors"]) == {"blazeface", "haar"}
    for figures in report["detectors"].values():
        assert figures["faces_found_share"] == 1.0
        stages = figures["milliseconds"]
        assert tuple(stages) == frame.STAGES
        assert all(0 < stage["median"] <= stage["p95"] for stage in stages.values())
        assert stages["total"]["median"] > stages["detect"]["median"]


def test_the_table_names_machine_versions_and_stages(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--frames", "3", "--detectors", "blazeface", "--size", "320x240", "--faces", "2"]
    assert frame.main([*arguments, "--runtime", "litert", "--bars", "--no-results"]) == 0
    text = capsys.readouterr().out
    for word in ("cores", "python 3.", "320x240, 2 face(s)", "median / p95", *frame.STAGES):
        assert word in text


def test_another_model_has_a_section_of_its_own(tmp_path: Path) -> None:
    results = tmp_path / "RESULTS.md"
    usual = ["--frames", "2", "--detectors", "haar", "--size", "320x240", "--results", str(results)]
    assert frame.main(usual) == 0
    assert frame.main([*usual, "--model", "tiny48"]) == 0
    headings = [line for line in results.read_text().splitlines() if line.startswith("## ")]
    assert headings == ["## frame: 320x240, 1 face", "## frame: 320x240, 1 face, tiny48"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--size", "640"], "--size must be WIDTHxHEIGHT"),
        (["--frames", "0"], "must be at least 1"),
        (["--detectors", "hog"], "Unknown detector. Received: 'hog'"),
        (["--model", "nowhere"], "no model called 'nowhere'"),
    ],
)
def test_bad_options_are_said(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert frame.main([*arguments, "--no-results"]) == 2
    assert sentence in capsys.readouterr().err
