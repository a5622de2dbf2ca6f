"""The network of a run: built, compiled for training, and taken out for use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras

from train.architectures import ArchitectureOptions, architecture
from train.architectures.base import OUTPUT, without_auxiliary
from train.finished import start_from
from train.fused import with_fused_normalisation
from train.losses import loss_of, metrics_of
from train.options import TrainOptions
from train.precision import with_precision
from train.pretrained import freeze_trunk, load_trunk

_OPTIMISERS = {
    "sgd": keras.optimizers.SGD,
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "nadam": keras.optimizers.Nadam,
}


def architecture_options(
    options: TrainOptions, mean: float, deviation: float, weight_decay: float | None = None
) -> ArchitectureOptions:
    """What the network of a run is built with.

    Args:
        options: of the run.
        mean, deviation: of the training images; with `options.weights`, what those weights were
            made for counts instead.
        weight_decay: None for that of the run.
    """
    kind = architecture(options.architecture)
    if options.weights:
        mean, deviation = kind.application_scale
    elif options.standardisation == "unit":
        mean, deviation = 0.0, 255.0
    return ArchitectureOptions(
        input_size=options.input_size or kind.default_input_size,
        channels=3 if options.weights else options.channels,
        classes=len(options.class_names),
        dropout=options.dropout,
        weight_decay=options.weight_decay if weight_decay is None else weight_decay,
        mean=mean,
        deviation=deviation,
        pretrained=bool(options.weights),
    )


def network_for_training(options: TrainOptions, mean: float, deviation: float) -> keras.Model:
    """The network of a run before its first step, compiled.

    Args:
        options: of the run.
        mean, deviation: of the training images.

    Raises:
        OptionError, TrainingError: `options.weights` cannot be loaded.
        ModelError, OptionError: `options.start_from` cannot be opened, or does not fit.
    """
    kind = architecture(options.architecture)
    policy = "mixed_bfloat16" if with_precision(options).precision == "bfloat16" else "float32"
    with _compute_type(policy):
        built = kind.build_training(architecture_options(options, mean, deviation))
        model = with_fused_normalisation(built)
    if options.weights:
        load_trunk(model, str(kind.application), options.weights)
        if options.frozen_epochs:
            freeze_trunk(model)
    if options.start_from:
        start_from(model, options.start_from, options.class_names)
    compile_for_training(model, options)
    return model


def for_use(
    model: keras.Model, options: TrainOptions, mean: float, deviation: float
) -> keras.Model:
    """The network in float32, without regularisers and auxiliary classifiers, weights of `model`.

    Args:
        model: of `network_for_training`, trained.
        options: of the run.
        mean, deviation: as the network was made with.
    """
    with _compute_type("float32"):
        built = architecture(options.architecture).build(
            architecture_options(options, mean, deviation, weight_decay=0.0)
        )
    built.set_weights(without_auxiliary(model).get_weights())
    return built


def compile_for_training(model: keras.Model, options: TrainOptions) -> None:
    """Compile with a new optimiser; metrics are those of the output that counts."""
    metrics = metrics_of(options)
    names = output_names(model)
    beside = architecture(options.architecture).auxiliary_weight
    model.compile(
        optimizer=_optimiser(options),
        loss={name: loss_of(options) for name in names} if names else loss_of(options),
        loss_weights={name: 1.0 if name == OUTPUT else beside for name in names} or None,
        metrics={OUTPUT: metrics} if names else metrics,
        # Measured on two cores: XLA trains convolutions at a third of the speed there.
        jit_compile="auto" if keras.backend.backend() == "jax" else False,
    )
    # Otherwise TensorFlow traces the first step twice, once to make the optimiser's variables.
    model.optimizer.build(model.trainable_variables)


def output_names(model: keras.Model) -> tuple[str, ...]:
    """Names of the outputs of a network with auxiliary classifiers; empty for any other."""
    return tuple(model.output) if isinstance(model.output, dict) else ()


def main_logs(logs: dict[str, float]) -> dict[str, float]:
    """What Keras reports of a step or an epoch, as if the output that counts were the only one."""
    # "probabilities_loss" must not hide "loss", the sum that is trained on.
    of_output = {name.removeprefix(f"{OUTPUT}_"): value for name, value in logs.items()}
    return {**of_output, **logs}


def _optimiser(options: TrainOptions) -> keras.optimizers.Optimizer:
    beside: dict[str, Any] = {}
    if options.clip_norm:
        beside["global_clipnorm"] = options.clip_norm
    if options.averaging:
        # Keras puts the averages into the network when `fit` ends; `train.epochs` scores both.
        beside |= {
            "use_ema": True,
            "ema_momentum": options.averaging,
            "ema_overwrite_frequency": None,
        }
    if options.optimiser == "sgd":
        beside |= {"momentum": 0.9, "nesterov": True}
    return _OPTIMISERS[options.optimiser](options.learning_rate, **beside)


@contextmanager
def _compute_type(policy: str) -> Iterator[None]:
    """Layers are built for this compute type within the block."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
