"""Mixup, cutmix, and changes made on the device: the same crops as on the host."""

from __future__ import annotations

from dataclasses import replace

import cv2
import keras
import numpy as np
import pytest
from skimage.data import astronaut

from train.augmentation import AugmentationOptions, augment, draw_plan
from train.augmentation_ops import augment_on_device, mix_on_device
from train.batches import EpochBatches, soft_targets
from train.device_batches import DeviceBatches, on_device
from train.mixing import draw_mixing

from .made import made_dataset
from .tiny import QUICK

ROUNDING = 1.0
"""Mean difference in grey values: OpenCV rounds places to 1/32 of a pixel and keeps bytes."""


def face(count: int) -> np.ndarray:
    """The same real face several times."""
    crop = cv2.cvtColor(astronaut()[0:200, 130:330], cv2.COLOR_RGB2GRAY)
    return np.repeat(cv2.resize(crop, (48, 48), interpolation=cv2.INTER_AREA)[None], count, 0)


def as_array(tensor: object) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(tensor))


@pytest.mark.parametrize(
    "options",
    [
        AugmentationOptions(),
        AugmentationOptions(rotation=30, zoom=0.4, shift=0.3, erasing=1.0),
        AugmentationOptions(*[0.0] * 7),
    ],
    ids=["usual", "strong", "none"],
)
def test_host_and_device_make_the_same_crops(options):
    crops = face(40)
    host = augment(crops, options, np.random.default_rng(5))
    plan = draw_plan(40, 48, options, np.random.default_rng(5))
    device = as_array(augment_on_device(on_device(crops), [plan]))
    assert device.shape == host.shape
    assert device.dtype == np.float32
    difference = np.abs(device - host)
    assert difference.mean() < ROUNDING
    assert np.quantile(difference, 0.999) < 6 * ROUNDING
    assert device.mean() == pytest.approx(host.mean(), abs=0.2)
    assert device.std() == pytest.approx(host.std(), abs=0.3)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"mixup": 0.5, "cutmix": 0.5},
        {"class_balance": "weights"},
        {"class_balance": "sampling", "cutmix": 1.0},
    ],
    ids=["plain", "mixed", "weights", "sampling"],
)
@pytest.mark.parametrize("outputs", [(), ("probabilities", "beside")], ids=["one", "two"])
def test_both_feeds_give_the_same_batches(change, outputs):
    split = made_dataset().split("Training")
    split = split.take(np.arange(len(split)) % 9 != 0)
    options = replace(QUICK, **change)
    arguments = (split, soft_targets(split, options), options, 2, outputs)
    host = EpochBatches(*arguments)
    device = DeviceBatches(on_device(split.images), *arguments)
    assert len(host) == len(device) == 3
    for index in (2, 0, 1):
        one, other = host[index], device[index]
        assert len(one) == len(other) == (3 if change.get("class_balance") == "weights" else 2)
        assert np.abs(one[0] - as_array(other[0])).mean() < 2 * ROUNDING
        for mine, theirs in zip(one[1:], other[1:], strict=True):
            if outputs:
                assert mine.keys() == theirs.keys() == set(outputs)
                mine, theirs = mine["beside"], theirs["beside"]
            np.testing.assert_allclose(mine, theirs)


def test_more_crops_than_one_chunk_holds(monkeypatch):
    monkeypatch.setattr("train.device_batches._CHUNK", 60)
    split = made_dataset().split("Training")
    arguments = (split, soft_targets(split, QUICK), replace(QUICK, batch_size=12), 1)
    host, device = EpochBatches(*arguments), DeviceBatches(on_device(split.images), *arguments)
    assert len(host) == 7
    for index in range(7):
        assert np.abs(host[index][0] - as_array(device[index][0])).mean() < 2 * ROUNDING


@pytest.mark.parametrize(("mixup", "cutmix"), [(1.0, 0.0), (0.0, 1.0), (0.5, 0.5)])
def test_targets_follow_what_is_seen(mixup, cutmix):
    options = replace(QUICK, mixup=mixup, cutmix=cutmix)
    random = np.random.default_rng(0)
    crops = random.integers(0, 256, (50, 48, 48, 1)).astype(np.float32)
    mixing = draw_mixing(50, 48, options, random)
    mixed = mixing.crops(crops)
    targets = mixing.targets(np.eye(50, dtype=np.float32))
    np.testing.assert_allclose(targets.sum(axis=1), 1, atol=1e-5)
    assert as_array(mix_on_device(crops, [mixing])) == pytest.approx(mixed, abs=1e-2)
    for index in range(50):
        own, other = crops[index], crops[mixing.partner[index]]
        share = mixing.own[index, 0]
        if mixup == 1.0:
            assert mixed[index] == pytest.approx(share * own + (1 - share) * other, abs=1e-2)
        if cutmix == 1.0 and mixing.partner[index] != index:
            assert (mixed[index] == own).mean() == pytest.approx(share, abs=0.02)
            assert ((mixed[index] == own) | (mixed[index] == other)).all()


def test_nothing_to_mix_draws_nothing():
    random = np.random.default_rng(0)
    assert draw_mixing(8, 48, QUICK, random) is None
    assert random.random() == np.random.default_rng(0).random()
