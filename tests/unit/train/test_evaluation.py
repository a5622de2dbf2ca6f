"""What `evaluation.json` holds: curves, reliability, mistakes, damaged images; and `report`."""

from __future__ import annotations

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.data import astronaut

from fer_core.emotions import CLASSES
from fer_core.errors import ModelError
from fer_core.model_store import load_card, write_card
from train.cli import main
from train.corruptions import CORRUPTIONS, corrupted, corruption_figures
from train.curves import POINTS, macro_auc, precision_recall_curves, roc_curves
from train.data import Dataset, Split
from train.evaluate import evaluate_folder
from train.evaluation import (
    Calibration,
    calibrated_on,
    evaluate_split,
    evaluate_splits,
    evaluation_text,
)
from train.metrics import calibration_error, reliability_bins
from train.mistakes import LISTED, confident_mistakes
from train.report import report_folder
from train.run import train_and_ship

from .made import made_dataset
from .tiny import QUICK, teacher_folder

TWO = ("yes", "no")
FOUR = np.zeros((4, 48, 48), np.uint8)


def two_columns(scores: list[float]) -> np.ndarray:
    first = np.array(scores)
    return np.stack([first, 1 - first], axis=1)


@pytest.mark.parametrize(
    ("scores", "labels", "auc", "average"),
    [
        ([0.9, 0.8, 0.2, 0.1], [0, 0, 1, 1], 1.0, 1.0),
        ([0.9, 0.8, 0.2, 0.1], [1, 1, 0, 0], 0.0, (1 / 3 + 2 / 4) / 2),
        ([0.9, 0.8, 0.7, 0.6], [0, 1, 0, 1], 0.75, (1 + 2 / 3) / 2),
        ([0.5, 0.5, 0.5, 0.5], [0, 1, 0, 1], 0.5, 0.5),
    ],
    ids=["apart", "upside down", "mixed", "all alike"],
)
def test_areas_of_known_curves(scores, labels, auc, average):
    probabilities, truth = two_columns(scores), np.array(labels)
    assert roc_curves(probabilities, truth, TWO)["yes"]["auc"] == pytest.approx(auc, abs=1e-4)
    found = precision_recall_curves(probabilities, truth, TWO)["yes"]
    assert found["average_precision"] == pytest.approx(average, abs=1e-4)


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=60))
def test_the_area_is_the_chance_of_the_right_order(pairs):
    """Mann and Whitney (1947): ties count by half."""
    scores = np.array([score / 5 for score, _ in pairs])
    truth = np.array([0 if positive else 1 for _, positive in pairs])
    curves = roc_curves(two_columns(scores.tolist()), truth, TWO)
    own, other = scores[truth == 0], scores[truth == 1]
    if len(own) == 0 or len(other) == 0:
        assert curves == {}
        assert macro_auc(curves) is None
        return
    wins = (own[:, None] > other).mean() + 0.5 * (own[:, None] == other).mean()
    assert curves["yes"]["auc"] == pytest.approx(wins, abs=1e-4)
    for name in ("false_positive_rate", "true_positive_rate"):
        points = curves["yes"][name]
        assert points == sorted(points)
        assert (points[0], points[-1]) == (0.0, 1.0)


