"""What every architecture has in common: options, the first layer and the head."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import keras

from fer_core.errors import OptionError


@dataclass(frozen=True)
class ArchitectureOptions:
    """What can be chosen when a network is built.

    Attributes:
        input_size: side of the square input, pixels; at least 32.
        channels: 1 (grey) or 3 (RGB, or grey repeated).
        classes: number of outputs, at least 2.
        dropout: share of features dropped before the last layer, 0 to under 1.
        weight_decay: L2 factor on convolution and dense kernels; 0 for none.
        mean, deviation: the input is (x - mean) / deviation, in grey values of 0 to 255; best
            measured on the training set.
    """

    input_size: int = 48
    channels: int = 1
    classes: int = 7
    dropout: float = 0.3
    weight_decay: float = 0.0
    mean: float = 127.5
    deviation: float = 64.0

    def __post_init__(self) -> None:
        if self.input_size < 32:
            raise OptionError(f"input_size must be at least 32. Received: {self.input_size}.")
        if self.channels not in (1, 3):
            raise OptionError(f"channels must be 1 or 3. Received: {self.channels}.")
        if self.classes < 2:
            raise OptionError(f"classes must be at least 2. Received: {self.classes}.")
        if not 0 <= self.dropout < 1:
            raise OptionError(f"dropout must be from 0 to under 1. Received: {self.dropout}.")
        if self.weight_decay < 0:
            raise OptionError(f"weight_decay must not be negative. Received: {self.weight_decay}.")
        if self.deviation <= 0:
            raise OptionError(f"deviation must be above 0. Received: {self.deviation}.")

    def to_dict(self) -> dict[str, Any]:
        """A plain dictionary, for cards and config files."""
        return asdict(self)


class Architecture(ABC):
    """A network that can be built by name. Subclasses say where it comes from."""

    name: ClassVar[str]
    source: ClassVar[str]
    default_input_size: ClassVar[int] = 48

    @abstractmethod
    def build(self, options: ArchitectureOptions) -> keras.Model:
        """The untrained network.

        Returns:
            A model from (N, input_size, input_size, channels), grey values 0 to 255, to
            (N, classes) probabilities in float32.
        """


def grey_input(options: ArchitectureOptions) -> tuple[Any, Any]:
    """The input and the normalised input; normalisation is part of the network by contract."""
    inputs = keras.Input((options.input_size, options.input_size, options.channels), name="crops")
    scaled = keras.layers.Rescaling(
        1.0 / options.deviation, -options.mean / options.deviation, name="normalise"
    )(inputs)
    return inputs, scaled


def classifier_head(x: Any, options: ArchitectureOptions, decay: Any = None) -> Any:
    """Global average pooling, dropout, and a softmax in float32 whatever the compute type."""
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    if options.dropout:
        x = keras.layers.Dropout(options.dropout, name="dropout")(x)
    # He-sized kernels would start a softmax far from even; Glorot's do not.
    logits = keras.layers.Dense(
        options.classes, dtype="float32", kernel_regularizer=decay, name="logits"
    )(x)
    return keras.layers.Softmax(dtype="float32", name="probabilities")(logits)
