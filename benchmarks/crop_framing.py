"""Where detectors see the face inside FER2013's own images: the figures behind `FRAMINGS`.

    python -m benchmarks.crop_framing --data fer2013.npz [--images 2500]

Takes Training images only (those that FER+ calls a face, where its votes are in the file), enlarges
them four times, continues their border by half an image on each side, and runs every detector on
them. Printed are medians, in shares of the image's side: the middle and side of the box, the eyes,
and the `Framing` that brings box and eyes back to the whole image; then how far crops made with the
framing in `fer_core.crops` lie from the whole image.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from fer_core.crops import FRAMINGS, face_frame
from fer_core.detectors import DETECTORS, DetectorOptions, create_detector
from fer_core.errors import DatasetError, FerError
from fer_core.model_store import CropSpec
from fer_core.results import Detection

ENLARGED = 4
IMAGE = 48 * ENLARGED
BORDER = IMAGE // 2


def training_images(file: Path, count: int, seed: int = 0) -> npt.NDArray[np.uint8]:
    """`count` images drawn from the Training split: uint8 (count, 48, 48).

    Raises:
        DatasetError: the file cannot be read or lacks `images` or `usage`.
    """
    try:
        with np.load(file) as data:
            images, usage = data["images"], data["usage"]
            votes = data.get("ferplus")
    except (OSError, ValueError, KeyError) as error:
        raise DatasetError(
            f"{file} is not an .npz with the arrays `images` and `usage`: {error}."
        ) from None
    usable = usage == "Training"
    if votes is not None:
        usable &= votes[:, -1] <= 2  # the last column counts votes for "not a face"
    rows = np.flatnonzero(usable)
    chosen = np.random.default_rng(seed).choice(rows, min(count, len(rows)), replace=False)
    return np.asarray(images[chosen], np.uint8)


def detect_all(name: str, images: npt.NDArray[np.uint8]) -> list[Detection]:
    """The best detection of each image that has one, in pixels of the enlarged, bordered image."""
    # The short range alone, so that every figure stands for one network.
    options = DetectorOptions(range="short", min_face=0.2)
    found = []
    with create_detector(name, options) as detector:
        for image in images:
            large = cv2.resize(image, (IMAGE, IMAGE), interpolation=cv2.INTER_CUBIC)
            bordered = cv2.copyMakeBorder(
                large, BORDER, BORDER, BORDER, BORDER, cv2.BORDER_REPLICATE
            )
            found += detector.detect(np.repeat(np.asarray(bordered)[:, :, None], 3, axis=2))[:1]
    return found


def report(name: str, images: npt.NDArray[np.uint8]) -> None:
    """Print the figures of one detector."""
    found = detect_all(name, images)
    print(f"{name}: found in {len(found)} of {len(images)} images")
    if not found:
        return
    middle = (np.array([one.box.centre for one in found]) - BORDER) / IMAGE
    side = np.array([one.box.width + one.box.height for one in found]) / 2 / IMAGE
    _line("box middle x", middle[:, 0])
    _line("box middle y", middle[:, 1])
    _line("box side", side)
    _line("framing scale", 1 / side)
    _line("framing box_y", (0.5 - middle[:, 1]) / side)
    with_eyes = [one.eyes for one in found if one.eyes is not None]
    if len(with_eyes) == len(found):
        left = (np.array([eyes.left for eyes in with_eyes]) - BORDER) / IMAGE
        right = (np.array([eyes.right for eyes in with_eyes]) - BORDER) / IMAGE
        for label, values in (("left", left), ("right", right)):
            _line(f"{label} eye x", values[:, 0])
            _line(f"{label} eye y", values[:, 1])
        _line("framing eyes_y", (0.5 - (left + right)[:, 1] / 2) / side)
        across = right - left
        _line("tilt, degrees", np.degrees(np.arctan2(across[:, 1], across[:, 0])))
    frames = [face_frame(one, CropSpec(align=False)) for one in found]
    centres = (np.array([frame.centre for frame in frames]) - BORDER) / IMAGE - 0.5
    _line("crop off in x", np.abs(centres[:, 0]))
    _line("crop off in y", np.abs(centres[:, 1]))
    _line("crop side", np.array([frame.side for frame in frames]) / IMAGE)


def _line(label: str, values: npt.NDArray[np.floating]) -> None:
    low, median, high = np.quantile(values, (0.1, 0.5, 0.9))
    print(f"  {label:15s} median {median:7.3f}   10 % {low:7.3f}   90 % {high:7.3f}")


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.crop_framing",
        description="Where detectors see the face inside FER2013's own images.",
    )
    parser.add_argument("--data", type=Path, required=True, help="FER2013 as .npz")
    parser.add_argument("--images", type=int, default=2500, help="how many Training images")
    parser.add_argument("--detector", choices=DETECTORS, action="append", help="default: all")
    chosen = parser.parse_args(arguments)
    try:
        images = training_images(chosen.data, chosen.images)
        for name in chosen.detector or DETECTORS:
            report(name, images)
            print(f"  now in use: {FRAMINGS[name]}")
    except FerError as error:
        parser.exit(1, f"{error}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
