"""What is in a data set: counts, duplicates within and across splits, and images of no face."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from train.data import SPLITS, Dataset
from train.seen import write_sheet

Pair = tuple[int, int]
"""Two places in the joined splits, the lower one first."""

_SIDE = 12
_CANDIDATE = 0.985
"""Correlation at 12x12 above which two images are looked at in full; at 48x48 noise hides more."""

_NEAR = 0.95
"""Correlation at full size above which two images are near duplicates."""

_BLOCK = 2048
_LISTED = 20
_SHEET = 100


def audit(dataset: Dataset, said: Callable[[str], None] = lambda text: None) -> dict[str, Any]:
    """Everything that is known about a data set, as a dictionary that `json` can write.

    Args:
        dataset: to look at.
        said: is told what is being done; near duplicates take some seconds.

    Returns:
        `classes` by split; `exact` and `near` duplicates: how many images repeat another, pairs by
        splits, pairs with different labels, and the rows of some; `not_a_face` by split;
        `training_rows_in_a_test_split`, which `--drop-leaked` leaves out.
    """
    names = [name for name in SPLITS if name in dataset.splits]
    parts = [dataset.splits[name] for name in names]
    where = np.concatenate([np.full(len(part), place) for place, part in enumerate(parts)])
    images = np.concatenate([part.images for part in parts])
    labels = np.concatenate([part.labels for part in parts])
    rows = np.concatenate([part.rows for part in parts])
    said("Looking for exact duplicates ...")
    exact = exact_pairs(images)
    said("Looking for near duplicates ...")
    known = set(exact)
    near = [pair for pair in near_pairs(images) if pair not in known]

    def describe(pairs: Sequence[Pair]) -> dict[str, Any]:
        by_splits: dict[str, int] = defaultdict(int)
        for one, other in pairs:
            by_splits[f"{names[where[one]]} - {names[where[other]]}"] += 1
        return {
            "images_that_repeat_another": len({other for _, other in pairs}),
            "pairs": len(pairs),
            "pairs_by_splits": dict(by_splits),
            "pairs_with_different_labels": int(sum(labels[a] != labels[b] for a, b in pairs)),
            "some_rows": [[int(rows[a]), int(rows[b])] for a, b in pairs[:_LISTED]],
        }

    leaked = {one for one, other in exact if where[one] == 0 < where[other]}
    return {
        "layout": dataset.layout,
        "notes": list(dataset.notes),
        "classes": {name: part.counts() for name, part in zip(names, parts, strict=True)},
        "exact": describe(exact),
        "near": describe(near),
        "not_a_face": {
            name: int(part.not_a_face().sum())
            for name, part in zip(names, parts, strict=True)
            if part.votes is not None
        },
        "training_rows_in_a_test_split": len(leaked) if names[0] == "Training" else 0,
    }


def exact_pairs(images: npt.NDArray[np.uint8]) -> list[Pair]:
    """Every two images that are the same, pixel for pixel."""
    places: dict[bytes, list[int]] = defaultdict(list)
    for place, image in enumerate(images):
        places[image.tobytes()].append(place)
    return sorted(pair for same in places.values() for pair in combinations(same, 2))


def near_pairs(images: npt.NDArray[np.uint8]) -> list[Pair]:
    """Every two images that are almost the same, whatever their brightness and contrast.

    Neighbours are found among 12x12 copies, and then compared at full size by correlation.
    """
    small = np.stack(
        [cv2.resize(image, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA) for image in images]
    )
    units, full = _units(small), _units(images)
    found: list[Pair] = []
    for start in range(0, len(units), _BLOCK):
        alike = units[start : start + _BLOCK] @ units[start:].T > _CANDIDATE
        for one, other in np.argwhere(np.triu(alike, 1)).tolist():
            if float(full[start + one] @ full[start + other]) > _NEAR:
                found.append((start + one, start + other))
    return found


def _units(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Each image as a vector of mean 0 and length 1; one without contrast as zeros."""
    flat = images.reshape(len(images), -1).astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    length = np.linalg.norm(flat, axis=1, keepdims=True)
    return np.asarray(np.where(length > 1e-3, flat / np.maximum(length, 1e-3), 0), np.float32)


def write_sheets(dataset: Dataset, folder: Path) -> list[Path]:
    """Write a contact sheet of each class, and of what FER+ calls no face, of the training split.

    Args:
        dataset: to look at.
        folder: to write PNG files into.

    Raises:
        TrainingError: a file cannot be written.
    """
    training = dataset.split("Training")
    random = np.random.default_rng(0)
    kinds = {name: training.labels == label for label, name in enumerate(training.classes)}
    kinds["not_a_face"] = training.not_a_face()
    written = []
    for name, mask in kinds.items():
        rows = np.flatnonzero(mask)
        if len(rows):
            some = random.permutation(rows)[:_SHEET]
            write_sheet(training.images[some], folder / f"{name}.png", columns=10)
            written.append(folder / f"{name}.png")
    return written


def audit_lines(found: dict[str, Any]) -> list[str]:
    """What `audit` found, for people."""
    splits = list(found["classes"])
    lines = [f"{'class':<14}" + "".join(f"{name:>14}" for name in splits)]
    for name in found["classes"][splits[0]]:
        counts = "".join(f"{found['classes'][split][name]:>14,}" for split in splits)
        lines.append(f"{name:<14}{counts}")
    totals = "".join(f"{sum(found['classes'][split].values()):>14,}" for split in splits)
    lines.append(f"{'all':<14}{totals}")
    if found["not_a_face"]:
        shares = "".join(f"{found['not_a_face'].get(split, 0):>14,}" for split in splits)
        lines.append(f"{'not a face':<14}{shares}")
    for kind, word in (("exact", "Exact duplicates"), ("near", "Near duplicates, no exact ones")):
        part = found[kind]
        lines.append(
            f"{word}: {part['images_that_repeat_another']:,} images repeat another, "
            f"{part['pairs_with_different_labels']:,} of {part['pairs']:,} pairs with another label"
        )
        lines += [f"  {name}: {count:,} pairs" for name, count in part["pairs_by_splits"].items()]
    lines.append(
        f"{found['training_rows_in_a_test_split']:,} training rows stand in a test split too; "
        "`fit --drop-leaked` leaves them out."
    )
    return [*found["notes"], *lines]
