"""`googlenet`: inception modules, and two auxiliary classifiers in training."""

from __future__ import annotations

from typing import Any, ClassVar

import keras

from train.architectures._pieces import auxiliary_output, conv_relu, dense, dropped
from train.architectures.base import OUTPUT, Architecture, ArchitectureOptions, classifier_head


class Googlenet(Architecture):
    """GoogLeNet of Szegedy et al. (2015, arXiv:1409.4842).

    Nine inception modules; in training a classifier after the third and one after the sixth, whose
    losses count for 0.3 each, pull the lower modules along. They are gone from the network for use.

    What differs from the paper: the first convolution is 3x3 at full resolution where the paper has
    7x7 at half, so the modules see 12, 6 and 3 places a side of a 48x48 face; every convolution is
    followed by batch normalisation (arXiv:1502.03167) in place of local response normalisation; the
    auxiliary classifiers average to 3x3 places, not 4x4.

    5,993,735 parameters and 270,164,992 multiply-adds at 48x48.
    """

    name = "googlenet"
    source = "Szegedy et al., 2015, arXiv:1409.4842"
    auxiliary_weight = 0.3

    # 1x1; 1x1 before 3x3, 3x3; 1x1 before 5x5, 5x5; 1x1 after pooling. Table 1 of the paper.
    modules: ClassVar[dict[str, tuple[int, int, int, int, int, int]]] = {
        "3a": (64, 96, 128, 16, 32, 32),
        "3b": (128, 128, 192, 32, 96, 64),
        "4a": (192, 96, 208, 16, 48, 64),
        "4b": (160, 112, 224, 24, 64, 64),
        "4c": (128, 128, 256, 24, 64, 64),
        "4d": (112, 144, 288, 32, 64, 64),
        "4e": (256, 160, 320, 32, 128, 128),
        "5a": (256, 160, 320, 32, 128, 128),
        "5b": (384, 192, 384, 48, 128, 128),
    }
    # Share of features that an auxiliary classifier drops, as in the paper.
    auxiliary_dropout = 0.7

    def network(self, x: Any, options: ArchitectureOptions, decay: Any) -> Any:
        """See `Architecture.network`."""
        x = _halved(conv_relu(x, 64, 3, 1, decay))
        x = conv_relu(x, 64, 1, 1, decay)
        x = _halved(conv_relu(x, 192, 3, 1, decay))
        auxiliary: dict[str, Any] = {}
        for name, widths in self.modules.items():
            x = _inception(x, widths, decay)
            if name in ("3b", "4e"):
                x = _halved(x)
            elif name in ("4a", "4d"):
                key = f"auxiliary_{len(auxiliary) + 1}"
                auxiliary[key] = self._auxiliary(x, options, decay, key)
        return {OUTPUT: classifier_head(x, options, decay), **auxiliary}

    def _auxiliary(self, x: Any, options: ArchitectureOptions, decay: Any, name: str) -> Any:
        x = keras.layers.AveragePooling2D(2, padding="same")(x)
        x = keras.layers.Flatten()(conv_relu(x, 128, 1, 1, decay))
        x = dense(x, 1024, decay)
        # A network without dropout is one without any.
        x = dropped(x, self.auxiliary_dropout if options.dropout else 0.0)
        return auxiliary_output(x, options, decay, name)


def _halved(x: Any) -> Any:
    return keras.layers.MaxPooling2D(3, strides=2, padding="same")(x)


def _inception(x: Any, widths: tuple[int, int, int, int, int, int], decay: Any) -> Any:
    """Four branches side by side, joined along the channels."""
    one, before_three, three, before_five, five, pooled = widths
    branches = [
        conv_relu(x, one, 1, 1, decay),
        conv_relu(conv_relu(x, before_three, 1, 1, decay), three, 3, 1, decay),
        conv_relu(conv_relu(x, before_five, 1, 1, decay), five, 5, 1, decay),
        conv_relu(keras.layers.MaxPooling2D(3, strides=1, padding="same")(x), pooled, 1, 1, decay),
    ]
    return keras.layers.Concatenate()(branches)
