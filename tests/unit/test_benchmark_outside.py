"""The benchmark on photos and clips that were never in FER2013, as far as it goes with one face."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from benchmarks import outside
from benchmarks.clip import face_clip
from benchmarks.peers import worker
from benchmarks.peers.environments import PeerError
from fer_core.model_store import default_model_name


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("happy_face_1.jpg", "happy"),
        ("Sadness/IMG-0001.PNG", "sad"),
        ("surprised/old/01.mp4", "surprise"),
        ("happy/afraid.jpg", "fear"),
        ("happy_or_sad.jpg", None),
        ("happy/happy_or_sad.jpg", None),
        ("unhappy.jpg", None),
        ("0001.jpg", None),
    ],
)
def test_the_nearest_name_is_the_label(name: str, label: str | None) -> None:
    assert outside.label_of(Path("/some/sad/place") / name, Path("/some/sad/place")) == label


SMALL, LARGE = [0, 0, 10, 10], [20, 20, 60, 60]


@pytest.mark.parametrize(
    ("frames", "answer"),
    [
        ([], None),
        ([[], []], None),
        ([[[*SMALL, "sad"], [*LARGE, "happy"]]], "happy"),
        ([[[*LARGE, "sad"]], [], [[*LARGE, "fear"]], [[*LARGE, "fear"]]], "fear"),
    ],
)
def test_the_answer_is_of_the_largest_face_in_most_frames(frames: Any, answer: str | None) -> None:
    assert outside.answer_of(frames) == answer


@pytest.mark.parametrize(
    ("one", "other", "chance"),
    [(0, 0, 1.0), (3, 3, 1.0), (5, 0, 0.0625), (9, 1, 0.0215), (1500, 900, 0.0)],
)
def test_the_sign_test_is_that_of_the_books(one: int, other: int, chance: float) -> None:
    assert outside._sign_test(one, other) == pytest.approx(chance, abs=1e-4)
    assert outside._sign_test(other, one) == outside._sign_test(one, other)


@pytest.fixture
def photos(astronaut: np.ndarray, tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    (folder / "sad").mkdir(parents=True)
    cv2.imwrite(str(folder / "happy.png"), astronaut[:, :, ::-1])
    cv2.imwrite(str(folder / "sad" / "grey.png"), np.full((90, 90, 3), 128, np.uint8))
    cv2.imwrite(str(folder / "somebody.png"), astronaut)
    clip = cv2.VideoWriter(
        str(folder / "happiness.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (320, 240)
    )
    for _, picture in face_clip(320, 240, 1, 12):
        clip.write(np.ascontiguousarray(picture[:, :, ::-1]))
    clip.release()
    return folder


def _theirs(venvs: Path, kind: str, arrays: list[Path]) -> list[str | None]:
    if kind == "fer-mtcnn":
        raise PeerError("pip cannot install fer: no network")
    return ["sad"] * len(arrays)


def test_pictures_and_clips_are_scored(
    photos: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(outside, "_theirs", _theirs)
    model = default_model_name()
    asked = ["--photos", str(photos), "--models", model, "--no-results"]
    assert outside.main([*asked, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["files"], report["unlabelled"]) == (3, 1)
    assert report["labels"] == {"happy": 2, "sad": 1}
    mine, theirs = report["rows"][model], report["rows"]["fer, its default (Haar)"]
    assert (mine["right"], mine["no_face"], mine["by_class"]) == (2, 1, {"happy": 2, "sad": 0})
    assert (theirs["right"], theirs["no_face"]) == (1, 0)
    assert report["pairs"] == [
        {
            "one": model,
            "other": "fer, its default (Haar)",
            "only_one": 2,
            "only_other": 1,
            "chance": 1.0,
        }
    ]
    assert report["missing"] == {"fer, MTCNN": "pip cannot install fer: no network"}
    assert outside.main(asked) == 0
    shown = capsys.readouterr().out
    assert "3 pictures and clips: 2 happy, 1 sad" in shown
    assert "did not run: pip cannot install fer: no network" in shown


def test_a_clip_is_looked_at_five_times_a_second(photos: Path) -> None:
    assert len(list(outside.frames_of(photos / "happiness.avi"))) == 6


def test_this_project_names_the_face_as_the_worker_does(photos: Path, tmp_path: Path) -> None:
    file = tmp_path / "frames.npy"
    np.save(file, np.stack(list(outside.frames_of(photos / "happy.png"))))
    found = worker._answer(worker.FerLive(stream=False), {"do": "faces", "file": str(file)})
    assert outside.answer_of(found["faces"]) == "happy"


def test_a_folder_without_labels_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert outside.main(["--photos", str(tmp_path), "--no-results"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "no picture or clip with one of angry, disgust" in said
