"""What `audit`, `compare`, `teach`, `tune` and the views find and print."""

from __future__ import annotations

import json
import shlex
import sys
from dataclasses import fields, replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_core.emotions import CLASSES
from fer_core.errors import OptionError
from fer_core.model_store import ModelCard, load_card, model_folder, write_card
from train.audit import audit, audit_lines, exact_pairs, near_pairs, write_sheets
from train.augmentation import AugmentationOptions
from train.cli import _parser, main
from train.compare import compare
from train.data import FERPLUS_VOTES
from train.missing import SMALLEST_FIRST, missing_sentence
from train.options import TrainOptions
from train.seen import contact_sheet
from train.teachers import Taught
from train.tune import strengthened, tune
from train.views import views
from train.words import words_of

from .made import made_dataset, write_npz
from .tiny import QUICK, teacher_folder

ROOT = Path(__file__).resolve().parents[3]
NO_FACE = "not_a_face.png"

pytestmark = pytest.mark.usefixtures("tiny")


def portraits(count: int) -> np.ndarray:
    """Smooth images, as faces are: noise without its fine part."""
    import cv2

    random = np.random.default_rng(0)
    rough = random.integers(0, 256, (count, 6, 6)).astype(np.uint8)
    return np.stack([cv2.resize(image, (48, 48), interpolation=cv2.INTER_CUBIC) for image in rough])


def with_copies():
    """Training row 0 stands in PrivateTest, training rows 1 and 2 are one image under two labels,
    PublicTest 0 is a paler, noisy copy of training row 3."""
    dataset = made_dataset()
    images = portraits(126)
    parts = {}
    for name, split in dataset.splits.items():
        parts[name] = replace(split, images=images[split.rows].copy())
    training = parts["Training"].images
    training[2] = training[1]
    parts["PrivateTest"].images[4] = training[0]
    noise = np.random.default_rng(1).normal(0, 2, (48, 48))
    parts["PublicTest"].images[0] = np.clip(40 + 0.7 * training[3] + noise, 0, 255).astype(np.uint8)
    return replace(dataset, splits=parts)


def test_audit_finds_every_copy_that_was_made():
    found = json.loads(json.dumps(audit(with_copies())))
    assert found["classes"]["Training"]["happy"] == 12
    assert found["exact"]["pairs_by_splits"] == {
        "Training - Training": 1,
        "Training - PrivateTest": 1,
    }
    assert found["exact"]["images_that_repeat_another"] == 2
    assert found["near"]["pairs_by_splits"] == {"Training - PublicTest": 1}
    assert found["near"]["some_rows"] == [[3, 84]]
    assert found["training_rows_in_a_test_split"] == 1
    assert found["exact"]["pairs_with_different_labels"] == 2


def test_no_copy_is_found_where_there_is_none():
    images = portraits(60)
    assert exact_pairs(images) == []
    assert near_pairs(images) == []
    # An image without contrast is like no other.
    assert near_pairs(np.full((3, 48, 48), 9, np.uint8)) == []


def test_near_copies_within_a_split_are_found_too():
    dataset = with_copies()
    images = dataset.split("PrivateTest").images
    images[9] = np.clip(images[2] * 0.8 + 20, 0, 255).astype(np.uint8)
    near = audit(dataset)["near"]
    assert near["pairs_by_splits"] == {
        "Training - PublicTest": 1,
        "PrivateTest - PrivateTest": 1,
    }
    assert near["some_rows"] == [[3, 84], [105 + 2, 105 + 9]]
    assert near["images_that_repeat_another"] == 2


def without_faces():
    """FER+ calls training rows 5 and 8, and PublicTest 1, not a face."""
    dataset = made_dataset()
    for name, row in (("Training", 5), ("Training", 8), ("PublicTest", 1)):
        dataset.split(name).votes[row] = np.eye(len(FERPLUS_VOTES))[FERPLUS_VOTES.index("NF")] * 9
    return dataset


def test_what_is_no_face_is_counted_and_shown(tmp_path):
    dataset = without_faces()
    found = audit(dataset)
    assert found["not_a_face"] == {"Training": 2, "PublicTest": 1, "PrivateTest": 0}
    line = next(line for line in audit_lines(found) if line.startswith("not a face"))
    assert line.split()[3:] == ["2", "1", "0"]
    files = write_sheets(dataset, tmp_path)
    assert [file.name for file in files] == [*(f"{name}.png" for name in CLASSES), NO_FACE]
    sheet = cv2.imread(str(tmp_path / NO_FACE), cv2.IMREAD_GRAYSCALE)
    shown = dataset.split("Training").images[[5, 8]]
    assert any(
        np.array_equal(sheet, contact_sheet(some, columns=10)) for some in (shown, shown[::-1])
    )


