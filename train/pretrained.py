"""ImageNet weights for the trunk of a network, downloaded by Keras or from a file."""

from __future__ import annotations

from pathlib import Path

import keras

from fer_core.errors import OptionError, TrainingError
from train.architectures._applications import TRUNK, untrained

IMAGENET = "imagenet"


def load_trunk(model: keras.Model, application: str, weights: str) -> None:
    """Put the weights of a network of `keras.applications` into the trunk of `model`.

    Args:
        model: with a layer called `trunk`, built with `pretrained`.
        application: name of the network in `keras.applications`.
        weights: `imagenet`, or a file that Keras saved from that network without its top.

    Raises:
        OptionError: there is no such file, or its weights are of another network.
        TrainingError: the weights cannot be downloaded.
    """
    if weights != IMAGENET and not Path(weights).is_file():
        raise OptionError(
            f"There is no weights file {weights}. Give --weights {IMAGENET}, or a file with the "
            f"weights of keras.applications.{application}(include_top=False)."
        )
    try:
        published = untrained(application, 3, weights)
        model.get_layer(TRUNK).set_weights(published.get_weights())
    except Exception as error:
        # Keras raises plain exceptions of many kinds here, with texts of many lines.
        cause = " ".join(str(error).split())[:200]
        if weights == IMAGENET:
            raise TrainingError(
                f"The ImageNet weights of {application} cannot be downloaded: {cause}. Connect "
                "once, Keras keeps them; or give a local file with --weights FILE."
            ) from None
        raise OptionError(
            f"{weights} does not hold the weights of keras.applications.{application}"
            f"(include_top=False): {cause}"
        ) from None


def freeze_trunk(model: keras.Model) -> None:
    """Hold the trunk of `model` as it is; takes effect when `model` is compiled."""
    model.get_layer(TRUNK).trainable = False


def unfreeze_trunk(model: keras.Model) -> bool:
    """Let the trunk of `model` train; returns whether it was frozen.

    Takes effect when `model` is compiled.
    """
    trunk = model.get_layer(TRUNK)
    frozen = not trunk.trainable
    trunk.trainable = True
    return frozen
