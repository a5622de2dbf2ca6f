"""A made data set: seven grids with noise, small enough to train on in seconds."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from fer_core.emotions import CLASSES
from train.data import FERPLUS_VOTES, Dataset, Split

COUNTS = {"Training": 84, "PublicTest": 21, "PrivateTest": 21}


def made_dataset(seed: int = 0, counts: dict[str, int] = COUNTS) -> Dataset:
    """Class k is a grid of its own spacing; every image has noise and a shift of its own."""
    random = np.random.default_rng(seed)
    splits, row = {}, 0
    for name, count in counts.items():
        labels = np.arange(count) % len(CLASSES)
        images = random.integers(0, 60, (count, 48, 48)).astype(np.uint8)
        for image, label in zip(images, labels, strict=True):
            start = random.integers(0, 2 + label)
            image[start :: 2 + label] += 150
        votes = np.zeros((count, len(FERPLUS_VOTES)), np.float32)
        votes[:, 0] = 5
        rows = np.arange(row, row + count, dtype=np.int64)
        splits[name] = Split(images, labels.astype(np.int64), rows, votes)
        row += count
    return Dataset(splits, "made")


def mixed_dataset() -> Dataset:
    """The same images with votes of their own, and the rows of the splits among each other."""
    dataset = made_dataset()
    random = np.random.default_rng(1)
    order = random.permutation(sum(COUNTS.values()))
    splits = {}
    for name, part in dataset.splits.items():
        votes = random.integers(0, 10, part.votes.shape).astype(np.float32)
        splits[name] = replace(part, rows=np.sort(order[part.rows]), votes=votes)
    return replace(dataset, splits=splits)


def columns(dataset: Dataset) -> tuple[np.ndarray, np.ndarray, list[str], np.ndarray]:
    """images, labels, usage and votes of all splits, in row order."""
    parts = dataset.splits.values()
    order = np.argsort(np.concatenate([part.rows for part in parts]))
    usage = np.array([name for name, part in dataset.splits.items() for _ in range(len(part))])
    return (
        np.concatenate([part.images for part in parts])[order],
        np.concatenate([part.labels for part in parts])[order],
        usage[order].tolist(),
        np.concatenate([part.votes for part in parts])[order],
    )


def write_csv(dataset: Dataset, file: Path) -> Path:
    """The challenge's own layout."""
    images, labels, usage, _ = columns(dataset)
    with file.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["emotion", "pixels", "Usage"])
        for image, label, name in zip(images, labels, usage, strict=True):
            writer.writerow([label, " ".join(map(str, image.ravel())), name])
    return file


def write_votes(dataset: Dataset, file: Path) -> Path:
    """The FER+ votes, row for row."""
    _, _, usage, votes = columns(dataset)
    with file.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["Usage", "Image name", *FERPLUS_VOTES])
        for name, row in zip(usage, votes, strict=True):
            writer.writerow([name, "", *row.astype(int)])
    return file


def write_npz(dataset: Dataset, file: Path) -> Path:
    """The array layout."""
    images, labels, usage, votes = columns(dataset)
    np.savez(file, images=images, emotion=labels, usage=np.array(usage), ferplus=votes)
    return file


def write_folders(dataset: Dataset, folder: Path) -> Path:
    """The folder layout, with FER2013's file names."""
    for name, part in dataset.splits.items():
        side = folder / ("train" if name == "Training" else "test")
        for image, label, row in zip(part.images, part.labels, part.rows, strict=True):
            place = side / CLASSES[label]
            place.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(place / f"{name}_{row:05d}.png"), image)
    return folder
