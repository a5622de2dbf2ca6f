"""Faces put into a webcam's picture, to be found and cropped again as the app would do it.

A ready-made FER2013 face is framed by whoever made the data set; a face in the app is framed by a
detector, a little wider, narrower or beside the middle. Both what that costs
(`benchmarks.detect_then_classify`) and what trains against it (the option `scenes`) use these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

from fer_core.crops import crop_faces, grey_of
from fer_core.detectors import Follower, create_detector
from fer_core.model_store import CropSpec
from fer_core.results import Box, Detection
from train.data import Split
from train.options import TrainOptions

WIDTH, HEIGHT = 640, 480
SMALLEST, LARGEST = 96, 240
"""Side of the face in the scene, pixels: a person one arm to three arms away from a webcam."""
FADE = 0.5
"""The image's border goes on for this share of its side, fading into the scene."""
FOUND_IOU = 0.3
MOST_TILT = 15.0
"""Degrees that are left at most; what lies further from the level was not measured."""


def scene_with(
    image: npt.NDArray[np.uint8], random: np.random.Generator
) -> tuple[npt.NDArray[np.uint8], Box]:
    """A 640x480 picture that shows `image`, and the face box in it.

    Args:
        image: uint8 (48, 48).
        random: draws size, place and the grey of the scene.
    """
    side = int(random.integers(SMALLEST, LARGEST + 1))
    grey = int(random.integers(60, 200))
    border = round(FADE * side)
    large = cv2.resize(image, (side, side), interpolation=cv2.INTER_CUBIC)
    wide = cv2.copyMakeBorder(large, border, border, border, border, cv2.BORDER_REPLICATE).astype(
        np.float32
    )
    # 1 inside the image, falling to 0 at the end of its border.
    ramp = np.clip(
        (np.minimum(np.arange(len(wide)), np.arange(len(wide))[::-1]) + 1) / border, 0, 1
    )
    weight = np.minimum.outer(ramp, ramp)
    patch = np.rint(weight * wide + (1 - weight) * grey).astype(np.uint8)
    # The face lies wholly inside; its faded border may reach beyond the scene.
    left = int(random.integers(0, WIDTH - side + 1))
    top = int(random.integers(0, HEIGHT - side + 1))
    room = np.full((HEIGHT + 2 * border, WIDTH + 2 * border), grey, np.uint8)
    room[top : top + len(patch), left : left + len(patch)] = patch
    seen = room[border:-border, border:-border]
    box = Box(float(left), float(top), float(left + side), float(top + side))
    return np.repeat(seen[:, :, None], 3, axis=2), box


def look(
    name: str, images: npt.NDArray[np.uint8], seed: int = 0, follow: bool = False
) -> Iterator[tuple[npt.NDArray[np.uint8], Detection | None]]:
    """Each image's scene in grey, and what detector `name` found of its face.

    Args:
        name: of the detector.
        images: uint8 (N, 48, 48).
        seed: of the scenes.
        follow: what it finds when it is shown the scene again and knows what it found before.
    """
    random = np.random.default_rng(seed)
    with create_detector(name) as detector:
        for image in images:
            picture, box = scene_with(image, random)
            found = detector.detect(picture)
            if follow and isinstance(detector, Follower):
                found = detector.follow(picture, [one.box for one in found])
            near = [one for one in found if one.box.iou(box) >= FOUND_IOU]
            best = max(near, key=lambda one: one.box.iou(box), default=None)
            yield grey_of(picture), best


def crops_of_scenes(split: Split, name: str, spec: CropSpec, seed: int) -> Split:
    """The rows of `split` whose face detector `name` finds in a scene, with its crops as images.

    Args:
        split: with images of 48x48 pixels.
        name: of the detector.
        spec: how its faces are cropped.
        seed: of the scenes.
    """
    crops: list[npt.NDArray[np.uint8]] = []
    rows: list[int] = []
    for row, (grey, found) in enumerate(look(name, split.images, seed)):
        if found is not None:
            crops.append(crop_faces(grey, [found], split.images.shape[1], spec)[0, :, :, 0])
            rows.append(row)
    found_rows = split.take(np.array(rows, np.int64))
    return replace(found_rows, images=np.stack(crops)) if crops else found_rows


def crop_spec(options: TrainOptions) -> CropSpec:
    """How faces are cropped for a network that was trained so."""
    # What training turned crops by need not be turned back.
    return CropSpec(tilt=min(options.augmentation.rotation, MOST_TILT))


def with_scenes(training: Split, options: TrainOptions, said: Callable[[str], None]) -> Split:
    """`training`, and after it the crops of its faces that the option `scenes` asks for.

    Raises:
        DetectorError: a package or a file that the detector needs is missing.
    """
    if options.scenes == "off":
        return training
    found = crops_of_scenes(training, options.scenes, crop_spec(options), options.seed_of_crops)
    said(
        f"{options.scenes} found {len(found):,} of {len(training):,} training faces in scenes; "
        "its crops of them are trained on too."
    )
    return training.and_also(found)
