"""The benchmark of finding and cropping, on a public-domain face in place of FER2013's."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks import detect_then_classify as bench
from fer_core.crops import grey_of

FACE = (170, 65, 280, 175)
"""Left, top, right and bottom of the tight face box of scikit-image's astronaut."""


@pytest.fixture
def face(astronaut: np.ndarray) -> np.ndarray:
    left, top, right, bottom = FACE
    grey = grey_of(astronaut)[top:bottom, left:right]
    return cv2.resize(grey, (48, 48), interpolation=cv2.INTER_AREA)


def test_a_scene_shows_the_image_in_its_box(face: np.ndarray) -> None:
    random = np.random.default_rng(3)
    for _ in range(20):
        picture, box = bench.scene_with(face, random)
        assert picture.shape == (480, 640, 3)
        assert 0 <= box.x0 < box.x1 <= 640
        assert 0 <= box.y0 < box.y1 <= 480
        x0, y0, x1, y1 = (round(value) for value in (box.x0, box.y0, box.x1, box.y1))
        back = cv2.resize(picture[y0:y1, x0:x1, 0], (48, 48), interpolation=cv2.INTER_AREA)
        assert np.abs(back.astype(int) - face).mean() < 4


def test_the_table_adds_up(
    face: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    count = 8
    file = tmp_path / "fer2013.npz"
    np.savez(
        file,
        images=np.stack([face] * (2 * count)),
        emotion=np.full(2 * count, 3),
        usage=np.array(["Training"] * count + ["PublicTest"] * count),
    )
    arguments = ["--data", str(file), "--detector", "blazeface", "--json", "--sweep"]
    assert bench.main(arguments) == 0
    rows = json.loads(capsys.readouterr().out)
    assert len(rows) == len(bench.EYES) * len(bench.MARGINS)
    for row in rows:
        assert row["images"] == count
        assert row["found"] >= 0.75
        assert row["lost"] == pytest.approx(100 * (row["ready_made"] - row["cropped"]))
    # The astronaut smiles, and so must most of her crops.
    plain = next(row for row in rows if row["margin"] == 0 and row["tilt"])
    assert plain["ready_made"] == 1.0
    assert plain["cropped"] >= 0.8


def test_a_scene_shown_again_is_looked_at_where_the_face_was(face: np.ndarray) -> None:
    images = np.stack([face] * 8)
    first, again = (
        list(bench.look("blazeface", images, follow=follow)) for follow in (False, True)
    )
    assert all((one[0] == two[0]).all() for one, two in zip(first, again, strict=True))
    pairs = zip(first, again, strict=True)
    both = [(one[1], two[1]) for one, two in pairs if one[1] and two[1]]
    assert len(both) >= 6
    assert all(one.box.iou(two.box) > 0.5 for one, two in both)
    assert any(one.box != two.box for one, two in both), "a far face is looked at closely"


def test_a_wrong_file_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        bench.main(["--data", str(tmp_path / "none.npz")])
    assert left.value.code == 1
    assert "There is no data set at" in capsys.readouterr().err
