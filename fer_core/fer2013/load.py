"""Find out which public layout of FER2013 a path holds, and read it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from fer_core.errors import DatasetError
from fer_core.fer2013.cache import cached
from fer_core.fer2013.dataset import FERPLUS_VOTES, Dataset, Split
from fer_core.fer2013.layouts import import_pandas, read_csv, read_folders, read_npz

_LAYOUTS = (
    "Expected fer2013.csv (columns emotion, pixels, Usage), a folder with train/ and test/ (or "
    "validation/) folders by class, or an .npz with images, emotion and usage."
)


def load_dataset(path: str | Path, ferplus: str | Path | None = None) -> Dataset:
    """Read FER2013 from whichever of its public layouts lies at `path`.

    Args:
        path: `fer2013.csv`, an `.npz`, a folder with `train/` and `test/` or `validation/`, or a
            folder that holds one of these.
        ferplus: `fer2013new.csv` with the FER+ votes, row for row; None to use the votes that an
            `.npz` brings, if any. Only csv and npz keep the order that it needs.

    Returns:
        The data set. Reading a csv is slow the first time and then comes from a cache.

    Raises:
        DatasetError: nothing is there, or it is not as the layout demands.
        PackageMissingError: it is a csv, and pandas is not installed.
    """
    source = _find(Path(path).expanduser())
    if source.is_dir():
        dataset = read_folders(source)
    elif source.suffix.lower() == ".npz":
        dataset = read_npz(source)
    else:
        dataset = cached(source, read_csv)
    if ferplus is not None:
        dataset = _with_votes(dataset, Path(ferplus).expanduser())
    return dataset


def _find(path: Path) -> Path:
    if not path.exists():
        raise DatasetError(f"There is no data set at {path}. {_LAYOUTS}")
    if path.is_file():
        if path.suffix.lower() not in (".csv", ".npz"):
            raise DatasetError(f"{path} is not a data set file. {_LAYOUTS}")
        return path
    if (path / "train").is_dir():
        return path
    for name in ("fer2013.npz", "fer2013.csv", "fer2013"):
        if (path / name).exists():
            return _find(path / name)
    inside = ", ".join(sorted(p.name for p in path.iterdir())[:8]) or "nothing"
    raise DatasetError(f"{path} holds no data set; it holds: {inside}. {_LAYOUTS}")


def _with_votes(dataset: Dataset, file: Path) -> Dataset:
    """Join FER+ votes by row number."""
    if dataset.layout == "folders":
        raise DatasetError(
            "FER+ votes are joined by row, and folders do not keep the rows. "
            "Give fer2013.csv or an .npz instead."
        )
    try:
        table = import_pandas().read_csv(file)
    except (OSError, ValueError) as error:
        raise DatasetError(f"The FER+ votes {file} cannot be read: {error}") from None
    missing = [name for name in FERPLUS_VOTES if name not in table.columns]
    if missing:
        raise DatasetError(f"{file} lacks the columns {', '.join(missing)} of fer2013new.csv.")
    total = sum(len(split) for split in dataset.splits.values())
    if len(table) != total:
        raise DatasetError(
            f"{file} has {len(table):,} rows, the data set {total:,}; they must be row for row."
        )
    votes: npt.NDArray[np.float32] = table[list(FERPLUS_VOTES)].to_numpy(np.float32)
    splits = {
        name: Split(part.images, part.labels, part.rows, votes[part.rows])
        for name, part in dataset.splits.items()
    }
    return Dataset(splits, dataset.layout, dataset.notes)
