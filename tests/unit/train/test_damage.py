"""A webcam's damage to training crops: on the host and on the device, and what teachers see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cv2
import keras
import numpy as np
import pytest
from skimage.data import astronaut

from train.augmentation import AugmentationOptions, draw_plan, follow
from train.augmentation_ops import augment_on_device
from train.batches import EpochBatches, soft_targets
from train.corruptions import CORRUPTIONS
from train.damage import KINDS, Damage, damaged, draw_damages
from train.damage_ops import damage_on_device, joined_damages
from train.device_batches import DeviceBatches, on_device

from .made import made_dataset
from .tiny import QUICK

# Mean difference in grey values, and the difference that one pixel in a thousand may exceed. JPEG
# rounds coefficients: one that lies between two steps may come out as either.
CLOSE = {
    "blur": (0.1, 2.0),
    "noise": (0.01, 0.1),
    "coarse": (0.1, 1.0),
    "light": (0.01, 0.1),
    "jpeg": (0.6, 16.0),
}


def face(size: int) -> np.ndarray:
    crop = cv2.cvtColor(astronaut()[0:200, 130:330], cv2.COLOR_RGB2GRAY)
    return cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA).astype(np.float32)


def as_array(tensor: object) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(tensor))


def damages_of(kind: str, size: int) -> list[Damage]:
    drawn = draw_damages(2000, size, 1.0, np.random.default_rng(3))
    found = [damage for damage in drawn if damage.kind == kind]
    return [replace(damage, index=index) for index, damage in enumerate(found[:400])]


@pytest.mark.parametrize("size", [48, 56, 75])
@pytest.mark.parametrize("kind", KINDS)
def test_host_and_device_do_the_same_damage(kind, size):
    damages = damages_of(kind, size)
    assert len(damages) > 50
    crop = face(size)
    host = np.stack([damaged(crop, damage) for damage in damages])
    crops = np.repeat(crop[None], len(damages), axis=0)
    difference = np.abs(as_array(damage_on_device(on_device(crops), damages)) - host)
    mean, most = CLOSE[kind]
    assert difference.mean() < mean
    assert np.quantile(difference, 0.999) < most
    assert np.abs(host - crop).mean(axis=(1, 2)).min() > 0.1, "each is damaged"


def test_crops_without_damage_stay_as_they_are_on_the_device():
    crops = np.repeat(face(48)[None], 5, axis=0)
    damages = [replace(damages_of("jpeg", 48)[0], index=1)]
    after = as_array(damage_on_device(on_device(crops), damages))
    np.testing.assert_allclose(after[[0, 2, 3, 4]], crops[[0, 2, 3, 4]], atol=0.01)
    assert np.abs(after[1] - crops[1]).max() > 1


@pytest.mark.parametrize(
    ("kind", "measured"),
    [
        ("blur", "blur"),
        ("noise", "noise"),
        ("light", "dark"),
        ("light", "bright"),
        ("jpeg", "jpeg"),
        ("coarse", "low_resolution"),
    ],
)
def test_crops_are_damaged_as_strongly_as_is_measured(kind, measured):
    strengths = [damage.strength for damage in damages_of(kind, 48)]
    asked = next(row.strengths for row in CORRUPTIONS if row.name == measured)
    low, high = min(strengths), max(strengths)
    span = high - low
    assert all(low - 0.1 * span <= one <= high + 0.1 * span for one in asked)


def test_a_share_is_damaged_and_nothing_is_drawn_for_none():
    random = np.random.default_rng(0)
    assert draw_damages(1000, 48, 0.0, random) == ()
    assert random.random() == np.random.default_rng(0).random()
    drawn = draw_damages(1000, 48, 0.3, random)
    assert 250 < len(drawn) < 350
    counts = [sum(damage.kind == kind for damage in drawn) for kind in KINDS]
    assert min(counts) > 35


def test_damages_of_several_batches_are_counted_over_all_of_them():
    first, second = Damage(1, "light", 0.5), Damage(0, "light", 2.0)
    assert joined_damages([(3, (first,)), (4, (second,))]) == [first, replace(second, index=3)]


@pytest.mark.parametrize("place", ["host", "device"])
@pytest.mark.parametrize("views", ["seen", "undamaged"])
def test_teachers_see_the_crops_without_their_damage(place, views):
    split = made_dataset().split("Training")
    still = AugmentationOptions(*[0.0] * 7)
    options = replace(
        QUICK,
        augmentation=replace(still, degrade=1.0),
        teachers=("somebody",),
        distillation=1.0,
        distillation_views=views,
        cutmix=0.5,
    )
    shown: list[np.ndarray] = []

    def asked(key: tuple[int, int], crops: Callable[[], Any]) -> Any:
        shown.append(as_array(crops()))
        even = np.full((len(shown[-1]), 7), 1 / 7, np.float32)
        return keras.ops.convert_to_tensor(even)

    arguments = (split, soft_targets(split, options), options, 1, (), asked)
    if place == "host":
        batches: EpochBatches = EpochBatches(*arguments)
    else:
        batches = DeviceBatches(on_device(split.images), *arguments)
    seen = as_array(batches[0][0])
    apart = np.abs(seen - shown[0][: len(seen)]).mean(axis=(1, 2, 3))
    if views == "seen":
        assert apart.max() == 0
    else:
        assert (apart > 0.05).mean() > 0.9
        clean = replace(options, augmentation=replace(options.augmentation, degrade=0.0))
        whole = EpochBatches(split, soft_targets(split, clean), clean, 1)
        assert {image.tobytes() for image in np.rint(shown[0]).astype(np.uint8)} & {
            image.tobytes() for image in np.rint(whole[0][0]).astype(np.uint8)
        }, "uncut images are shown as the data set has them"


def test_an_undamaged_plan_changes_all_else_as_before():
    options = AugmentationOptions(degrade=1.0)
    plan = draw_plan(20, 48, options, np.random.default_rng(1))
    images = np.repeat(face(48).astype(np.uint8)[None], 20, axis=0)
    host, device = (
        follow(images, plan.undamaged()),
        as_array(augment_on_device(on_device(images), [plan.undamaged()])),
    )
    assert np.abs(host - device).mean() < 1
    assert (np.abs(host - follow(images, plan)).mean(axis=(1, 2, 3)) > 0.05).mean() > 0.9
