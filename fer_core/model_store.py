"""What lies in `models/`: one folder a network, described in full by its `card.json`.

A folder holds `model.keras`, runtime files such as `model.tflite`, `history.csv`,
`evaluation.json` and the card. Every file that is executed is listed in the card with its SHA-256;
a folder is opened only when they match.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from fer_core.emotions import CLASSES
from fer_core.errors import ModelError

__all__ = [
    "CARD_FILE",
    "CropSpec",
    "ModelCard",
    "default_model_name",
    "file_sha256",
    "list_models",
    "load_card",
    "model_folder",
    "models_root",
    "runnable_models",
    "verify_files",
    "verify_model",
    "write_card",
]

CARD_FILE = "card.json"
SCHEMA = 1
MODELS_VARIABLE = "FER_LIVE_MODELS"
"""Environment variable that names another models folder."""


@dataclass(frozen=True)
class CropSpec:
    """How a box becomes the crop that this network was trained on.

    Attributes:
        margin: widening of a tight face box, as a share of its side, on all sides together.
        align: whether the crop is turned so that the eyes are level (where eye points are known).
        tilt: degrees that are left when it is turned: a head tilted by no more stays as it is, one
            tilted further keeps so much of it, and nothing jumps in between. A network that was
            trained on tilted faces reads them as well, and eye points are never exact.
    """

    margin: float = 0.0
    align: bool = True
    tilt: float = 0.0

    @property
    def eyes(self) -> str:
        """What becomes of the eyes, in words."""
        if not self.align:
            return "as they are"
        return f"levelled beyond {self.tilt:g} degrees" if self.tilt else "levelled"


@dataclass(frozen=True)
class ModelCard:
    """Everything there is to know about a model folder.

    Attributes:
        name: of the folder.
        architecture: its name in `train.architectures`.
        architecture_options: what it was built with.
        classes: in the order of the outputs.
        input_size: side of the square crop, pixels.
        channels: 1 for grey, 3 for RGB.
        crop: how boxes become crops.
        temperature: the probabilities are raised to 1 / temperature and scaled to sum to 1.
        uncertain_below: best probabilities under this are labelled `uncertain`.
        parameters, multiply_adds: size and cost of one crop.
        training: data, protocol and options, in words and figures.
        figures: by split: accuracy and macro-F1, 0 to 1, and the number of images behind them.
        files: by file name: `sha256` and `bytes`.
        versions: of the packages that made it.
        intended_use, out_of_scope, limits: sentences for people.
        schema: version of this layout.
    """

    name: str
    architecture: str
    input_size: int
    classes: tuple[str, ...] = CLASSES
    channels: int = 1
    architecture_options: dict[str, Any] = field(default_factory=dict)
    crop: CropSpec = field(default_factory=CropSpec)
    temperature: float = 1.0
    uncertain_below: float = 0.4
    parameters: int = 0
    multiply_adds: int = 0
    training: dict[str, Any] = field(default_factory=dict)
    figures: dict[str, dict[str, float]] = field(default_factory=dict)
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    intended_use: str = ""
    out_of_scope: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    schema: int = SCHEMA

    def to_dict(self) -> dict[str, Any]:
        """A plain dictionary that `json` can write."""
        return asdict(self)


def models_root() -> Path:
    """The folder that holds the model folders.

    `$FER_LIVE_MODELS` where that is set; the models that an installed wheel carries; else `models/`
    of the project.
    """
    named = os.environ.get(MODELS_VARIABLE)
    if named:
        return Path(named)
    carried = Path(__file__).resolve().parent / "_models"
    if carried.is_dir():
        return carried
    return Path(__file__).resolve().parent.parent / "models"


def default_model_name(root: Path | None = None) -> str:
    """Name of the folder that is opened when none is asked for: the line in `models/default`.

    Raises:
        ModelError: the file is missing or empty, or names no folder beside it.
    """
    file = (root or models_root()) / "default"
    try:
        name = file.read_text(encoding="utf-8").strip()
    except OSError:
        raise ModelError(
            f"There is no file {file} that names the default model. "
            "Write the name of a folder beside it into it."
        ) from None
    if not name:
        raise ModelError(f"{file} is empty. Write the name of a model folder beside it into it.")
    if not _is_bare(name):
        raise ModelError(
            f"{file} holds {name!r}, which is not a plain folder name. "
            "Write the name of a model folder beside it into it."
        )
    return name


def model_folder(name: str | None = None, root: Path | None = None) -> Path:
    """The folder of the model called `name` (None: the default one).

    `name` is a bare folder name or, for models kept elsewhere, a path to a folder.

    Raises:
        ModelError: there is no such folder.
    """
    base = root or models_root()
    if name is None:
        name = default_model_name(base)
    candidates = [base / name] if _is_bare(name) else []
    if os.sep in name or (os.altsep and os.altsep in name):
        candidates.append(Path(name))
    for folder in candidates:
        if folder.is_dir():
            return folder
    known = ", ".join(runnable_models(base)) or "none"
    raise ModelError(f"There is no model called {name!r}. Models in {base}: {known}.")


def list_models(root: Path | None = None) -> list[str]:
    """Names of the folders in `root` that hold a card, sorted; empty when there are none."""
    base = root or models_root()
    if not base.is_dir():
        return []
    return sorted(
        p.name for p in base.iterdir() if (p / CARD_FILE).is_file() and not p.name.startswith(".")
    )


def runnable_models(root: Path | None = None) -> list[str]:
    """Names of the folders in `root` that hold a network to run, sorted.

    Some folders hold only a card, figures and curves of a network that was trained for comparison.
    A folder whose card cannot be read is named too, so that opening it says what is wrong.
    """
    base = root or models_root()
    return [name for name in list_models(base) if not _holds_figures_only(base / name)]


def load_card(folder: Path) -> ModelCard:
    """The card of a model folder, checked for form (not for checksums: see `verify_model`).

    Raises:
        ModelError: the card is missing, is not JSON, or lacks what every card has.
    """
    file = folder / CARD_FILE
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(
            f"The model folder {folder} has no {CARD_FILE}. "
            "Copy the folder again, or train it again with `python -m train fit`."
        ) from None
    except (OSError, ValueError) as error:
        raise ModelError(f"The card {file} cannot be read: {error}. Copy it again.") from None
    return _card_from(data, file)


def write_card(card: ModelCard, folder: Path) -> Path:
    """Write `card` into `folder`, beside and moved into place; returns the file."""
    file = folder / CARD_FILE
    beside = folder / (CARD_FILE + ".part")
    beside.write_text(
        json.dumps(card.to_dict(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    beside.replace(file)
    return file


def verify_model(folder: Path, only: str | None = None) -> ModelCard:
    """Check that the files of a model folder are the ones that its card lists.

    Args:
        folder: the model folder.
        only: name of the one file to check; None for all of them.

    Returns:
        The card.

    Raises:
        ModelError: a listed file is missing or altered, or `only` is not listed.
    """
    card = load_card(folder)
    verify_files(folder, card, [only] if only is not None else sorted(card.files))
    return card


def verify_files(folder: Path, card: ModelCard, names: Iterable[str]) -> None:
    """Check these files of a model folder against its card, which has been read.

    Raises:
        ModelError: the card lists no file or not this one, or a file is missing or altered.
    """
    if not card.files:
        raise ModelError(
            f"The model folder {folder} holds figures only, no network to run. Choose another "
            "model, or train this one with `python -m train fit --config "
            f"{folder}/options.json --data PATH --out FOLDER`."
        )
    for name in names:
        if name not in card.files:
            listed = ", ".join(sorted(card.files))
            raise ModelError(f"The card of {folder} does not list {name}. It lists: {listed}.")
        if not _is_bare(name):
            raise ModelError(
                f"The card of {folder} lists {name!r}, which is not a plain file name."
            )
        file = folder / name
        if not file.is_file():
            raise ModelError(
                f"The model folder {folder} lacks {name}, which its card lists. "
                "Copy the folder again."
            )
        if file_sha256(file) != card.files[name].get("sha256"):
            raise ModelError(
                f"{file} is not the file that its card describes (the SHA-256 differs). "
                "Copy the folder again; do not use this file."
            )


def file_sha256(file: Path) -> str:
    """SHA-256 of a file, as lower-case hexadecimal."""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _holds_figures_only(folder: Path) -> bool:
    try:
        return not load_card(folder).files
    except ModelError:
        return False


def _is_bare(name: str) -> bool:
    return bool(name) and name not in (".", "..") and "/" not in name and "\\" not in name


def _card_from(data: Any, file: Path) -> ModelCard:
    if not isinstance(data, dict):
        raise ModelError(f"The card {file} is not a JSON object. Copy the folder again.")
    if data.get("schema") != SCHEMA:
        raise ModelError(
            f"The card {file} has schema {data.get('schema')!r}; this version reads {SCHEMA}. "
            "Export the model again with `python -m train export`."
        )
    known = {item.name for item in fields(ModelCard)}
    values = {key: value for key, value in data.items() if key in known}
    try:
        values["crop"] = CropSpec(**values.get("crop", {}))
        values["classes"] = tuple(values["classes"])
        for name in ("limits", "out_of_scope"):
            values[name] = tuple(values.get(name, ()))
        card = ModelCard(**values)
    except (KeyError, TypeError) as error:
        raise ModelError(f"The card {file} lacks something or has too much: {error}.") from None
    tilt = card.crop.tilt
    if not isinstance(tilt, int | float) or not 0 <= tilt <= 180:
        raise ModelError(f"The card {file} is out of range: a tilt of {tilt!r} degrees.")
    if card.input_size < 1 or not card.temperature > 0 or not card.classes:
        raise ModelError(
            f"The card {file} is out of range: input_size {card.input_size}, "
            f"temperature {card.temperature}, {len(card.classes)} classes."
        )
    return card
