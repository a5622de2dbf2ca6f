"""What of a run goes beyond network, rate and augmentation: labels, mixing, averaging, teachers."""

from __future__ import annotations

from dataclasses import dataclass

from fer_core.detectors import DETECTORS
from fer_core.emotions import CLASSES
from fer_core.errors import OptionError
from train.checks import (
    ABOVE_0,
    FROM_0_TO_1,
    FROM_0_TO_UNDER_1,
    NOT_NEGATIVE,
    check_known,
    check_ranges,
)

LABELS = ("fer2013", "ferplus")
VOTE_TARGETS = ("off", "majority", "soft")
BALANCES = ("off", "weights", "sampling")
STANDARDISATIONS = ("training", "unit")
VIEWS = ("clean", "seen", "undamaged")
PER_CROP = ("seen", "undamaged")
"""The views of which each crop has its own."""

PLACES = ("auto", "host", "device")
DEVICES = ("one", "all")
TEST_VIEWS = ("off", "flip", "ten-crop")
"""Test-time augmentation, see `train.views`."""

CONTEMPT = "contempt"
"""The eighth class of FER+."""


@dataclass(frozen=True)
class RecipeOptions:
    """The part of `TrainOptions` that every default leaves as it would be without it.

    Attributes:
        labels: `fer2013`, its own; or `ferplus`, eight classes with contempt by the FER+ votes. The
            splits that are scored keep the rows that its authors score: of the votes, single ones
            left out, more than half are for one class. A training row only needs most votes.
        classes: the classes to tell apart, at least two; rows of others are left out. Empty for
            all of them.
        drop_leaked: leave out training rows that stand, pixel for pixel, in a test split too.
        ferplus_targets: `off`; `majority`: the training label is the class with most votes;
            `soft`: the target is the share of the votes. The splits that are scored keep theirs.
        scenes: detector that looks for each training image in a webcam's picture; its crops of the
            faces found are trained on beside the images, so that the network also knows faces as
            the app shows them to it. `off` for the images alone.
        class_balance: `off`; `weights`: the loss of rare classes counts more; `sampling`: rare
            classes are drawn more often.
        balance_power: how far: 1 for full balance, 0.5 for its square root.
        mixup: share of crops blended with another of the batch (Zhang et al., 2018).
        mixup_alpha: both parameters of the Beta distribution of the blend.
        cutmix: share of crops with a patch of another of the batch (Yun et al., 2019).
        cutmix_alpha: both parameters of the Beta distribution of the patch's area.
        clip_norm: gradients longer than this, all together, are shortened to it; 0 for none.
        sharpness: radius (rho, 0.05 say) of sharpness-aware steps (Foret et al., 2021), each of
            which costs as much as two others, see `train.sharpness`; 0 for none. TensorFlow alone.
        averaging: momentum of a moving average of the weights over the steps, 0.999 say; scored
            beside the weights themselves, and kept where it is better on PublicTest; 0 for none.
        standardisation: `training`: by mean and deviation of the training images; `unit`: 0 to 1.
        teachers: model folders whose averaged probabilities are a target.
        teacher_probabilities: file with such probabilities that `python -m train teach` wrote.
        distillation: share of the loss that follows the teachers.
        distillation_temperature: by which teachers and network are softened for that share
            (Hinton et al., 2015).
        distillation_views: `clean`: teachers see each image once, as it is and mirrored; `seen`:
            teachers see the very crops that the network sees (Beyer et al., 2022); `undamaged`:
            the same crops before a webcam's damage (`degrade`), so that the network learns to
            answer as if it were not there.
        distillation_rounds: with `seen` or `undamaged`: so many epochs have crops of their own;
            after them the same crops come again, and what the teachers said of them is remembered.
            A student is so trained for hundreds of epochs at the price of tens. 0 for new crops in
            every epoch.
        answers: folder where what the teachers said of the crops of those rounds is kept, for runs
            beside or after this one that see the same crops; empty for memory alone.
        crops_seed: of the order and of the crops, for runs from several seeds that are to see the
            same crops, whose `answers` they then share; 0 for `seed`.
        augment_on: `host`, `device`, or `auto`: on the device when it is a GPU.
        devices: `one`, or `all`: batches are divided between all devices.
    """

    labels: str = "fer2013"
    classes: tuple[str, ...] = ()
    drop_leaked: bool = False
    ferplus_targets: str = "off"
    scenes: str = "off"
    class_balance: str = "off"
    balance_power: float = 1.0
    mixup: float = 0.0
    mixup_alpha: float = 0.4
    cutmix: float = 0.0
    cutmix_alpha: float = 1.0
    clip_norm: float = 0.0
    sharpness: float = 0.0
    averaging: float = 0.0
    standardisation: str = "training"
    teachers: tuple[str, ...] = ()
    teacher_probabilities: str = ""
    distillation: float = 0.0
    distillation_temperature: float = 1.0
    distillation_views: str = "clean"
    distillation_rounds: int = 0
    answers: str = ""
    crops_seed: int = 0
    augment_on: str = "auto"
    devices: str = "one"

    def __post_init__(self) -> None:
        check_known(self, KNOWN)
        check_ranges(
            self,
            {
                FROM_0_TO_1: ("mixup", "cutmix", "distillation", "balance_power"),
                ABOVE_0: ("mixup_alpha", "cutmix_alpha", "distillation_temperature"),
                NOT_NEGATIVE: ("clip_norm", "sharpness", "distillation_rounds", "crops_seed"),
                FROM_0_TO_UNDER_1: ("averaging",),
            },
        )
        if self.mixup + self.cutmix > 1:
            raise OptionError(
                "mixup and cutmix are shares of the crops; they must sum to at most 1."
            )
        self._check_classes()
        self._check_teachers()

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes that the network tells apart, in the order of its outputs."""
        known = CLASSES if self.labels == "fer2013" else (*CLASSES, CONTEMPT)
        return tuple(name for name in known if not self.classes or name in self.classes)

    def _check_classes(self) -> None:
        known = CLASSES if self.labels == "fer2013" else (*CLASSES, CONTEMPT)
        unknown = sorted(set(self.classes) - set(known))
        if unknown:
            raise OptionError(f"Unknown class: {', '.join(unknown)}. Known: {', '.join(known)}.")
        if self.classes and len(set(self.classes)) < 2:
            raise OptionError(f"Give at least two classes. Received: {', '.join(self.classes)}.")

    def _check_teachers(self) -> None:
        named = bool(self.teachers) or bool(self.teacher_probabilities)
        if self.distillation and not named:
            raise OptionError(
                "distillation needs a teacher. Give --teachers FOLDER... or "
                "--teacher-probabilities FILE."
            )
        if named and not self.distillation:
            raise OptionError(
                "Teachers are given, but distillation is 0. Give --distillation 0.8, say."
            )
        if self.teachers and self.teacher_probabilities:
            raise OptionError("Give either --teachers or --teacher-probabilities, not both.")
        if self.distillation_views in PER_CROP and self.teacher_probabilities:
            raise OptionError(
                "Probabilities from a file are of clean images. Give --teachers instead, or "
                "--distillation-views clean."
            )
        if self.distillation_rounds and self.distillation_views not in PER_CROP:
            raise OptionError(
                "distillation_rounds says how many epochs of crops the teachers see. Give "
                "--distillation-views seen or undamaged too, or leave --distillation-rounds out."
            )
        if self.answers and not self.distillation_rounds:
            raise OptionError(
                "answers keeps what teachers say of crops that come again. Give "
                "--distillation-rounds too, or leave --answers out."
            )


KNOWN: dict[str, tuple[str, ...]] = {
    "labels": LABELS,
    "ferplus_targets": VOTE_TARGETS,
    "scenes": ("off", *DETECTORS),
    "class_balance": BALANCES,
    "standardisation": STANDARDISATIONS,
    "distillation_views": VIEWS,
    "augment_on": PLACES,
    "devices": DEVICES,
}
"""The options of this module that have a list of values."""
