"""The three public layouts of FER2013, each read and checked."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fer_core.emotions import CLASSES
from fer_core.errors import DatasetError, PackageMissingError
from fer_core.fer2013.dataset import SPLITS, Dataset, Split

SIDE = 48
_PIXELS = SIDE * SIDE
_PICTURES = (".png", ".jpg", ".jpeg")
_GET_IT_AGAIN = "Copy the data set again."
# Of the challenge, in the order of `SPLITS`.
_COUNTS = (28_709, 3_589, 3_589)
# Folder names seen in public copies beside the seven of the challenge.
_FOLDER_NAMES = {
    **{name: code for code, name in enumerate(CLASSES)},
    **{str(code): code for code in range(len(CLASSES))},
    "anger": 0,
    "disgusted": 1,
    "fearful": 2,
    "happiness": 3,
    "sadness": 4,
    "surprised": 5,
}


def read_csv(file: Path) -> Dataset:
    """The challenge's own `fer2013.csv`: columns emotion, pixels (2,304 numbers), Usage."""
    pd = import_pandas()
    try:
        table = pd.read_csv(file, dtype={"pixels": str}, skipinitialspace=True)
    except (OSError, ValueError) as error:
        raise DatasetError(f"{file} cannot be read as a csv: {error}. {_GET_IT_AGAIN}") from None
    table.columns = [str(name).strip() for name in table.columns]
    missing = [name for name in ("emotion", "pixels", "Usage") if name not in table.columns]
    if missing:
        raise DatasetError(
            f"{file} lacks the column {', '.join(missing)}. "
            f"It has: {', '.join(table.columns)}. FER2013 has emotion, pixels and Usage."
        )
    images = np.empty((len(table), SIDE, SIDE), np.uint8)
    for number, text in enumerate(table["pixels"]):
        images[number] = _pixels(text, f"{file}, line {number + 2}")
    return _from_columns(images, table["emotion"].tolist(), table["Usage"].tolist(), file, "csv")


def read_npz(file: Path) -> Dataset:
    """An `.npz` with images (N, 48, 48) uint8, emotion (N,), usage (N,), optionally ferplus."""
    try:
        with np.load(file, allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, EOFError, KeyError, zlib.error, zipfile.BadZipFile) as error:
        raise DatasetError(f"{file} cannot be read as an .npz: {error}. {_GET_IT_AGAIN}") from None
    missing = [name for name in ("images", "emotion", "usage") if name not in found]
    if missing:
        raise DatasetError(
            f"{file} lacks the array {', '.join(missing)}. It has: {', '.join(found) or 'none'}."
        )
    images = found["images"]
    if images.ndim == 4 and images.shape[3] == 1:
        images = images[..., 0]
    if images.shape[1:] != (SIDE, SIDE) or images.dtype != np.uint8:
        raise DatasetError(
            f"The images of {file} must be uint8 (N, 48, 48). "
            f"Received: {found['images'].dtype} {found['images'].shape}."
        )
    votes = found.get("ferplus")
    for name in ("emotion", "usage", "ferplus"):
        if name in found and len(found[name]) != len(images):
            raise DatasetError(
                f"{file} has {len(images):,} images but {len(found[name]):,} rows of {name}."
            )
    return _from_columns(
        images,
        found["emotion"].tolist(),
        found["usage"].tolist(),
        file,
        "npz",
        None if votes is None else votes.astype(np.float32),
    )


