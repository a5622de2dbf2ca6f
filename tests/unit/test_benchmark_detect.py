"""The benchmark of finding and cropping, on a public-domain face in place of FER2013's."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import detect_then_classify as bench


def test_the_table_adds_up(
    face_crop: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    count = 8
    file = tmp_path / "fer2013.npz"
    np.savez(
        file,
        images=np.stack([face_crop] * (2 * count)),
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
    plain = next(row for row in rows if row["crop"]["margin"] == 0 and row["crop"]["tilt"])
    assert plain["ready_made"] == 1.0
    assert plain["cropped"] >= 0.8


def test_a_wrong_file_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        bench.main(["--data", str(tmp_path / "none.npz")])
    assert left.value.code == 1
    assert "There is no data set at" in capsys.readouterr().err
