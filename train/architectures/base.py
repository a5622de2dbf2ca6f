"""What every architecture has in common: options, the way in and the way out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import keras

from fer_core.errors import OptionError
from train.checks import ABOVE_0, FROM_0_TO_UNDER_1, NOT_NEGATIVE, check_ranges

OUTPUT = "probabilities"
"""Name of the layer, and in training networks of the output, that counts."""


@dataclass(frozen=True)
class ArchitectureOptions:
    """What can be chosen when a network is built.

    Attributes:
        input_size: side of the square input, pixels; at least 32.
        channels: what the first convolution sees: 1, or 3, the same grey three times, which is
            what weights made for colour pictures need. The input is grey either way, so that every
            runtime is fed the same crops.
        classes: number of outputs, at least 2.
        dropout: share of features dropped before the last layer, 0 to under 1. Networks that drop
            features earlier too say in their docstring which share.
        weight_decay: L2 factor on convolution and dense kernels; 0 for none.
        mean, deviation: the input is (x - mean) / deviation, in grey values of 0 to 255; best
            measured on the training set.
        pretrained: the network is to take weights made for ImageNet, so its trunk has to be as
            published; only some architectures can, and `channels` must be 3.
    """

    input_size: int = 48
    channels: int = 1
    classes: int = 7
    dropout: float = 0.3
    weight_decay: float = 0.0
    mean: float = 127.5
    deviation: float = 64.0
    pretrained: bool = False

    def __post_init__(self) -> None:
        if self.input_size < 32:
            raise OptionError(f"input_size must be at least 32. Received: {self.input_size}.")
        if self.channels not in (1, 3):
            raise OptionError(f"channels must be 1 or 3. Received: {self.channels}.")
        if self.classes < 2:
            raise OptionError(f"classes must be at least 2. Received: {self.classes}.")
        check_ranges(
            self,
            {
                FROM_0_TO_UNDER_1: ("dropout",),
                NOT_NEGATIVE: ("weight_decay",),
                ABOVE_0: ("deviation",),
            },
        )
        if self.pretrained and self.channels != 3:
            raise OptionError("Weights made for ImageNet need channels = 3. Received: 1.")

    def to_dict(self) -> dict[str, Any]:
        """A plain dictionary, for cards and config files."""
        return asdict(self)


class Architecture(ABC):
    """A network that can be built by name. Subclasses say where it comes from.

    Attributes:
        name: in `train.architectures`.
        source: where the network comes from.
        default_input_size: what it is trained at when nothing else is asked for, pixels.
        auxiliary_weight: what the loss of each auxiliary classifier counts for in training.
        application: name in `keras.applications` of the network whose ImageNet weights fit the
            layer called `trunk`; None when there is none.
        application_scale: `mean` and `deviation` that those weights were made for.
    """

    name: ClassVar[str]
    source: ClassVar[str]
    default_input_size: ClassVar[int] = 48
    auxiliary_weight: ClassVar[float] = 0.0
    application: ClassVar[str | None] = None
    application_scale: ClassVar[tuple[float, float]] = (0.0, 1.0)

    @abstractmethod
    def network(self, x: Any, options: ArchitectureOptions, decay: Any) -> Any:
        """The layers from what the first convolution sees to the probabilities.

        Args:
            x: normalised crops, (N, input_size, input_size, channels).
            options: of the network.
            decay: the regulariser of kernels, or None.

        Returns:
            What `softmax_head` returns; or, with auxiliary classifiers, a dictionary by output
            name, in which that is called `probabilities`.
        """

    def build(self, options: ArchitectureOptions) -> keras.Model:
        """The untrained network, as it is used.

        Returns:
            A model from (N, input_size, input_size, 1), grey values 0 to 255, to (N, classes)
            probabilities in float32.

        Raises:
            OptionError: `pretrained` is asked of a network that has no weights to take.
        """
        return without_auxiliary(self.build_training(options))

    def build_training(self, options: ArchitectureOptions) -> keras.Model:
        """The untrained network, as it is trained.

        Returns:
            The network of `build`, or one with auxiliary classifiers beside: then the output is a
            dictionary of (N, classes) probabilities, `probabilities` being those of `build`.

        Raises:
            OptionError: see `build`.
        """
        if options.pretrained and self.application is None:
            raise OptionError(
                f"There are no ImageNet weights for {self.name}. Leave --weights out, or choose a "
                "network that `python -m train archs` says takes them."
            )
        inputs, x = grey_input(options)
        decay = keras.regularizers.L2(options.weight_decay) if options.weight_decay else None
        return keras.Model(inputs, self.network(x, options, decay), name=self.name)


def without_auxiliary(model: keras.Model) -> keras.Model:
    """The part of a training network that is used; it shares its weights with `model`."""
    if not isinstance(model.output, dict):
        return model
    return keras.Model(model.input, model.output[OUTPUT], name=model.name)


def grey_input(options: ArchitectureOptions) -> tuple[Any, Any]:
    """The input and what the first convolution sees: normalised, and repeated for 3 channels.

    Normalisation is part of the network by contract.
    """
    inputs = keras.Input((options.input_size, options.input_size, 1), name="crops")
    scaled = keras.layers.Rescaling(
        1.0 / options.deviation, -options.mean / options.deviation, name="normalise"
    )(inputs)
    if options.channels == 3:
        scaled = keras.layers.Concatenate(name="repeat")([scaled, scaled, scaled])
    return inputs, scaled


def classifier_head(x: Any, options: ArchitectureOptions, decay: Any) -> Any:
    """Global average pooling, then `softmax_head`."""
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    return softmax_head(x, options, decay)


def softmax_head(x: Any, options: ArchitectureOptions, decay: Any) -> Any:
    """Dropout, a dense layer, and a softmax in float32 whatever the compute type.

    Args:
        x: features, (N, F).
        options: of the network.
        decay: the regulariser of the kernel.
    """
    if options.dropout:
        x = keras.layers.Dropout(options.dropout, name="last_dropout")(x)
    return class_probabilities(x, options.classes, decay, "logits", OUTPUT)


def class_probabilities(x: Any, classes: int, decay: Any, logits: str, name: str) -> Any:
    """A dense layer called `logits` and a softmax called `name`, both in float32."""
    # He-sized kernels would start a softmax far from even; Glorot's do not.
    x = keras.layers.Dense(classes, dtype="float32", kernel_regularizer=decay, name=logits)(x)
    return keras.layers.Softmax(dtype="float32", name=name)(x)
