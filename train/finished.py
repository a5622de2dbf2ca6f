"""A finished network, opened from its model folder: what a run may start from or learn from."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from fer_core.errors import OptionError
from fer_core.model_store import ModelCard, model_folder, verify_model
from train.architectures.base import without_auxiliary

FILE = "model.keras"


def open_finished(name: str) -> tuple[keras.Model, ModelCard]:
    """The network of a model folder and its card, checked against its checksum.

    Args:
        name: of a model folder, or a path to one.

    Raises:
        ModelError: the folder is missing or damaged.
    """
    folder = model_folder(name)
    card = verify_model(folder, only=FILE)
    return keras.saving.load_model(folder / FILE, compile=False, safe_mode=True), card


def start_from(model: keras.Model, name: str, classes: tuple[str, ...]) -> None:
    """Put the weights of a finished network into `model`, which has the same architecture.

    Of a network with other classes, its last layer keeps what it knows of those that both have; a
    class that is new to it begins with the new weights of `model`. Auxiliary classifiers keep the
    weights they have: finished networks have none.

    Args:
        model: of `Architecture.build_training`.
        name: of a model folder, or a path to one.
        classes: that `model` tells apart.

    Raises:
        ModelError: the folder is missing or damaged.
        OptionError: no class is the same, or it is of another architecture.
    """
    finished, card = open_finished(name)
    shared = [label for label in classes if label in card.classes]
    if not shared:
        raise OptionError(
            f"{name} tells apart {', '.join(card.classes)}; this run {', '.join(classes)}. "
            "Start from another network, or from none."
        )
    heart = without_auxiliary(model)
    given, own = finished.get_weights(), heart.get_weights()
    if card.classes != classes and len(own) == len(given):
        old = [card.classes.index(label) for label in shared]
        new = [classes.index(label) for label in shared]
        for at in _last_layer(finished):
            given[at] = _with_columns(own[at], new, given[at], old)
    if [weight.shape for weight in given] != [weight.shape for weight in own]:
        raise OptionError(
            f"The weights of {name} ({card.architecture}) do not fit this network. Give the "
            "architecture and the input size of that run, or start from none."
        )
    heart.set_weights(given)


def _last_layer(model: keras.Model) -> list[int]:
    """Where the weights of the layer that makes the logits stand among those of `model`."""
    last = next(layer for layer in reversed(model.layers) if layer.weights)
    numbers = {id(weight): at for at, weight in enumerate(model.weights)}
    return [numbers[id(weight)] for weight in last.weights]


def _with_columns(
    into: npt.NDArray[Any], new: list[int], given: npt.NDArray[Any], old: list[int]
) -> npt.NDArray[Any]:
    """`into` with its columns `new` replaced by the columns `old` of `given`, if they fit."""
    if into.shape[:-1] != given.shape[:-1]:
        return given
    changed = np.array(into)
    changed[..., new] = given[..., old]
    return changed
