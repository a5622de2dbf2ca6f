"""Labels, classes, left-out rows and balance: all that is decided before the first batch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fer_core.emotions import CLASSES
from fer_core.errors import DatasetError, OptionError
from fer_core.model_store import ModelCard
from train.batches import epoch_order, soft_targets
from train.data import FERPLUS_VOTES, VOTE_OF_CLASS, Dataset, Split
from train.data.prepare import (
    class_weights,
    leaked,
    prepare,
    prepared_for,
    select_classes,
    training_rows,
)
from train.options import TrainOptions

from .made import made_dataset
from .tiny import QUICK


def with_votes(split: Split, given: dict[int, dict[str, int]]) -> Split:
    """The same split with the votes given for some rows."""
    changed = split.votes.copy()
    for row, votes in given.items():
        changed[row] = [votes.get(name, 0) for name in FERPLUS_VOTES]
    return replace(split, votes=changed)


def voted(dataset: Dataset, votes: dict[str, int], rows: list[int]) -> Dataset:
    """The same data set with these votes for some training rows."""
    training = with_votes(dataset.split("Training"), dict.fromkeys(rows, votes))
    return replace(dataset, splits={**dataset.splits, "Training": training})


def test_the_defaults_change_nothing():
    dataset = made_dataset()
    assert prepare(dataset, TrainOptions()).splits == dataset.splits
    rows = training_rows(dataset, TrainOptions(), drop_not_a_face=False)
    np.testing.assert_array_equal(rows.labels, dataset.split("Training").labels)


def test_a_subset_has_its_own_labels():
    dataset = prepare(made_dataset(), replace(QUICK, classes=("sad", "happy", "neutral")))
    for split in dataset.splits.values():
        assert split.classes == ("happy", "sad", "neutral"), "the order is always the same"
        assert set(split.labels) == {0, 1, 2}
        assert split.vote_shares().shape == (len(split), 3)
    before = made_dataset().split("Training")
    happy = before.rows[before.labels == CLASSES.index("happy")]
    training = dataset.split("Training")
    np.testing.assert_array_equal(training.rows[training.labels == 0], happy)
    assert prepare(dataset, replace(QUICK, classes=("sad", "happy", "neutral"))) == dataset


def test_leaked_rows_are_dropped_from_training_alone():
    dataset = made_dataset()
    training = dataset.split("Training")
    images = training.images.copy()
    images[[3, 5]] = dataset.split("PrivateTest").images[[0, 1]]
    dataset = replace(
        dataset, splits={**dataset.splits, "Training": replace(training, images=images)}
    )
    assert np.flatnonzero(leaked(dataset)).tolist() == [3, 5]
    kept = training_rows(dataset, replace(QUICK, drop_leaked=True), drop_not_a_face=True)
    assert len(kept) == len(training) - 2
    assert not {3, 5} & set(kept.rows.tolist())


def test_what_ferplus_calls_no_face_is_dropped_where_asked_for():
    # Half of the votes are not yet most of them.
    dataset = voted(made_dataset(), {"NF": 6, "anger": 4}, [2, 7])
    dataset = voted(dataset, {"NF": 5, "anger": 5}, [4])
    training = dataset.split("Training")
    kept = training_rows(dataset, QUICK, drop_not_a_face=True)
    assert sorted(set(training.rows.tolist()) - set(kept.rows.tolist())) == [2, 7]
    np.testing.assert_array_equal(kept.images, np.delete(training.images, [2, 7], axis=0))
    assert len(training_rows(dataset, QUICK, drop_not_a_face=False)) == len(training)
    nobody = voted(made_dataset(), {"NF": 9}, list(range(len(training))))
    with pytest.raises(DatasetError, match="No training row is left"):
        training_rows(nobody, QUICK, drop_not_a_face=True)


def test_votes_as_majority_and_as_shares():
    dataset = voted(made_dataset(), {"happiness": 6, "sadness": 2}, [0])
    happy, sad = CLASSES.index("happy"), CLASSES.index("sad")
    by_most = training_rows(
        dataset, replace(QUICK, ferplus_targets="majority"), drop_not_a_face=False
    )
    assert by_most.labels[0] == happy
    soft = replace(QUICK, ferplus_targets="soft", label_smoothing=0, vote_smoothing=0)
    targets = soft_targets(training_rows(dataset, soft, drop_not_a_face=False), soft)
    assert targets[0, happy] == pytest.approx(0.75)
    assert targets[0, sad] == pytest.approx(0.25)


def test_a_tie_of_the_votes_keeps_the_label():
    dataset = voted(made_dataset(), {"anger": 5, "disgust": 5}, [1])
    assert dataset.split("Training").labels[1] == CLASSES.index("disgust")
    rows = training_rows(dataset, replace(QUICK, ferplus_targets="majority"), drop_not_a_face=False)
    assert rows.labels[1] == CLASSES.index("disgust")


def test_the_labels_of_ferplus_have_contempt_and_drop_what_has_no_majority_class():
    dataset = made_dataset()
    for row, vote in enumerate([*FERPLUS_VOTES] * 2):
        dataset = voted(dataset, {vote: 8}, [row])
    splits = {"Training": dataset.split("Training").take(np.arange(20))}
    options = replace(QUICK, labels="ferplus")
    training = prepare(replace(dataset, splits=splits), options).split("Training")
    assert training.classes == (*CLASSES, "contempt") == options.class_names
    assert len(training) == 16, "unknown and not-a-face are left out"
    assert training.counts()["contempt"] == 2


@pytest.mark.parametrize(
    ("votes", "scored", "trained"),
    [
        ({"anger": 10}, "angry", "angry"),
        ({"anger": 6, "sadness": 4}, "angry", "angry"),
        ({"anger": 5, "sadness": 5}, None, "angry"),  # half is not more than half
        ({"anger": 4, "sadness": 3, "neutral": 3}, None, "angry"),
        ({"anger": 5, "sadness": 3, "neutral": 1, "fear": 1}, "angry", "angry"),  # 5 of 8
        ({"contempt": 2, "sadness": 1, "neutral": 1, "fear": 1}, "contempt", "contempt"),
        ({"anger": 4, "unknown": 4, "fear": 2}, None, "angry"),
        ({"unknown": 6, "anger": 4}, None, None),
        ({"NF": 10}, None, None),
        ({"sadness": 1}, None, "sad"),  # a single vote decides nothing
        ({}, None, None),
    ],
)
def test_the_scored_splits_follow_the_majority_rule_of_ferplus(votes, scored, trained):
    dataset = made_dataset()
    names = (*CLASSES, "contempt")
    given = [{VOTE_OF_CLASS[name]: 8} for name in names] + [votes]
    part = dataset.split("Training").take(np.arange(len(given)))
    part = with_votes(part, dict(enumerate(given)))
    splits = dict.fromkeys(("Training", "PublicTest", "PrivateTest"), part)
    found = prepare(replace(dataset, splits=splits), replace(QUICK, labels="ferplus")).splits
    for split, expected in zip(found.values(), (trained, scored, scored), strict=True):
        last = [names[label] for label in split.labels[len(names) :]]
        assert last == ([] if expected is None else [expected])


@pytest.mark.parametrize(
    ("classes", "options", "labels"),
    [
        (CLASSES, {}, "fer2013"),
        (CLASSES, {"labels": "fer2013"}, "fer2013"),
        ((*CLASSES, "contempt"), {}, "ferplus"),
        (("happy", "neutral"), {"labels": "ferplus"}, "ferplus"),
        (("happy", "neutral"), {"labels": "fer2013"}, "fer2013"),
    ],
)
def test_a_finished_network_is_scored_on_the_labels_it_learned(classes, options, labels):
    dataset = made_dataset()
    every = {row: {vote: 8} for row, vote in enumerate([*VOTE_OF_CLASS.values()] * 2)}
    splits = {name: with_votes(split, every) for name, split in dataset.splits.items()}
    dataset = replace(dataset, splits=splits)
    card = ModelCard("made", "base", 48, classes=classes, training={"options": options})
    found = prepared_for(card, dataset)
    expected = prepare(dataset, replace(QUICK, labels=labels, classes=classes))
    for name, split in expected.splits.items():
        np.testing.assert_array_equal(found.splits[name].rows, split.rows)
        np.testing.assert_array_equal(found.splits[name].labels, split.labels)


def test_no_votes_is_one_sentence():
    dataset = made_dataset()
    bare = {name: replace(split, votes=None) for name, split in dataset.splits.items()}
    bare_set = replace(dataset, splits=bare)
    with pytest.raises(DatasetError, match="Give --ferplus"):
        prepare(bare_set, replace(QUICK, labels="ferplus"))
    with pytest.raises(DatasetError, match="Give --ferplus"):
        training_rows(bare_set, replace(QUICK, ferplus_targets="soft"), drop_not_a_face=True)


def test_a_class_missing_from_a_split_is_one_sentence():
    dataset = made_dataset()
    public = dataset.split("PublicTest")
    few = public.take(public.labels != CLASSES.index("sad"))
    short = replace(dataset, splits={**dataset.splits, "PublicTest": few})
    for options in (QUICK, replace(QUICK, classes=("happy", "sad"))):
        with pytest.raises(DatasetError, match="PublicTest has no image of: sad"):
            prepare(short, options)
    assert prepare(short, replace(QUICK, classes=("happy", "angry"))).split("PublicTest")


def uneven() -> Dataset:
    """Two classes, one with 60 rows and one with 6."""
    split = select_classes(
        made_dataset(counts={"Training": 420}).split("Training"), ("happy", "sad")
    )
    many, few = (np.flatnonzero(split.labels == label) for label in (0, 1))
    rows = np.concatenate([many, few[:6]])
    return Dataset({"Training": split.take(rows)}, "made")


@pytest.mark.parametrize(("power", "ratio"), [(1.0, 10.0), (0.5, 10**0.5), (0.0, 1.0)])
def test_weights_balance_and_average_to_one(power, ratio):
    split = uneven().split("Training")
    weights = class_weights(split, power)
    assert weights[1] / weights[0] == pytest.approx(ratio, rel=1e-5)
    assert weights[split.labels].mean() == pytest.approx(1, rel=1e-5)


def test_balanced_sampling_draws_classes_alike_and_whole_rounds():
    split = uneven().split("Training")
    order = epoch_order(split, replace(QUICK, class_balance="sampling"), 1)
    assert len(order) == len(split)
    rare = order[split.labels[order] == 1]
    assert len(rare) == 33
    drawn = np.bincount(rare, minlength=len(split))[split.labels == 1]
    assert set(drawn) == {5, 6}
    plain = epoch_order(split, QUICK, 1)
    assert sorted(plain.tolist()) == list(range(len(split)))


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"labels": "mine"}, "Unknown labels"),
        ({"classes": ["happy", "bored"]}, "Unknown class: bored"),
        ({"classes": ["happy"]}, "at least two classes"),
        ({"classes": ["happy", "contempt"]}, "Unknown class: contempt"),
        ({"class_balance": "even"}, "Unknown class_balance"),
        ({"mixup": 0.6, "cutmix": 0.6}, "must sum to at most 1"),
        ({"mixup_alpha": 0}, "mixup_alpha must be above 0"),
        ({"clip_norm": -1}, "clip_norm must not be negative"),
        ({"averaging": 1.0}, "averaging must be from 0"),
        ({"distillation": 0.5}, "distillation needs a teacher"),
        ({"teachers": ["a"]}, "distillation is 0"),
        (
            {"distillation": 1, "teachers": ["a"], "teacher_probabilities": "b"},
            "not both",
        ),
        (
            {"distillation": 1, "teacher_probabilities": "b", "distillation_views": "seen"},
            "of clean images",
        ),
        (
            {"distillation": 1, "teachers": ["a"], "distillation_rounds": 3},
            "Give --distillation-views seen or undamaged too",
        ),
        ({"checkpoint_seconds": -1}, "checkpoint_seconds must not be negative"),
        ({"devices": "two"}, "Unknown devices"),
        ({"scenes": "yolo"}, r"Unknown scenes. Received: 'yolo'. Known: off, blazeface, haar"),
    ],
)
def test_bad_options_are_one_sentence(values, sentence):
    with pytest.raises(OptionError, match=sentence):
        TrainOptions.from_dict(values)
