"""A finished network, opened from its model folder: what a run may start from or learn from."""

from __future__ import annotations

from collections.abc import Callable

import keras

from fer_core.errors import OptionError
from fer_core.model_store import ModelCard, model_folder, verify_model
from train.architectures.base import without_auxiliary

FILE = "model.keras"


def open_finished(
    name: str, classes: tuple[str, ...], other_classes: Callable[[ModelCard], str]
) -> tuple[keras.Model, ModelCard]:
    """The network of a model folder and its card, checked against its checksum.

    Args:
        name: of a model folder, or a path to one.
        classes: that it must tell apart.
        other_classes: the sentence when it tells others apart.

    Raises:
        ModelError: the folder is missing or damaged.
        OptionError: it has other classes.
    """
    folder = model_folder(name)
    card = verify_model(folder, only=FILE)
    if card.classes != classes:
        raise OptionError(other_classes(card))
    return keras.saving.load_model(folder / FILE, compile=False, safe_mode=True), card


def start_from(model: keras.Model, name: str, classes: tuple[str, ...]) -> None:
    """Put the weights of a finished network into `model`, which has the same architecture.

    Auxiliary classifiers keep the weights they have: finished networks have none.

    Args:
        model: of `Architecture.build_training`.
        name: of a model folder, or a path to one.
        classes: that `model` tells apart.

    Raises:
        ModelError: the folder is missing or damaged.
        OptionError: it has other classes, or is of another architecture.
    """

    def other_classes(card: ModelCard) -> str:
        return (
            f"{name} tells apart {', '.join(card.classes)}; this run {', '.join(classes)}. "
            "Start from another network, or from none."
        )

    finished, card = open_finished(name, classes, other_classes)
    heart = without_auxiliary(model)
    given = [tuple(weight.shape) for weight in finished.weights]
    if [tuple(weight.shape) for weight in heart.weights] != given:
        raise OptionError(
            f"The weights of {name} ({card.architecture}) do not fit this network. Give the "
            "architecture and the input size of that run, or start from none."
        )
    heart.set_weights(finished.get_weights())
