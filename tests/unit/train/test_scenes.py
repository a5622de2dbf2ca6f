"""Faces in scenes: what a detector finds of them, and what is trained on beside the images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_core.emotions import CLASSES
from fer_core.fer2013 import Dataset, Split
from fer_core.model_store import CropSpec
from train.fit import fit
from train.options import TrainOptions
from train.scenes import crop_spec, crops_of_scenes, look, scene_with, with_scenes

from .made import made_dataset
from .tiny import QUICK, KillAfter, Told


@pytest.fixture
def training(face_crop: np.ndarray) -> Split:
    """Six rows of the face between two that show none."""
    images = np.stack(
        [np.full((48, 48), 90, np.uint8), *[face_crop] * 6, np.zeros((48, 48), np.uint8)]
    )
    votes = np.arange(80, dtype=np.float32).reshape(8, 10)
    return Split(images, np.arange(8) % 7, np.arange(8) + 20, votes)


def test_a_scene_shows_the_image_in_its_box(face_crop: np.ndarray) -> None:
    random = np.random.default_rng(3)
    for _ in range(20):
        picture, box = scene_with(face_crop, random)
        assert picture.shape == (480, 640, 3)
        assert 0 <= box.x0 < box.x1 <= 640
        assert 0 <= box.y0 < box.y1 <= 480
        x0, y0, x1, y1 = (round(value) for value in (box.x0, box.y0, box.x1, box.y1))
        back = cv2.resize(picture[y0:y1, x0:x1, 0], (48, 48), interpolation=cv2.INTER_AREA)
        assert np.abs(back.astype(int) - face_crop).mean() < 4


def test_a_scene_shown_again_is_looked_at_where_the_face_was(face_crop: np.ndarray) -> None:
    images = np.stack([face_crop] * 8)
    first, again = (list(look("blazeface", images, follow=follow)) for follow in (False, True))
    assert all((one[0] == two[0]).all() for one, two in zip(first, again, strict=True))
    pairs = zip(first, again, strict=True)
    both = [(one[1], two[1]) for one, two in pairs if one[1] and two[1]]
    assert len(both) >= 6
    assert all(one.box.iou(two.box) > 0.5 for one, two in both)
    assert any(one.box != two.box for one, two in both), "a far face is looked at closely"


@pytest.mark.parametrize("detector", ["blazeface", "haar"])
def test_the_crops_of_faces_found_keep_their_rows(training: Split, detector: str) -> None:
    found = crops_of_scenes(training, detector, CropSpec(tilt=12.0), seed=4)
    assert 4 <= len(found) <= 6
    assert not {20, 27} & set(found.rows.tolist()), "where no face is, none is found"
    where = found.rows - 20
    np.testing.assert_array_equal(found.labels, training.labels[where])
    np.testing.assert_array_equal(found.votes, training.votes[where])
    assert found.images.shape == (len(found), 48, 48)
    assert found.images.dtype == np.uint8
    for crop, image in zip(found.images, training.images[where], strict=True):
        alike = np.corrcoef(crop.ravel(), image.ravel())[0, 1]
        assert 0.5 < alike < 0.9999, "the same face, framed otherwise"


def test_the_seed_decides_the_scenes(training: Split) -> None:
    one, same, other = (
        crops_of_scenes(training, "blazeface", CropSpec(), seed).images for seed in (4, 4, 5)
    )
    np.testing.assert_array_equal(one, same)
    assert one.shape != other.shape or (one != other).any()


def test_nothing_found_adds_nothing(training: Split) -> None:
    empty = training.take(np.array([0, 7]))
    assert len(crops_of_scenes(empty, "haar", CropSpec(), seed=1)) == 0
    said: list[str] = []
    both = with_scenes(empty, TrainOptions(scenes="haar"), said.append)
    assert both.rows.tolist() == [20, 27]
    assert said == [
        "haar found 0 of 2 training faces in scenes; its crops of them are trained on too."
    ]


def test_the_images_stay_and_the_crops_follow(training: Split) -> None:
    said: list[str] = []
    assert with_scenes(training, TrainOptions(), said.append) is training
    assert said == []
    both = with_scenes(training, TrainOptions(scenes="blazeface", seed=4), said.append)
    found = len(both) - len(training)
    assert said[0].startswith(f"blazeface found {found} of 8 training faces")
    np.testing.assert_array_equal(both.images[:8], training.images)
    assert len(both.images) == len(both.labels) == len(both.rows) == len(both.votes)
    bare = with_scenes(replace(training, votes=None), TrainOptions(scenes="blazeface"), said.append)
    assert bare.votes is None
    assert len(bare) > 8


@pytest.mark.parametrize(("turned", "left"), [(0.0, 0.0), (12.0, 12.0), (40.0, 15.0)])
def test_what_training_turned_need_not_be_levelled(turned: float, left: float) -> None:
    options = TrainOptions.from_dict({"augmentation": {"rotation": turned}})
    assert crop_spec(options) == CropSpec(tilt=left)


@pytest.mark.usefixtures("tiny")
def test_a_run_with_scenes_resumes_to_the_same_result(
    face_crop: np.ndarray, tmp_path: Path
) -> None:
    made = made_dataset()
    split = made.split("Training")
    images = split.images.copy()
    images[split.labels == CLASSES.index("happy")] = face_crop
    dataset: Dataset = replace(
        made, splits={**made.splits, "Training": replace(split, images=images)}
    )
    options = replace(QUICK, epochs=2, scenes="blazeface")
    told = Told()
    whole, history = fit(dataset, options, tmp_path / "whole", progress=told)
    assert any("training faces in scenes" in text for text in told.said)
    with pytest.raises(KeyboardInterrupt):
        fit(dataset, options, tmp_path / "cut", progress=KillAfter(1))
    resumed, again = fit(dataset, options, tmp_path / "cut", resume=True)
    for one, other in zip(history, again, strict=True):
        for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
            assert one[name] == pytest.approx(other[name], abs=1e-4), name
    for one, other in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)
    plain, _ = fit(dataset, replace(options, scenes="off"), tmp_path / "plain")
    # The images alone say how bright faces are, with scenes and without.
    assert plain.get_layer("normalise").offset == whole.get_layer("normalise").offset
    assert any(
        not np.allclose(one, other, atol=1e-4)
        for one, other in zip(whole.get_weights(), plain.get_weights(), strict=True)
    )
