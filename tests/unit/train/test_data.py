from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fer_core.emotions import CLASSES
from fer_core.errors import DatasetError
from train.data import FERPLUS_VOTES, SPLITS, Split, load_dataset

from .made import made_dataset, mixed_dataset, write_csv, write_folders, write_npz, write_votes

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "fer-live"


def _sorted(split: Split) -> list[tuple[int, bytes]]:
    return sorted((int(k), i.tobytes()) for k, i in zip(split.labels, split.images, strict=True))


@pytest.mark.parametrize(
    ("layout", "write", "name"),
    [
        ("csv", write_csv, "fer2013.csv"),
        ("npz", write_npz, "fer2013.npz"),
        ("folders", write_folders, "fer2013"),
    ],
)
@pytest.mark.parametrize("inside", [False, True], ids=["itself", "folder around it"])
def test_every_layout_gives_the_same_images(tmp_path, layout, write, name, inside):
    made = made_dataset()
    path = write(made, tmp_path / "around" / name if (tmp_path / "around").mkdir() is None else "")
    loaded = load_dataset(path.parent if inside else path)
    assert loaded.layout == layout
    assert set(loaded.splits) == set(SPLITS)
    for split in SPLITS:
        assert _sorted(loaded.split(split)) == _sorted(made.split(split))


def test_csv_comes_from_the_cache_until_it_changes(tmp_path, own_cache, monkeypatch):
    made = mixed_dataset()
    file = write_csv(made, tmp_path / "fer2013.csv")
    first = load_dataset(file)
    assert len(list(own_cache.glob("*.npz"))) == 1
    with monkeypatch.context() as patched:
        patched.setattr("fer_core.fer2013.load.read_csv", lambda file: pytest.fail("read again"))
        again = load_dataset(file)
    assert again.layout == "csv"
    assert again.notes == first.notes
    for split in SPLITS:
        np.testing.assert_array_equal(first.split(split).images, again.split(split).images)
        np.testing.assert_array_equal(first.split(split).rows, again.split(split).rows)
    write_csv(made_dataset(seed=1), file)
    changed = load_dataset(file)
    assert (changed.split("Training").images != first.split("Training").images).any()


def test_a_damaged_cache_is_no_error(tmp_path, own_cache):
    file = write_csv(made_dataset(), tmp_path / "fer2013.csv")
    load_dataset(file)
    next(own_cache.glob("*.npz")).write_bytes(b"cut off")
    assert len(load_dataset(file).split("Training")) == 84


def test_votes_are_joined_by_row(tmp_path):
    made = mixed_dataset()
    file = write_csv(made, tmp_path / "fer2013.csv")
    loaded = load_dataset(file, write_votes(made, tmp_path / "fer2013new.csv"))
    for split in SPLITS:
        np.testing.assert_array_equal(loaded.split(split).images, made.split(split).images)
        np.testing.assert_array_equal(loaded.split(split).votes, made.split(split).votes)


def test_folders_without_a_validation_split_hold_out_a_tenth(tmp_path):
    folder = write_folders(made_dataset(), tmp_path / "fer2013")
    for file in folder.rglob("P*Test_*.png"):
        file.rename(file.with_name("im" + file.name.split("_")[1]))
    loaded = load_dataset(folder)
    assert {name: len(part) for name, part in loaded.splits.items()} == {
        "Training": 76,
        "PublicTest": 8,
        "PrivateTest": 42,
    }
    assert "stands in for PublicTest" in loaded.notes[0]


def _renamed(folder: Path, side: str) -> None:
    """Other names than those of FER2013 for the files of one side."""
    for file in (folder / side).rglob("*.png"):
        file.rename(file.with_name("im" + file.name.split("_")[1]))