def drawn(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities whose truth is drawn from them."""
    random = np.random.default_rng(0)
    honest = random.dirichlet(np.full(7, 0.5), count)
    labels = np.array([random.choice(7, p=row) for row in honest])
    return honest, labels


def test_long_curves_are_thinned_and_keep_their_form():
    probabilities, labels = drawn(3000)
    for curves, across, up in (
        (roc_curves(probabilities, labels, CLASSES), "false_positive_rate", "true_positive_rate"),
        (precision_recall_curves(probabilities, labels, CLASSES), "recall", "precision"),
    ):
        assert set(curves) == set(CLASSES)
        for curve in curves.values():
            assert 50 < len(curve[across]) == len(curve[up]) <= POINTS
            assert curve[across][-1] == 1.0
    for curve in roc_curves(probabilities, labels, CLASSES).values():
        area = np.trapezoid(curve["true_positive_rate"], curve["false_positive_rate"])
        assert area == pytest.approx(curve["auc"], abs=5e-3), "what is drawn is what is said"


def test_a_class_without_an_image_has_no_curve():
    probabilities, labels = drawn(200)
    labels[labels == 1] = 0
    assert "disgust" not in roc_curves(probabilities, labels, CLASSES)
    assert "disgust" not in precision_recall_curves(probabilities, labels, CLASSES)


def test_reliability_bins_hold_every_image_once():
    probabilities, labels = drawn(5000)
    rows = reliability_bins(probabilities, labels)
    assert len(rows) == 15
    assert sum(row["images"] for row in rows) == 5000
    assert [row["low"] for row in rows[1:]] == [row["high"] for row in rows[:-1]]
    assert rows[0] == {
        "low": 0.0,
        "high": pytest.approx(1 / 15),
        "images": 0,
        "confidence": None,
        "accuracy": None,
    }, "the best of seven is never so unsure"
    for row in rows:
        if row["images"]:
            assert row["low"] <= row["confidence"] <= row["high"]
        if row["images"] > 300:
            assert row["accuracy"] == pytest.approx(row["confidence"], abs=0.08)
    assert calibration_error(probabilities, labels) < 0.03


def test_mistakes_are_the_most_confident_ones_by_row():
    probabilities = np.full((120, 7), 0.01)
    labels = np.full(120, CLASSES.index("sad"))
    sure = 0.3 + 0.005 * np.arange(120)
    probabilities[:, CLASSES.index("neutral")] = sure
    probabilities[7] = np.eye(7)[CLASSES.index("sad")]
    rows = 1000 + np.arange(120)
    found = confident_mistakes(probabilities, labels, rows, CLASSES)
    assert list(found) == ["sad"]
    assert list(found["sad"]) == ["neutral"]
    listed = found["sad"]["neutral"]
    assert len(listed) == LISTED
    assert listed[0] == [1119, pytest.approx(sure[119], abs=1e-4)]
    assert [row for row, _ in listed] == list(range(1119, 1119 - LISTED, -1))


def face() -> np.ndarray:
    crop = cv2.cvtColor(astronaut()[0:200, 130:330], cv2.COLOR_RGB2GRAY)
    return cv2.resize(crop, (48, 48), interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize("kind", CORRUPTIONS, ids=lambda kind: kind.name)
def test_damage_grows_and_comes_out_the_same_again(kind):
    images = np.stack([face(), face()[:, ::-1]])
    before = images.copy()
    apart = []
    for strength in kind.strengths:
        damaged = corrupted(images, kind.name, strength)
        assert damaged.shape == images.shape
        assert damaged.dtype == np.uint8
        np.testing.assert_array_equal(damaged, corrupted(images, kind.name, strength))
        apart.append(np.abs(damaged.astype(float) - images).mean())
    assert 0.5 < apart[0] < apart[1] < apart[2] < 160
    np.testing.assert_array_equal(images, before)
    assert len({kind.said(strength) for strength in kind.strengths}) == 3


def test_the_noise_follows_the_seed():
    images = face()[None]
    one, other = (corrupted(images, "noise", 16, seed) for seed in (0, 1))
    assert (one != other).any()


def test_strengths_are_told_in_words():
    words = {kind.name: kind.said(kind.strengths[1]) for kind in CORRUPTIONS}
    assert words == {
        "blur": "sigma 1.2 pixels",
        "noise": "deviation 16 of 255",
        "dark": "40% of the light",
        "bright": "180% of the light",
        "jpeg": "quality 20",
        "low_resolution": "24x24",
    }


def test_corruption_figures_are_of_what_the_network_is_shown():
    """A network that tells light from dark is right until the light goes."""
    images = np.stack([np.full((48, 48), grey, np.uint8) for grey in (40, 200)] * 3)
    labels = np.array([0, 1] * 3)

    def run(shown: np.ndarray) -> np.ndarray:
        light = (shown.mean(axis=(1, 2)) > 60).astype(np.float32)
        return np.stack([1 - light, light], axis=1)

    figures, mean = corruption_figures(images, labels, run)
    assert list(figures) == [kind.name for kind in CORRUPTIONS]
    assert [row["accuracy"] for row in figures["dark"]] == [1.0, 1.0, 0.5]
    assert [row["accuracy"] for row in figures["bright"]] == [1.0, 0.5, 0.5]
    assert [row["accuracy"] for row in figures["jpeg"]] == [1.0, 1.0, 1.0]
    assert mean == pytest.approx((18 - 1.5) / 18)


def made_run(dataset: Dataset):
    """A network that knows every image and is wrong about one in four."""
    answers = {}
    random = np.random.default_rng(0)
    for split in dataset.splits.values():
        for image, label in zip(split.images, split.labels, strict=True):
            own = random.dirichlet(np.ones(7)).astype(np.float32)
            own[(label if random.random() > 0.25 else label + 1) % 7] += 1
            answers[image.tobytes()] = own / own.sum()
    return lambda images: np.stack([answers[image.tobytes()] for image in images])


def test_the_calibration_is_chosen_on_public_test_alone():
    dataset = made_dataset()
    run = made_run(dataset)
    evaluation, chosen = evaluate_splits(dataset, run)
    public = dataset.split("PublicTest")
    assert chosen == calibrated_on(public, run(public.images))
    mirrored = {
        name: replace(split, labels=split.labels[::-1].copy())
        for name, split in dataset.splits.items()
        if name != "PublicTest"
    }
    other = replace(dataset, splits={**dataset.splits, **mirrored})
    assert evaluate_splits(other, run)[1] == chosen
    assert evaluation["PrivateTest"]["without_leaked"]["images"] == 21
    given = Calibration(2.0, 0.5)
    assert evaluate_splits(dataset, run, given)[1] is given


def test_accuracy_without_leaked_rows_is_of_the_others_alone():
    """Three of four are right; the wrong one and a right one stand in Training too."""
    dataset = made_dataset(counts={"Training": 14, "PublicTest": 4})
    public = dataset.split("PublicTest")
    dataset.split("Training").images[[3, 9]] = public.images[[0, 2]]
    probabilities = np.full((4, 7), 0.05, np.float32)
    probabilities[np.arange(4), public.labels] = 0.7
    probabilities[0] = np.roll(probabilities[0], 1)
    calibration = Calibration(1.0, 0.0)
    figures = evaluate_split(dataset, "PublicTest", probabilities, calibration)
    assert figures["accuracy"] == 0.75
    assert figures["without_leaked"] == {"images": 2, "accuracy": 1.0}
    probabilities[1] = np.roll(probabilities[1], 1)
    figures = evaluate_split(dataset, "PublicTest", probabilities, calibration)
    assert figures["without_leaked"] == {"images": 2, "accuracy": 0.5}
    trained = evaluate_split(dataset, "Training", probabilities[[0] * 14], calibration)
    assert "without_leaked" not in trained


def test_the_calibration_error_before_is_that_of_the_network_itself():
    """Sure by 0.8 and right by three of four; by a temperature of 2, sure by 2 / 3."""
    dataset = Dataset(
        {"Training": Split(FOUR, np.array([0, 0, 0, 1]), np.arange(4), None, TWO)}, ""
    )
    probabilities = np.tile(np.array([0.8, 0.2], np.float32), (4, 1))
    figures = evaluate_split(dataset, "Training", probabilities, Calibration(2.0, 0.0))
    assert figures["expected_calibration_error_before"] == pytest.approx(0.05)
    assert figures["expected_calibration_error"] == pytest.approx(0.75 - 2 / 3)


def test_folders_have_no_rows_to_name():
    dataset = made_dataset()
    assert "mistakes" in evaluate_splits(dataset, made_run(dataset))[0]["PublicTest"]
    folders = replace(dataset, layout="folders")
    assert "mistakes" not in evaluate_splits(folders, made_run(dataset))[0]["PublicTest"]


def test_a_network_of_no_numbers_is_one_sentence():
    with pytest.raises(ModelError, match="not probabilities"):
        evaluate_splits(made_dataset(), lambda images: np.full((len(images), 7), np.nan))


def test_the_text_is_json_with_a_line_for_each_list():
    value = {"a": {"b": [1, 2.5, None], "c": {"x": 1}}, "d": [[1, 0.5], [2, 0.25]], "e": "é"}
    text = evaluation_text(value)
    assert json.loads(text) == value
    assert '"b": [1, 2.5, null]' in text
    assert len(text.splitlines()) == 8


@pytest.mark.usefixtures("tiny")
def test_report_writes_again_what_fit_wrote(data, tmp_path, capsys):
    folder = tmp_path / "models" / "mine"
    dataset = made_dataset()
    train_and_ship(dataset, replace(QUICK, epochs=6), folder)
    file = folder / "evaluation.json"
    first = json.loads(file.read_text())
    private = first["PrivateTest"]
    assert list(first) == ["network", "Training", "PublicTest", "PrivateTest"]
    assert set(private["corruptions"]) == {kind.name for kind in CORRUPTIONS}
    assert "corruptions" not in first["Training"]
    assert 0 <= private["corruption_mean"] <= 1
    assert 0 < private["macro_auc"] <= 1
    shares = private["per_class"]["happy"]
    assert shares["true_positive_rate"] == shares["recall"]
    assert len(private["reliability"]["before"]) == len(private["reliability"]["after"]) == 15
    wrong = [
        row for cells in private["mistakes"].values() for cell in cells.values() for row in cell
    ]
    assert len(wrong) == round(21 * (1 - private["accuracy"]))
    assert all(105 <= row < 126 for row, _ in wrong), "rows of the whole data set"

    card = (folder / "card.json").read_bytes()
    file.unlink()
    assert main(["report", "--model", str(folder), "--data", str(data)]) == 0
    assert str(file) in capsys.readouterr().out
    again = json.loads(file.read_text())
    assert again.keys() == first.keys()
    assert again.pop("network") == first.pop("network")
    for split, figures in again.items():
        assert figures.keys() == first[split].keys()
        assert figures["accuracy"] == pytest.approx(first[split]["accuracy"], abs=1e-3)
        assert figures["loss"] == pytest.approx(first[split]["loss"], abs=1e-3)
        assert figures["macro_auc"] == pytest.approx(first[split]["macro_auc"], abs=1e-3)
    assert (folder / "card.json").read_bytes() == card


@pytest.mark.usefixtures("tiny")
def test_report_puts_several_views_apart(data, tmp_path, capsys):
    dataset = made_dataset()
    folder = teacher_folder(tmp_path / "mine", 1)
    found = {}
    for kind in ("off", "flip"):
        file = tmp_path / f"{kind}.json"
        words = ["report", "--model", folder, "--data", data, "--tta", kind, "--out", file]
        assert main([str(word) for word in words]) == 0
        found[kind] = json.loads(file.read_text())
    assert "several views of each image (flip)" in capsys.readouterr().out
    assert "test_time_augmentation" not in found["flip"]["Training"]
    for split in ("PublicTest", "PrivateTest"):
        beside = found["flip"][split].pop("test_time_augmentation")
        assert beside["views"] == "flip"
        scored = evaluate_folder(str(folder), dataset, split, "auto", "flip")
        assert beside["loss"] == scored["test_time_augmentation"]["loss"] != scored["loss"]
    assert found["flip"] == found["off"], "no other figure knows of them"


def shipped(folder, dataset: Dataset, **figures: float):
    """A model folder whose card says this of PrivateTest."""
    teacher_folder(folder, 1)
    said = {"accuracy": 0.0, "images": len(dataset.split("PrivateTest"))} | figures
    card = replace(load_card(folder), temperature=1.5, figures={"PrivateTest": said})
    write_card(card, folder)
    return folder


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize(
    ("figures", "sentence"),
    [
        ({"accuracy": 0.99}, r"PrivateTest does not come out as on the card of .*99\.00 %"),
        ({"images": 3589}, r"of 21 images here, 0\.00 % of 3,589 images there"),
    ],
)
def test_figures_that_are_not_the_cards_are_refused(tmp_path, figures, sentence):
    dataset = made_dataset()
    folder = shipped(tmp_path / "mine", dataset, **figures)
    with pytest.raises(ModelError, match=sentence):
        report_folder(str(folder), dataset)
    assert not (folder / "evaluation.json").exists()
    short: dict[str, Split] = dict(dataset.splits)
    del short["PrivateTest"]
    with pytest.raises(ModelError, match="which this data set lacks"):
        report_folder(str(folder), replace(dataset, splits=short))
