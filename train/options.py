"""Everything that can be chosen for a run, in one frozen dataclass that is saved with it."""

from __future__ import annotations

import difflib
import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from fer_core.errors import OptionError
from train.augmentation import AugmentationOptions
from train.checks import (
    ABOVE_0,
    AT_LEAST_1,
    FROM_0_TO_UNDER_1,
    NOT_NEGATIVE,
    check_kinds,
    check_known,
    check_ranges,
)
from train.recipe import RecipeOptions

SCHEDULES = ("cosine", "constant")
OPTIMISERS = ("sgd", "adam", "adamw", "nadam")
PRECISIONS = ("auto", "float32", "bfloat16")
KNOWN: dict[str, tuple[str, ...]] = {
    "optimiser": OPTIMISERS,
    "schedule": SCHEDULES,
    "precision": PRECISIONS,
}
"""The options of this module that have a list of values."""


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
        precision: `float32`; `bfloat16` for mixed precision, which is slow on a processor that
            has no instructions for it; or `auto`: the one that this machine is quick in.
        seed: of weights and dropout, and, without `crops_seed`, of order and augmentation.
        augmentation: how training crops are changed.
        input_size: side of the crops, pixels; 0 for the architecture's own. Crops of another size
            are resized.
        channels: what the first convolution sees: 1, or 3, the same grey three times. 3 with
            `weights`, whatever stands here.
        weights: what the trunk starts from: empty (nothing), `imagenet` (Keras downloads them
            once), or a weights file of the network of `keras.applications` without its top.
        frozen_epochs: so many epochs train the head alone, with the trunk as `weights` has it.
        unfrozen_rate: the rate is multiplied by this from the end of the frozen epochs on.
        checkpoint_seconds: the state of a run is written at the first end of an epoch that comes so
            many seconds after the last time, and at the end; 0 for every epoch. Where an epoch
            takes a second or two, to write it takes as long.
        start_from: model folder whose weights the run starts from, of the same architecture and
            input size; empty for new weights. Where its classes are others, what it knows of those
            that both have is kept.
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
    precision: str = "auto"
    seed: int = 1
    augmentation: AugmentationOptions = field(default_factory=AugmentationOptions)
    input_size: int = 0
    channels: int = 1
    weights: str = ""
    frozen_epochs: int = 0
    unfrozen_rate: float = 0.1
    checkpoint_seconds: float = 0.0
    start_from: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_known(self, KNOWN)
        check_ranges(
            self,
            {
                AT_LEAST_1: ("epochs", "batch_size"),
                ABOVE_0: ("learning_rate", "plateau_factor", "unfrozen_rate"),
                NOT_NEGATIVE: (
                    "warmup_epochs",
                    "plateau_patience",
                    "early_stopping",
                    "weight_decay",
                    "seed",
                    "input_size",
                    "frozen_epochs",
                    "checkpoint_seconds",
                ),
                FROM_0_TO_UNDER_1: ("dropout", "label_smoothing", "vote_smoothing"),
            },
        )
        if self.label_smoothing + self.vote_smoothing >= 1:
            raise OptionError("label_smoothing and vote_smoothing must sum to less than 1.")
        if self.weights and self.start_from:
            raise OptionError("Give either --weights or --start-from, not both.")
        if self.frozen_epochs and not self.weights:
            raise OptionError(
                "frozen_epochs holds the trunk as `weights` has it. Give --weights too, or leave "
                "--frozen-epochs out."
            )

    @property
    def seed_of_crops(self) -> int:
        """What order and crops are drawn from."""
        return self.crops_seed or self.seed

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
            if isinstance(inner.get("erasing_area"), list):
                inner["erasing_area"] = tuple(inner["erasing_area"])
            check_kinds(AugmentationOptions(), inner)
            values["augmentation"] = AugmentationOptions(**inner)
        for name in ("classes", "teachers"):
            if isinstance(values.get(name), list):
                values[name] = tuple(values[name])
        check_kinds(cls(), values)
        return cls(**values)

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


def _known(kind: type[Any], values: dict[str, Any]) -> None:
    names = {item.name for item in fields(kind)}
    unknown = sorted(set(values) - names)
    if unknown:
        near = difflib.get_close_matches(unknown[0], names, 1)
        hint = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(sorted(names))}."
        raise OptionError(f"Unknown option: {', '.join(unknown)}. {hint}")