@pytest.mark.parametrize(
    ("sides", "renamed", "counts"),
    [
        ({"validation"}, set(), {"Training": 84, "PublicTest": 21, "PrivateTest": 21}),
        ({"validation"}, {"validation"}, {"Training": 84, "PublicTest": 42}),
        ({"validation", "test"}, set(), {"Training": 84, "PublicTest": 63, "PrivateTest": 21}),
        ({"validation", "test"}, {"test"}, {"Training": 84, "PublicTest": 42, "PrivateTest": 42}),
    ],
    ids=["named", "of other names", "beside test", "beside a test of other names"],
)
def test_a_validation_folder_is_public_test_unless_its_names_tell(tmp_path, sides, renamed, counts):
    folder = write_folders(made_dataset(), tmp_path / "fer2013")
    shutil.copytree(folder / "test", folder / "validation")
    if "test" not in sides:
        shutil.rmtree(folder / "test")
    for side in renamed:
        _renamed(folder, side)
    loaded = load_dataset(folder)
    assert {name: len(part) for name, part in loaded.splits.items()} == counts
    assert any("no test split" in note for note in loaded.notes) == ("PrivateTest" not in counts)
    if "PrivateTest" not in counts:
        with pytest.raises(
            DatasetError, match=r"no images of the split 'PrivateTest'\. It has: Tra"
        ):
            loaded.split("PrivateTest")


@pytest.mark.parametrize(
    ("rows", "note"),
    [
        ((28_709, 3_589, 3_589), None),
        ((28_709, 3_589, 3_588), "PrivateTest 3,588 in place of 28,709, 3,589, 3,589"),
        ((20_000, 0, 0), "Training 20,000, PublicTest 0, PrivateTest 0 in place of 28,709"),
    ],
)
def test_other_counts_than_those_of_fer2013_are_told_of(tmp_path, rows, note):
    count = sum(rows)
    file = tmp_path / "fer2013.npz"
    images = np.zeros((count, 48, 48), np.uint8)
    labels = np.zeros(count, np.int64)
    np.savez_compressed(file, images=images, emotion=labels, usage=np.repeat(SPLITS, rows))
    notes = load_dataset(file).notes
    assert len(notes) == (note is not None)
    assert note is None or note in notes[0]


def test_a_csv_that_was_cut_off_between_two_rows_is_told_of(tmp_path):
    file = write_csv(made_dataset(), tmp_path / "fer2013.csv")
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:101]))
    for where in ("file", "cache"):
        notes = load_dataset(file).notes
        assert len(notes) == 1, where
        assert "Training 84, PublicTest 16, PrivateTest 0 in place of 28,709" in notes[0], where


def _row(emotion: object, pixels: str, usage: str = "Training") -> str:
    return f"emotion,pixels,Usage\n{emotion},{pixels},{usage}\n"


FULL = " ".join(["7"] * 2304)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("emotion,Usage\n0,Training\n", "lacks the column pixels"),
        ("", "cannot be read as a csv"),
        (_row(0, "1 2 3"), r"line 2: 3 pixels instead of 2,304 \(48 x 48\)\. Copy the"),
        (_row(0, FULL + " 1"), "2,305 pixels"),
        (_row(0, FULL.replace("7", "x", 1)), "not numbers"),
        (_row(0, ""), "not numbers"),
        (_row(0, FULL.replace("7", "256", 1)), "outside 0 to 255"),
        (_row(0, FULL.replace("7", "-1", 1)), "outside 0 to 255"),
        (_row(7, FULL), "unknown class. Received: 7"),
        (_row("99999999999999999999", FULL), "unknown class"),
        (_row("inf", FULL), "unknown class"),
        (_row("joy", FULL), "unknown class. Received: 'joy'"),
        (_row(1.5, FULL), "unknown class. Received: 1.5"),
        (_row("", FULL), "unknown class"),
        (_row(0, FULL, "Train"), "unknown Usage: Train"),
        (_row(0, FULL, "PublicTest"), "no rows of the split Training"),
    ],
)
def test_a_bad_csv_is_one_sentence(tmp_path, text, sentence):
    file = tmp_path / "fer2013.csv"
    file.write_text(text)
    with pytest.raises(DatasetError, match=sentence):
        load_dataset(file)


