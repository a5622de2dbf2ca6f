"""Everything that can be chosen for a run, in one frozen dataclass that is saved with it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from fer_core.errors import OptionError
from train.augmentation import AugmentationOptions
from train.recipe import RecipeOptions

SCHEDULES = ("cosine", "constant")
OPTIMISERS = ("sgd", "adam", "adamw", "nadam")
PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True)
class TrainOptions(RecipeOptions):
    """One training run; `train.recipe` describes the rest.

    Attributes:
        architecture: name in `train.architectures`.
        epochs: at most so many passes over the training split.
        batch_size: crops a step.
        learning_rate: highest rate.
        optimiser: `sgd` (Nesterov momentum 0.9), `adam`, `adamw` or `nadam`.
        schedule: `cosine` (to nearly zero at the last epoch) or `constant`.
        warmup_epochs: the rate climbs linearly over so many epochs; may be a fraction.
        plateau_patience: epochs without a better PublicTest accuracy after which the rate is
            multiplied by `plateau_factor` for the rest of the run; 0 switches it off.
        plateau_factor: see `plateau_patience`.
        early_stopping: epochs without a better PublicTest accuracy after which training ends; 0
            switches it off.
        weight_decay: L2 factor on kernels.
        dropout: share of features dropped before the last layer.
        label_smoothing: share of the target spread evenly over all classes.
        vote_smoothing: share of the target that follows the FER+ votes (0 without votes).
        drop_not_a_face: leave out training rows that FER+ calls not a face.
        precision: `float32`, or `bfloat16` for mixed precision.
        seed: of weights, order, augmentation and dropout.
        augmentation: how training crops are changed.
        input_size: side of the crops, pixels; 0 for the architecture's own. Crops of another size
            are resized.
        channels: what the first convolution sees: 1, or 3, the same grey three times. 3 with
            `weights`, whatever stands here.
        weights: what the trunk starts from: empty (nothing), `imagenet` (Keras downloads them
            once), or a weights file of the network of `keras.applications` without its top.
        frozen_epochs: so many epochs train the head alone, with the trunk as `weights` has it.
        unfrozen_rate: the rate is multiplied by this from the end of the frozen epochs on.
    """

    architecture: str = "compact48"
    epochs: int = 40
    batch_size: int = 128
    learning_rate: float = 0.05
    optimiser: str = "sgd"
    schedule: str = "cosine"
    warmup_epochs: float = 1.0
    plateau_patience: int = 15
    plateau_factor: float = 0.5
    early_stopping: int = 30
    weight_decay: float = 2.5e-4
    dropout: float = 0.2
    label_smoothing: float = 0.05
    vote_smoothing: float = 0.2
    drop_not_a_face: bool = True
    precision: str = "bfloat16"
    seed: int = 1
    augmentation: AugmentationOptions = field(default_factory=AugmentationOptions)
    input_size: int = 0
    channels: int = 1
    weights: str = ""
    frozen_epochs: int = 0
    unfrozen_rate: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        _one_of("optimiser", self.optimiser, OPTIMISERS)
        _one_of("schedule", self.schedule, SCHEDULES)
        _one_of("precision", self.precision, PRECISIONS)
        for name in ("epochs", "batch_size"):
            if getattr(self, name) < 1:
                raise OptionError(f"{name} must be at least 1. Received: {getattr(self, name)}.")
        for name in ("learning_rate", "plateau_factor", "unfrozen_rate"):
            if not getattr(self, name) > 0:
                raise OptionError(f"{name} must be above 0. Received: {getattr(self, name)}.")
        for name in (
            "warmup_epochs",
            "plateau_patience",
            "early_stopping",
            "weight_decay",
            "seed",
            "input_size",
            "frozen_epochs",
        ):
            if getattr(self, name) < 0:
                raise OptionError(f"{name} must not be negative. Received: {getattr(self, name)}.")
        for name in ("dropout", "label_smoothing", "vote_smoothing"):
            if not 0 <= getattr(self, name) < 1:
                value = getattr(self, name)
                raise OptionError(f"{name} must be from 0 to under 1. Received: {value}.")
        if self.label_smoothing + self.vote_smoothing >= 1:
            raise OptionError("label_smoothing and vote_smoothing must sum to less than 1.")
        if self.frozen_epochs and not self.weights:
            raise OptionError(
                "frozen_epochs holds the trunk as `weights` has it. Give --weights too, or leave "
                "--frozen-epochs out."
            )

    def to_dict(self) -> dict[str, Any]:
        """A plain dictionary that `json` can write and `from_dict` can read."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TrainOptions:
        """Options from a dictionary; what is absent keeps its default.

        Raises:
            OptionError: there is a key that is no option, or a value that does not fit.
        """
        _known(cls, values)
        values = dict(values)
        if isinstance(values.get("augmentation"), dict):
            inner = dict(values["augmentation"])
            _known(AugmentationOptions, inner)
            if "erasing_area" in inner:
                inner["erasing_area"] = tuple(inner["erasing_area"])
            values["augmentation"] = AugmentationOptions(**inner)
        for name in ("classes", "teachers"):
            if isinstance(values.get(name), list):
                values[name] = tuple(values[name])
        try:
            return cls(**values)
        except TypeError as error:
            raise OptionError(f"An option has a value of the wrong kind: {error}.") from None

    @classmethod
    def from_file(cls, file: Path) -> TrainOptions:
        """Options from a JSON file, as `python -m train fit` writes it beside a model.

        Raises:
            OptionError: the file is missing, is not JSON, or holds an unknown option.
        """
        try:
            values = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise OptionError(f"The options {file} cannot be read: {error}") from None
        if not isinstance(values, dict):
            raise OptionError(f"The options {file} must be a JSON object.")
        return cls.from_dict(values)


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise OptionError(f"Unknown {name}. Received: {value!r}. Known: {', '.join(known)}.")


def _known(kind: type[Any], values: dict[str, Any]) -> None:
    names = {item.name for item in fields(kind)}
    unknown = sorted(set(values) - names)
    if unknown:
        raise OptionError(
            f"Unknown option: {', '.join(unknown)}. Known: {', '.join(sorted(names))}."
        )
