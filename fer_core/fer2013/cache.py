"""A csv of 300 MB is parsed once; later reads come from an `.npz` in the user's cache folder."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from fer_core.errors import DatasetError
from fer_core.fer2013.dataset import Dataset
from fer_core.fer2013.layouts import read_npz


def cached(file: Path, read: Callable[[Path], Dataset]) -> Dataset:
    """`read(file)`, or what it gave last time if the file has not changed since.

    The key is the file's path, size and time of change. A cache that cannot be written or read is
    no error: the file is simply parsed again.
    """
    stat = file.stat()
    key = f"{file.resolve()}|{stat.st_size}|{stat.st_mtime_ns}"
    store = cache_folder() / f"dataset-{hashlib.sha256(key.encode()).hexdigest()[:24]}.npz"
    if store.is_file():
        with contextlib.suppress(DatasetError):
            kept = read_npz(store)
            return Dataset(kept.splits, "csv", kept.notes)
    dataset = read(file)
    with contextlib.suppress(OSError):
        _write(dataset, store)
    return dataset


def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/fer-live`, or `~/.cache/fer-live`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fer-live"


def _write(dataset: Dataset, store: Path) -> None:
    rows = np.concatenate([split.rows for split in dataset.splits.values()])
    order = np.argsort(rows)
    usage = np.concatenate([[name] * len(split) for name, split in dataset.splits.items()])
    images = np.concatenate([split.images for split in dataset.splits.values()])
    labels = np.concatenate([split.labels for split in dataset.splits.values()])
    store.parent.mkdir(parents=True, exist_ok=True)
    beside = store.with_suffix(f".{os.getpid()}.npz")
    try:
        np.savez(beside, images=images[order], emotion=labels[order], usage=usage[order])
        beside.replace(store)
    finally:
        beside.unlink(missing_ok=True)
