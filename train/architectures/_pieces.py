"""What several networks are put together from."""

from __future__ import annotations

from typing import Any

import keras

from train.architectures.base import ArchitectureOptions, class_probabilities

# Keras's own 0.99 is still far from the truth after the few hundred steps of a FER2013 epoch.
MOMENTUM = 0.9


def conv(x: Any, filters: int, size: int, stride: int, decay: Any, *, bias: bool = False) -> Any:
    """A convolution with He-normal kernels that keeps the size, but for the stride."""
    return keras.layers.Conv2D(
        filters,
        size,
        strides=stride,
        padding="same",
        use_bias=bias,
        kernel_initializer="he_normal",
        kernel_regularizer=decay,
    )(x)


def normalised(x: Any) -> Any:
    """Batch normalisation (Ioffe and Szegedy, 2015, arXiv:1502.03167)."""
    return keras.layers.BatchNormalization(momentum=MOMENTUM)(x)


def conv_relu(x: Any, filters: int, size: int, stride: int, decay: Any) -> Any:
    """Convolution, batch normalisation, ReLU."""
    return keras.layers.ReLU()(normalised(conv(x, filters, size, stride, decay)))


def residual(x: Any, channels: int, stride: int, decay: Any) -> Any:
    """Two 3x3 convolutions and a short cut, ReLU after the sum (He et al., 2016)."""
    short = x
    if stride != 1 or x.shape[-1] != channels:
        # Averaging before the 1x1 keeps what a strided 1x1 would throw away (He et al., 2019).
        if stride != 1:
            short = keras.layers.AveragePooling2D(stride, padding="same")(short)
        short = normalised(conv(short, channels, 1, 1, decay))
    y = conv_relu(x, channels, 3, stride, decay)
    y = normalised(conv(y, channels, 3, 1, decay))
    return keras.layers.ReLU()(keras.layers.Add()([short, y]))


def residual_stage(x: Any, channels: int, blocks: int, stride: int, decay: Any) -> Any:
    """Residual blocks of one width, of which the first has the stride."""
    for block in range(blocks):
        x = residual(x, channels, stride if block == 0 else 1, decay)
    return x


def conv_stage(
    x: Any,
    filters: int,
    count: int,
    decay: Any,
    *,
    size: int = 3,
    activation: str = "relu",
    batch_norm: bool = True,
    dropout: float = 0.0,
) -> Any:
    """`count` convolutions, each with its activation, then 2x2 max-pooling and dropout."""
    for _ in range(count):
        x = conv(x, filters, size, 1, decay, bias=not batch_norm)
        if batch_norm:
            x = normalised(x)
        x = keras.layers.Activation(activation)(x)
    x = keras.layers.MaxPooling2D(2)(x)
    return dropped(x, dropout)


def dense(
    x: Any, units: int, decay: Any, *, activation: str = "relu", batch_norm: bool = False
) -> Any:
    """A dense layer with He-normal kernels and its activation."""
    x = keras.layers.Dense(
        units,
        use_bias=not batch_norm,
        kernel_initializer="he_normal",
        kernel_regularizer=decay,
    )(x)
    if batch_norm:
        x = normalised(x)
    return keras.layers.Activation(activation)(x)


def dropped(x: Any, rate: float) -> Any:
    """Dropout, or nothing at all at rate 0."""
    return keras.layers.Dropout(rate)(x) if rate else x


def auxiliary_output(x: Any, options: ArchitectureOptions, decay: Any, name: str) -> Any:
    """The end of an auxiliary classifier; `x` is (N, F)."""
    return class_probabilities(x, options.classes, decay, f"{name}_logits", name)