def test_a_picture_of_each_class(tmp_path):
    files = write_sheets(made_dataset(), tmp_path)
    assert len(files) == 7, "nobody called an image no face"
    assert all(file.read_bytes().startswith(b"\x89PNG") for file in files)


def test_the_audit_command(tmp_path, capsys):
    data = str(write_npz(with_copies(), tmp_path / "fer2013.npz"))
    assert main(["audit", "--data", data, "--sheets", str(tmp_path / "sheets")]) == 0
    printed = capsys.readouterr().out
    assert "1 training rows stand in a test split too" in printed
    assert (tmp_path / "sheets" / "happy.png").is_file()
    inside = Path(__file__).parent / "sheets"
    assert main(["audit", "--data", data, "--sheets", str(inside)]) == 1
    assert "lies in the project" in capsys.readouterr().err
    assert not inside.exists()


def model(root: Path, name: str, architecture: str, private: float | None, **card: object) -> None:
    folder = root / name
    folder.mkdir(parents=True)
    write_card(ModelCard(name, architecture, 48, parameters=1_000_000, **card), folder)
    scored = {"PublicTest": {"accuracy": 0.6}}
    if private is not None:
        scored["PrivateTest"] = {
            "accuracy": private,
            "accuracy_interval": [private - 0.01, private + 0.01],
            "macro_f1": 0.5,
            "expected_calibration_error": 0.02,
            "macro_auc": 0.9,
            "corruption_mean": 0.4,
        }
    (folder / "evaluation.json").write_text(json.dumps(scored))


