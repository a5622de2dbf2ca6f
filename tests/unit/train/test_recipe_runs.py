"""Whole tiny runs of what goes beyond the plain recipe: they learn, resume, say what is wrong."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from fer_core.emotions import CLASSES
from fer_core.errors import DatasetError, OptionError
from fer_core.model_store import ModelCard, write_card
from train.architectures import ARCHITECTURES
from train.export import files_of, save_keras
from train.feed import Feed
from train.finished import open_finished
from train.fit import OutOfTimeError, fit
from train.losses import Distillation, joined
from train.many import read_queue, run_queue
from train.options import TrainOptions
from train.predicting import predict
from train.seen import SEEN_FILE
from train.teachers import Taught, Teachers, taught

from .made import made_dataset
from .tiny import QUICK, KillAfter, Tiny, teacher_folder

pytestmark = pytest.mark.usefixtures("tiny")


def test_everything_at_once_resumes_to_the_same_result(tmp_path):
    """Averages, mixing, clipping, weights and teachers all come back from a checkpoint."""
    teacher = teacher_folder(tmp_path / "teacher", 1)
    options = replace(
        QUICK,
        epochs=2,
        averaging=0.8,
        mixup=0.5,
        cutmix=0.3,
        clip_norm=1.0,
        class_balance="weights",
        augment_on="device",
        teachers=(str(teacher),),
        distillation=0.5,
        distillation_temperature=2.0,
    )
    dataset = made_dataset()
    whole, history = fit(dataset, options, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        fit(dataset, options, tmp_path / "cut", progress=KillAfter(1))
    resumed, again = fit(dataset, options, tmp_path / "cut", resume=True)
    for one, other in zip(history, again, strict=True):
        for name in ("loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"):
            assert one[name] == pytest.approx(other[name], abs=1e-4), name
    images = dataset.split("PublicTest").images
    np.testing.assert_allclose(predict(whole, images), predict(resumed, images), atol=1e-3)
    assert (tmp_path / "whole" / SEEN_FILE).read_bytes().startswith(b"\x89PNG")


def test_averages_are_kept_only_where_they_are_better(tmp_path):
    # At so slow an average the first epochs' averages are still the untrained network.
    options = replace(QUICK, averaging=0.9999, epochs=6)
    dataset = made_dataset()
    _, history = fit(dataset, options, tmp_path)
    _, same = fit(dataset, replace(options, averaging=0.0), tmp_path / "plain")
    for one, other in zip(history, same, strict=True):
        assert one["loss"] == pytest.approx(other["loss"], abs=1e-4), "training is not disturbed"
    assert max(row["val_accuracy"] for row in history) >= max(row["val_accuracy"] for row in same)


@pytest.mark.parametrize("better", ["averages", "weights"])
def test_the_better_of_weights_and_averages_is_what_a_run_returns(tmp_path, monkeypatch, better):
    """In the second epoch, the best; the figures are told, so that no chance decides."""
    scored: list[list[np.ndarray]] = []

    def score(model, split):
        scored.append(model.get_weights())
        # The averages are scored first, then the weights themselves.
        epoch, own = divmod(len(scored) - 1, 2)
        mine = ("averages", "weights")[own] == better
        return 1.0, (0.2, 0.8, 0.4)[epoch] + (0.1 if mine else 0.0)

    monkeypatch.setattr("train.epochs.score", score)
    model, history = fit(made_dataset(), replace(QUICK, averaging=0.6), tmp_path)
    assert [row["val_accuracy"] for row in history] == pytest.approx([0.3, 0.9, 0.5])
    averages, weights = scored[2:4]
    kept, other = (averages, weights) if better == "averages" else (weights, averages)
    for found, expected in zip(model.get_weights(), kept, strict=True):
        np.testing.assert_array_equal(found, expected)
    kernels = [place for place, weight in enumerate(kept) if weight.ndim == 4]
    assert all(np.abs(kept[place] - other[place]).max() > 1e-4 for place in kernels)


def test_a_run_on_three_classes_has_three_outputs(tmp_path):
    model, _ = fit(
        made_dataset(), replace(QUICK, epochs=1, classes=("happy", "sad", "neutral")), tmp_path
    )
    assert model.output_shape == (None, 3)


def test_teachers_answer_as_one_and_are_asked_once(tmp_path, monkeypatch):
    folders = [teacher_folder(tmp_path / name, seed) for seed, name in enumerate("ab")]
    training = made_dataset().split("Training")
    both = Teachers([str(folder) for folder in folders], CLASSES)
    each = [Teachers([str(folder)], CLASSES).of_images(training.images) for folder in folders]
    together = both.of_images(training.images)
    np.testing.assert_allclose(together, np.mean(each, axis=0), atol=1e-6)
    np.testing.assert_allclose(together.sum(axis=1), 1, atol=1e-5)
    mirrored = both.of_images(training.images[:, :, ::-1])
    np.testing.assert_allclose(together, mirrored, atol=1e-5)
    file = tmp_path / "kept.npz"
    first = taught(both, training, file)
    monkeypatch.setattr(Teachers, "of_images", None)
    again = taught(both, training, file)
    np.testing.assert_array_equal(first.probabilities, again.probabilities)
    order = np.random.default_rng(0).permutation(len(training))[:30]
    np.testing.assert_array_equal(first.of(training.take(order)), together[order])


def test_a_teacher_of_more_classes_teaches_a_student_of_fewer(tmp_path):
    teacher = str(teacher_folder(tmp_path / "seven", 1))
    images = made_dataset().split("Training").images[:20]
    few = ("happy", "neutral")
    asked, whole = Teachers([teacher], few), Teachers([teacher], CLASSES)
    places = [CLASSES.index(name) for name in few]
    found = asked.of_images(images)
    assert found.shape == (20, 2)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)
    crops = images[..., None].astype(np.float32)
    found = keras.ops.convert_to_numpy(asked.of_crops(crops))
    expected = keras.ops.convert_to_numpy(whole.of_crops(crops))[:, places]
    odds = np.log(found[:, 0] / found[:, 1])
    np.testing.assert_allclose(odds, np.log(expected[:, 0] / expected[:, 1]), atol=1e-3)


def test_teachers_that_do_not_fit_are_one_sentence(tmp_path):
    teacher = teacher_folder(tmp_path / "three", 1, ("happy", "sad", "neutral"))
    with pytest.raises(OptionError, match="tells apart happy, sad, neutral"):
        Teachers([str(teacher)], CLASSES)
    training = made_dataset().split("Training")
    known = Taught(np.full((10, 7), 1 / 7, np.float32), training.rows[:10], CLASSES, ("somebody",))
    with pytest.raises(DatasetError, match="lack 74 of 84 training rows"):
        known.of(training)
    with pytest.raises(DatasetError, match="this run has happy, sad"):
        known.of(replace(training.take(training.labels > 4), classes=("happy", "sad")))
    (tmp_path / "bad.npz").write_bytes(b"nothing")
    with pytest.raises(DatasetError, match="python -m train teach"):
        Taught.load(tmp_path / "bad.npz")


@pytest.fixture(scope="module")
def trained_teacher(tmp_path_factory) -> Path:
    """A model folder of a network that has learned the made data set."""
    run, folder = tmp_path_factory.mktemp("run"), tmp_path_factory.mktemp("teacher")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(ARCHITECTURES, Tiny.name, Tiny)
        model, _ = fit(made_dataset(), replace(QUICK, epochs=12), run)
    save_keras(model, folder)
    write_card(ModelCard("teacher", Tiny.name, 48, files=files_of(folder)), folder)
    return folder


@pytest.mark.parametrize("views", ["clean", "seen", "undamaged"])
def test_a_student_learns_what_its_teacher_says(trained_teacher, tmp_path, views):
    """With nothing of the labels, the answers come from the teacher alone."""
    dataset = made_dataset()
    turned = replace(dataset.split("Training"), labels=(dataset.split("Training").labels + 1) % 7)
    wrong = replace(dataset, splits={**dataset.splits, "Training": turned})
    options = replace(
        QUICK,
        epochs=12,
        seed=2,
        teachers=(str(trained_teacher),),
        distillation=1.0,
        distillation_views=views,
    )
    student, _ = fit(wrong, options, tmp_path)
    images = dataset.split("PublicTest").images
    taught_by, _ = open_finished(str(trained_teacher))
    agree = predict(student, images).argmax(axis=1) == predict(taught_by, images).argmax(axis=1)
    assert agree.mean() > 0.5


@pytest.mark.parametrize("place", ["host", "device"])
def test_crops_that_come_again_are_asked_about_once(tmp_path, monkeypatch, place):
    options = replace(
        QUICK,
        augment_on=place,
        cutmix=0.5,
        teachers=(str(teacher_folder(tmp_path / "teacher", 1)),),
        distillation=1.0,
        distillation_views="seen",
        distillation_rounds=2,
    )
    asked = []
    of_crops = Teachers.of_crops
    monkeypatch.setattr(
        Teachers, "of_crops", lambda self, crops: asked.append(len(crops)) or of_crops(self, crops)
    )
    training = made_dataset().split("Training")
    feed = Feed(training, options, tmp_path, training)
    first, second, third = (
        [feed.batches(epoch, ())[index] for index in range(3)] for epoch in (1, 2, 3)
    )
    assert sum(asked) == 2 * 84, "two rounds of 84 crops"
    for one, again in zip(first, third, strict=True):
        for part, same in zip(one, again, strict=True):
            np.testing.assert_array_equal(
                keras.ops.convert_to_numpy(part), keras.ops.convert_to_numpy(same)
            )
    assert np.abs(np.asarray(first[0][1]) - np.asarray(second[0][1])).max() > 1e-3


def test_the_loss_of_distillation_is_least_where_the_student_says_what_the_teacher_says():
    teacher = np.random.default_rng(0).dirichlet(np.ones(7), 5).astype(np.float32)
    options = replace(
        QUICK, distillation=1.0, distillation_temperature=3.0, teacher_probabilities="file"
    )
    labels = np.eye(7, dtype=np.float32)[:5]
    loss = Distillation(1.0, 3.0)
    target = joined(labels, teacher, options)
    assert target.shape == (5, 14)
    same = float(loss(target, teacher))
    for seed in range(1, 6):
        other = np.random.default_rng(seed).dirichlet(np.ones(7), 5).astype(np.float32)
        assert float(loss(target, other)) > same
    again = Distillation.from_config(loss.get_config())
    assert float(again(target, teacher)) == pytest.approx(same)


def test_a_run_keeps_its_time(tmp_path):
    dataset = made_dataset()
    with pytest.raises(OutOfTimeError, match=r"after epoch 1 of 3\. Go on with --resume"):
        fit(dataset, QUICK, tmp_path, until=0.0)
    _, history = fit(dataset, QUICK, tmp_path, resume=True)
    assert len(history) == 3


def test_a_queue_skips_what_is_finished_and_goes_on_after_a_failure(tmp_path):
    options = {**QUICK.to_dict(), "epochs": 1}
    (tmp_path / "base.json").write_text(json.dumps(options))
    file = tmp_path / "queue.json"
    runs = [
        {"name": "broken", "config": "base.json", "options": {"architecture": "vgg99"}},
        {"name": "one", "config": "base.json"},
        {
            "name": "student",
            "like": "one",
            "options": {"teachers": ["one"], "distillation": 0.5, "augmentation": {"flip": 0.1}},
        },
    ]
    file.write_text(json.dumps(runs))
    planned = read_queue(file)
    changed = replace(QUICK.augmentation, flip=0.1)
    assert planned[2].options == replace(
        planned[1].options, teachers=("one",), distillation=0.5, augmentation=changed
    )
    out, said = tmp_path / "out", []
    first = run_queue(planned, made_dataset(), out, said=said.append)
    assert [result.state for result in first] == ["failed", "done", "done"], said
    assert "vgg99" in first[0].sentence
    again = run_queue(planned, made_dataset(), out, said=said.append)
    assert [result.state for result in again] == ["failed", "skipped", "skipped"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "cannot be read"),
        ("[]", "at least one"),
        ('[{"config": "a"}]', "must be an object with `name`"),
        ('[{"name": "../x"}]', "no folder name"),
        ('[{"name": "x"}, {"name": "x"}]', "two runs called x"),
        ('[{"name": "x", "options": {"colour": 1}}]', "Unknown option: colour"),
        ('[{"name": "x"}, {"name": "y", "like": "z"}]', "Run 2 .* like 'z'.* Above it: x"),
        ('[{"name": "x", "like": "x"}]', "Above it: none"),
        ('[{"name": "x"}, {"name": "y", "like": "x", "config": "a"}]', "`config` or `like`"),
    ],
)
def test_a_bad_queue_is_one_sentence(tmp_path, text, sentence):
    file = tmp_path / "queue.json"
    file.write_text(text)
    with pytest.raises(OptionError, match=sentence):
        read_queue(file)


def test_options_of_an_earlier_version_are_whole_again():
    old = {key: value for key, value in QUICK.to_dict().items() if key in ("epochs", "seed")}
    assert TrainOptions.from_dict(old).averaging == 0.0