def read_folders(folder: Path) -> Dataset:
    """`train/` and `test/`, `validation/` or both, each with a folder a class.

    In the usual copies `test/` holds both PublicTest and PrivateTest, told apart by the file names.
    Where neither names nor a validation folder tell, a seeded tenth of `train/` stands in for
    PublicTest, and all of `test/` is PrivateTest. Without `test/`, `validation/` is divided by the
    file names in the same way; where they do not tell, all of it is PublicTest.
    """
    parts: dict[str, list[tuple[Path, int]]] = {name: [] for name in SPLITS}
    notes: list[str] = []
    there = [side for side in ("train", "validation", "test") if (folder / side).is_dir()]
    if "train" not in there or len(there) < 2:
        raise DatasetError(
            f"{folder} must have the folders train/ and test/, or train/ and validation/. "
            f"It has: {', '.join(f'{side}/' for side in there) or 'none of them'}."
        )
    for side in there:
        for file, label in _files(folder / side):
            parts[_split_of(file.name, side, alone="test" not in there)].append((file, label))
    if not parts["PublicTest"]:
        notes.append(
            "There is no validation split; a seeded tenth of train/ stands in for PublicTest."
        )
        order = np.random.default_rng(0).permutation(len(parts["Training"]))
        held = set(order[: len(order) // 10].tolist())
        training = parts["Training"]
        parts["PublicTest"] = [item for i, item in enumerate(training) if i in held]
        parts["Training"] = [item for i, item in enumerate(training) if i not in held]
    if not parts["PrivateTest"]:
        notes.append("There is no test split; nothing can be scored on PrivateTest.")
    splits = {}
    for name, items in parts.items():
        if items:
            images = np.stack([_picture(file) for file, _ in items])
            labels = np.array([label for _, label in items], np.int64)
            splits[name] = Split(images, labels, np.arange(len(items), dtype=np.int64))
    if "Training" not in splits:
        raise DatasetError(f"{folder / 'train'} holds no pictures ({', '.join(_PICTURES)}).")
    return Dataset(splits, "folders", tuple(notes))


def import_pandas() -> Any:
    """The package that reads csv files.

    Raises:
        PackageMissingError: it is not installed.
    """
    try:
        import pandas as pd
    except ImportError:
        raise PackageMissingError(
            "A csv of the data set is read by the package pandas, which is not installed. "
            "Run `pip install pandas`."
        ) from None
    return pd


def _split_of(name: str, side: str, alone: bool) -> str:
    """The split of a file; `alone` where `validation/` is all there is beside `train/`."""
    if side == "train":
        return "Training"
    if side == "validation":
        return "PrivateTest" if alone and name.startswith("PrivateTest") else "PublicTest"
    return "PublicTest" if name.startswith("PublicTest") else "PrivateTest"


def _files(side: Path) -> Iterable[tuple[Path, int]]:
    for folder in sorted(p for p in side.iterdir() if p.is_dir() and not p.name.startswith(".")):
        label = _FOLDER_NAMES.get(folder.name.lower())
        if label is None:
            raise DatasetError(
                f"{folder} is not one of the seven classes. Expected: {', '.join(CLASSES)}."
            )
        for file in sorted(folder.iterdir()):
            if file.suffix.lower() in _PICTURES:
                yield file, label


def _picture(file: Path) -> npt.NDArray[np.uint8]:
    import cv2

    picture = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
    if picture is None:
        raise DatasetError(f"{file} is not a picture that can be read. Copy it again.")
    if picture.shape != (SIDE, SIDE):
        raise DatasetError(
            f"{file} is {picture.shape[1]}x{picture.shape[0]} pixels; FER2013 has 48x48."
        )
    return np.asarray(picture, np.uint8)


def _pixels(text: Any, where: str) -> npt.NDArray[np.uint8]:
    try:
        # Read as int32 first: a value over 255 must be an error, not wrap round.
        values = np.fromstring(text, dtype=np.int32, sep=" ")
    except (TypeError, ValueError, DeprecationWarning):
        raise DatasetError(
            f"{where}: the pixels are not numbers. Received: {text!r:.60}. {_GET_IT_AGAIN}"
        ) from None
    if values.size != _PIXELS:
        raise DatasetError(
            f"{where}: {values.size:,} pixels instead of 2,304 (48 x 48). {_GET_IT_AGAIN}"
        )
    if values.min() < 0 or values.max() > 255:
        raise DatasetError(f"{where}: a pixel is outside 0 to 255. {_GET_IT_AGAIN}")
    return values.astype(np.uint8).reshape(SIDE, SIDE)


def _from_columns(
    images: npt.NDArray[np.uint8],
    emotions: list[Any],
    usages: list[Any],
    file: Path,
    layout: str,
    votes: npt.NDArray[np.float32] | None = None,
) -> Dataset:
    labels = np.empty(len(images), np.int64)
    for number, value in enumerate(emotions):
        try:
            labels[number] = int(value)
        except (TypeError, ValueError, OverflowError):
            labels[number] = -1
        if not 0 <= labels[number] < len(CLASSES) or labels[number] != float(value):
            raise DatasetError(
                f"{file}, row {number + 1}: unknown class. Received: {value!r}. "
                f"Expected 0 to 6 ({', '.join(CLASSES)})."
            )
    names = np.array([str(usage).strip() for usage in usages])
    unknown = sorted(set(names.tolist()) - set(SPLITS))
    if unknown:
        raise DatasetError(
            f"{file} has rows of an unknown Usage: {', '.join(unknown[:5])}. "
            f"Expected: {', '.join(SPLITS)}."
        )
    everything = Split(images, labels, np.arange(len(images), dtype=np.int64), votes)
    splits = {name: everything.take(names == name) for name in SPLITS if (names == name).any()}
    if "Training" not in splits:
        raise DatasetError(f"{file} has no rows of the split Training. {_GET_IT_AGAIN}")
    return Dataset(splits, layout, _other_counts(splits))


def _other_counts(splits: dict[str, Split]) -> tuple[str, ...]:
    """A note where these are not the counts of FER2013: a copy may be cut off between two rows."""
    found = tuple(len(splits[name]) if name in splits else 0 for name in SPLITS)
    if found == _COUNTS:
        return ()
    here = ", ".join(f"{name} {count:,}" for name, count in zip(SPLITS, found, strict=True))
    there = ", ".join(f"{count:,}" for count in _COUNTS)
    return (
        f"These are not the counts of FER2013: {here} in place of {there}. "
        "If it should be the whole of it, copy the data set again.",
    )
