"""What finding and cropping a face costs in accuracy, against a ready-made FER2013 face.

    python -m benchmarks.detect_then_classify --data fer2013.npz [--sweep | --follow]

Each image of PublicTest is enlarged and put somewhere into a 640x480 scene, its border fading into
an even grey, so that the face box is known. Every detector then looks for the face; the one that
overlaps the known box best is cropped as the model's card says, and classified. Printed by detector
are the share of faces found and, for those found, the accuracy on the ready-made image, on the
crop, and what was lost, in points with its 95 % interval. `--sweep` does the same for several
margins, with the eyes levelled, levelled beyond 12 degrees, and as they are. `--follow` shows every
scene twice and takes what is found the second time, when detectors that follow faces know where to
look. PrivateTest is never read here.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from fer_core.classifier import Classifier
from fer_core.crops import crop_faces
from fer_core.detectors import DETECTORS
from fer_core.emotions import CLASSES
from fer_core.errors import DatasetError, FerError
from fer_core.fer2013 import Split, load_dataset
from fer_core.model_store import CropSpec, model_folder
from train.scenes import look

MARGINS = (-0.1, -0.05, 0.0, 0.05, 0.1, 0.2)
EYES = ((True, 0.0), (True, 12.0), (False, 0.0))
"""`align` and `tilt` of `CropSpec`."""
_SPLIT = "PublicTest"
_BATCH = 256

Crops = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Lost:
    """What one detector loses with one way of cropping.

    Attributes:
        detector: its name.
        crop: how its faces were cropped.
        images: faces shown.
        found: share of them that was found.
        ready_made: accuracy on the ready-made images of the faces found, 0 to 1.
        cropped: accuracy on the detector's crops of the same faces.
        lost: ready_made - cropped, in points.
        interval: half the 95 % interval of `lost`, from the faces that are read otherwise.
    """

    detector: str
    crop: CropSpec
    images: int
    found: float
    ready_made: float
    cropped: float
    lost: float
    interval: float


def measure(
    split: Split,
    classifier: Classifier,
    detector: str,
    specs: Sequence[CropSpec],
    follow: bool = False,
) -> list[Lost]:
    """What `detector` loses on `split` with each of `specs`; `follow`: as in `look`."""
    size = classifier.card.input_size
    crops: dict[CropSpec, list[Crops]] = {spec: [] for spec in specs}
    seen = np.zeros(len(split), bool)
    for index, (grey, found) in enumerate(look(detector, split.images, follow=follow)):
        if found is None:
            continue
        seen[index] = True
        for spec in specs:
            crops[spec].append(crop_faces(grey, [found], size, spec))
    if not seen.any():
        raise DatasetError(f"{detector} found none of the {len(split)} faces.")
    labels = split.labels[seen]
    plain = _classify(classifier, split.images[seen][..., None]) == labels
    results = []
    for spec in specs:
        right = _classify(classifier, np.concatenate(crops[spec])) == labels
        worse, better = int((plain & ~right).sum()), int((right & ~plain).sum())
        count = len(labels)
        # Both answers are of the same face, so only faces read differently say anything.
        spread = math.sqrt(max(worse + better - (worse - better) ** 2 / count, 0)) / count
        results.append(
            Lost(
                detector,
                spec,
                len(split),
                float(seen.mean()),
                float(plain.mean()),
                float(right.mean()),
                100 * (worse - better) / count,
                100 * 1.96 * spread,
            )
        )
    return results


def _classify(classifier: Classifier, crops: Crops) -> npt.NDArray[np.int64]:
    size = classifier.card.input_size
    if crops.shape[1] != size:
        resized = [cv2.resize(crop[:, :, 0], (size, size)) for crop in crops]
        crops = np.stack(resized)[..., None].astype(np.uint8)
    return np.concatenate(
        [
            classifier.classify(crops[start : start + _BATCH]).argmax(axis=1)
            for start in range(0, len(crops), _BATCH)
        ]
    )


def chosen_images(data: Path, count: int, seed: int = 0) -> Split:
    """`count` images of PublicTest, drawn by `seed`, without those that FER+ calls not a face.

    Raises:
        DatasetError: the data set cannot be read.
    """
    split = load_dataset(data).split(_SPLIT)
    rows: npt.NDArray[np.int64] = np.arange(len(split))
    if split.votes is not None:
        rows = rows[~split.not_a_face()]
    drawn = np.random.default_rng(seed).choice(rows, min(count, len(rows)), replace=False)
    return split.take(np.sort(drawn))


def lines(results: Sequence[Lost]) -> Iterator[str]:
    """The table."""
    yield f"{'detector':10s}  margin  {'eyes':27s}  found  ready-made  cropped  lost, points"
    for row in results:
        yield (
            f"{row.detector:10s}  {row.crop.margin:+6.2f}  {row.crop.eyes:27s}"
            f"  {100 * row.found:4.1f} %  {100 * row.ready_made:8.1f} %  {100 * row.cropped:5.1f} %"
            f"  {row.lost:+5.1f} +- {row.interval:.1f}"
        )


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.detect_then_classify",
        description="What finding and cropping a face costs in accuracy.",
    )
    parser.add_argument("--data", type=Path, required=True, help="FER2013, any of its layouts")
    parser.add_argument("--images", type=int, default=1500, help="how many of PublicTest")
    parser.add_argument("--model", help="name in models/ (default: the default model)")
    parser.add_argument("--detector", choices=DETECTORS, action="append", help="default: all")
    parser.add_argument("--sweep", action="store_true", help="several margins, eyes level or not")
    parser.add_argument("--follow", action="store_true", help="show every scene twice")
    parser.add_argument("--json", action="store_true", help="as JSON")
    chosen = parser.parse_args(arguments)
    results: list[Lost] = []
    try:
        split = chosen_images(chosen.data, chosen.images)
        if split.classes != CLASSES:
            raise DatasetError(f"FER2013's seven classes are needed; found {split.classes}.")
        with Classifier(model_folder(chosen.model)) as classifier:
            specs = [classifier.card.crop]
            if chosen.sweep:
                specs = [CropSpec(margin, *how) for how in EYES for margin in MARGINS]
            for name in chosen.detector or DETECTORS:
                results += measure(split, classifier, name, specs, chosen.follow)
    except FerError as error:
        parser.exit(1, f"{error}\n")
    print(
        json.dumps([asdict(row) for row in results], indent=2)
        if chosen.json
        else "\n".join(lines(results))
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