def test_what_is_wrong_with_the_data_is_said_before_tensorflow_is_brought(tmp_path):
    code = (
        "import sys\nfrom train.cli import main\n"
        "code = main(sys.argv[1:])\n"
        "print(code, [m for m in ('tensorflow', 'keras') if m in sys.modules])"
    )
    command = [sys.executable, "-W", "ignore", "-c", code]
    command += ["fit", "--data", str(tmp_path / "nothing"), "--out", str(tmp_path / "run")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "1 []"
    assert done.stderr.startswith("error: There is no data set at")


def test_bad_arrays(tmp_path):
    file = tmp_path / "fer2013.npz"
    images = np.zeros((2, 48, 48), np.uint8)
    cases = [
        ({"images": images, "usage": ["Training"] * 2}, "lacks the array emotion"),
        (
            {"images": images[:, :40], "emotion": [0, 1], "usage": ["Training"] * 2},
            "uint8 .N, 48, 48",
        ),
        ({"images": images / 2, "emotion": [0, 1], "usage": ["Training"] * 2}, "uint8 .N, 48, 48"),
        ({"images": images, "emotion": [0], "usage": ["Training"] * 2}, "1 rows of emotion"),
        ({"images": images, "emotion": [0, 9], "usage": ["Training"] * 2}, "unknown class"),
    ]
    for arrays, sentence in cases:
        np.savez(file, **arrays)
        with pytest.raises(DatasetError, match=sentence):
            load_dataset(file)
    file.write_bytes(b"not a zip")
    with pytest.raises(DatasetError, match=r"cannot be read as an \.npz"):
        load_dataset(file)


def test_bad_folders(tmp_path):
    (tmp_path / "alone" / "train").mkdir(parents=True)
    with pytest.raises(DatasetError, match=r"train/ and validation/\. It has: train/"):
        load_dataset(tmp_path / "alone")
    folder = write_folders(made_dataset(), tmp_path / "fer2013")
    odd = folder / "train" / "bored"
    odd.mkdir()
    with pytest.raises(DatasetError, match="not one of the seven classes"):
        load_dataset(folder)
    odd.rmdir()
    file = next((folder / "train" / "happy").iterdir())
    file.write_bytes(b"text")
    with pytest.raises(DatasetError, match="not a picture"):
        load_dataset(folder)


@pytest.mark.parametrize("name", ["nothing", "notes.txt", "empty"])
def test_no_data_set(tmp_path, name):
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match=r"Expected fer2013\.csv"):
        load_dataset(tmp_path / name)


def test_bad_votes(tmp_path):
    made = made_dataset()
    file = write_csv(made, tmp_path / "fer2013.csv")
    votes = write_votes(made, tmp_path / "fer2013new.csv")
    lines = votes.read_text().splitlines()
    votes.write_text("\n".join(lines[:-1]))
    with pytest.raises(DatasetError, match="row for row"):
        load_dataset(file, votes)
    votes.write_text("\n".join([lines[0].replace("NF", "XX"), *lines[1:]]))
    with pytest.raises(DatasetError, match="lacks the columns NF"):
        load_dataset(file, votes)
    with pytest.raises(DatasetError, match="do not keep the rows"):
        load_dataset(write_folders(made, tmp_path / "f"), votes)


def test_vote_shares_and_faces():
    votes = np.zeros((3, len(FERPLUS_VOTES)), np.float32)
    votes[0, [0, 1]] = [3, 1]  # neutral, happiness
    votes[1, FERPLUS_VOTES.index("NF")] = 10
    votes[2, FERPLUS_VOTES.index("contempt")] = 4
    split = Split(np.zeros((3, 48, 48), np.uint8), np.array([4, 0, 1]), np.arange(3), votes)
    shares = split.vote_shares()
    assert shares[0, CLASSES.index("neutral")] == pytest.approx(0.75)
    assert shares[0, CLASSES.index("happy")] == pytest.approx(0.25)
    np.testing.assert_array_equal(shares[1:].argmax(axis=1), [0, 1])
    np.testing.assert_array_equal(split.not_a_face(), [False, True, False])
    np.testing.assert_allclose(shares.sum(axis=1), 1)