def test_compare_sets_ours_beside_theirs(tmp_path, capsys):
    model(tmp_path, "mine", "cnn48", 0.65)
    model(tmp_path, "three", "dcnn", 0.84, classes=("happy", "sad", "neutral"))
    model(tmp_path, "unscored", "base", None)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "card.json").write_text("{")
    model(tmp_path, "two", "dcnn", 0.9, classes=("happy", "sad"))
    rows, faults = compare(tmp_path)
    by_name = {row["model"]: row for row in rows}
    assert by_name["mine"]["difference"] == pytest.approx(1.6)
    assert by_name["three"]["to_beat"] == 83.0, "three classes are not compared with seven"
    assert by_name["three"]["difference"] == pytest.approx(1.0)
    assert by_name["three"]["note"].startswith("happy, sad, neutral alone. F1 to beat: happy 0.92")
    assert by_name["two"]["to_beat"] is None
    assert [row["classes"] for row in rows] == [7, 7, 3, 2]
    assert (by_name["mine"]["macro_auc"], by_name["mine"]["damaged"]) == (0.9, pytest.approx(40))
    assert by_name["unscored"]["damaged"] is None, "older evaluations have none"
    assert by_name["unscored"]["private"] is None
    assert len(faults) == 1
    assert main(["compare", "--models", str(tmp_path), "--markdown"]) == 0
    printed = capsys.readouterr()
    assert "| mine | cnn48 | 1.00 M |" in printed.out
    assert "broken" in printed.err
    assert main(["compare", "--models", str(tmp_path), "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 4


def test_compare_says_what_is_not_trained_yet(tmp_path, capsys):
    model(tmp_path, "mine", "cnn48", 0.65)
    model(tmp_path, "three", "dcnn", 0.84, classes=("happy", "sad", "neutral"))
    model(tmp_path, "unscored", "base", None)
    assert main(["compare", "--models", str(tmp_path)]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith(
        "Not trained yet: mini_xception, tiny48, base, compact48, wide48, plain48,"
    )
    assert main(["compare", "--models", str(tmp_path), "--missing"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(SMALLEST_FIRST) - 1 + 3
    assert not any("cnn48.json" in line for line in lines)
    for line in lines:
        words = shlex.split(line)
        assert words[:4] == ["python", "-m", "train", "fit"]
        parsed = _parser().parse_args(words[3:])
        options = TrainOptions.from_file(ROOT / parsed.config)
        assert options.architecture == parsed.out.name.removesuffix("_three")
        three = ("happy", "sad", "neutral") if parsed.out.name.endswith("_three") else ()
        assert options.classes == three, line
        taught_by = {load_card(model_folder(one)).classes for one in options.teachers}
        assert taught_by <= {options.class_names}, f"no teacher of other classes: {line}"
    folders = [line.split("/")[-1] for line in lines if "_three" in line]
    assert folders == ["vgg13_three", "resnet50_three", "vgg16_three"]
    everything = [{"architecture": name, "classes": 7, "private": 1.0} for name in SMALLEST_FIRST]
    everything += [row | {"classes": 3} for row in everything]
    assert missing_sentence(everything) == ""


def test_teach_writes_what_fit_takes(data, tmp_path, capsys):
    teacher = teacher_folder(tmp_path / "teacher", 1)
    out = tmp_path / "said.npz"
    words = ["teach", "--models", teacher, "--data", data, "--out", out]
    assert main([str(word) for word in words]) == 0
    assert "84 training images" in capsys.readouterr().out
    known = Taught.load(out)
    assert known.of(made_dataset().split("Training")).shape == (84, 7)


@pytest.mark.parametrize(("kind", "count"), [("off", 1), ("flip", 2), ("ten-crop", 10)])
def test_views(kind, count):
    images = portraits(3)
    seen = list(views(images, kind))
    assert len(seen) == count
    assert all(view.shape == images.shape and view.dtype == np.uint8 for view in seen)
    np.testing.assert_array_equal(seen[-1], seen[-2][:, :, ::-1] if count > 1 else images)
    assert len({view.tobytes() for view in seen}) == count


def test_three_classes_from_fit_to_ten_crops(data, config, tmp_path, capsys):
    out = tmp_path / "three"
    words = ["fit", "--data", data, "--out", out, "--config", config, "--epochs", 2]
    words += ["--classes", "happy,", "sad,neutral", "--augmentation", "flip=0.1", "zoom=0"]
    assert main([str(word) for word in words]) == 0
    kept = json.loads((out / "options.json").read_text())
    assert kept["classes"] == ["happy", "sad", "neutral"]
    assert kept["augmentation"]["flip"] == 0.1
    assert json.loads((out / "card.json").read_text())["classes"] == ["happy", "sad", "neutral"]
    capsys.readouterr()
    words = ["evaluate", "--model", out, "--data", data, "--tta", "ten-crop"]
    assert main([str(word) for word in words]) == 0
    scored = json.loads(capsys.readouterr().out)
    beside = scored.pop("test_time_augmentation")
    assert beside["views"] == "ten-crop"
    assert scored["images"] == beside["images"] == 9
    assert set(scored["per_class"]) == {"happy", "sad", "neutral"}
    assert scored["loss"] != beside["loss"]


@pytest.mark.parametrize("word", ["flip", "flip=much", "flop=1", "flip=2"])
def test_a_wrong_strength_is_one_sentence(tmp_path, capsys, word):
    words = ["fit", "--data", "x", "--out", str(tmp_path), "--augmentation", word]
    assert main(words) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_strength_scales_everything_but_the_mirror():
    usual = AugmentationOptions()
    double = strengthened(usual, 2.0)
    assert double.rotation == 2 * usual.rotation
    assert double.flip == usual.flip
    assert strengthened(usual, 0.0).zoom == 0


def test_tune_without_its_library_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(OptionError, match=r"pip install -r requirements-tune\.txt"):
        tune(made_dataset(), QUICK, tmp_path, trials=1)


def test_tune_writes_a_table_and_goes_on(tmp_path):
    pytest.importorskip("optuna")
    dataset, said = made_dataset(), []
    options = replace(QUICK, epochs=1)
    tune(dataset, options, tmp_path, trials=1, said=said.append)
    table = tune(dataset, options, tmp_path, trials=3, said=said.append)
    lines = table.read_text().splitlines()
    assert len(lines) == 4
    assert lines[0].startswith("trial,state,public_accuracy,epochs,seconds,")
    assert len(said) == 3, "the first trial was not made again"
    assert not list(tmp_path.glob("trial-*"))


def test_the_help_of_every_command_can_be_read(capsys):
    names = ("fit", "evaluate", "report", "card", "teach", "audit", "compare", "tune", "queue")
    for name in names:
        with pytest.raises(SystemExit) as ended:
            main([name, "--help"])
        assert ended.value.code == 0
        assert capsys.readouterr().out.startswith(f"usage: python -m train {name}")


def test_the_help_of_fit_says_what_each_option_does(capsys):
    words = words_of(TrainOptions)
    names = {item.name for item in fields(TrainOptions)}
    assert names <= set(words), "an option without a word in its docstring"
    assert words["plateau_patience"].startswith("epochs without a better PublicTest accuracy")
    assert words["plateau_patience"].endswith("0 switches it off.")
    with pytest.raises(SystemExit):
        main(["fit", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    for name in names - {"architecture", "augmentation"}:
        assert f"--{name.replace('_', '-')} " in shown.replace(",", " ")
        said = words[name].replace("`", "").rstrip(".")
        # The help breaks lines at hyphens too.
        assert said.replace(" ", "") in shown.replace(" ", ""), name


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["fit", "--data", "x", "--out", "y", "--bogus", "3"], "unrecognized arguments: --bogus 3"),
        (["fit", "--data", "x", "--out", "y", "--optimiser", "adamax"], "invalid choice: 'adamax'"),
        (["fit", "--data", "x", "--out", "y", "--epochs", "ten"], "invalid int value: 'ten'"),
        ([], "the following arguments are required: COMMAND"),
    ],
)
def test_wrong_usage_is_one_sentence(capsys, words, sentence):
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.startswith("error: ")
    assert said.count("\n") == 1
    assert "--help`." in said
