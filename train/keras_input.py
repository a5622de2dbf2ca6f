"""What Keras trains on: under TensorFlow a data set that ends when its last batch does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras

from train.batches import EpochBatches

_AHEAD = 4
"""Batches that are made before they are asked for."""


def keras_input(batches: EpochBatches) -> Any:
    """`batches` for `keras.Model.fit`.

    Of batches that are made in one thread Keras makes a `tf.data` data set that tunes itself, in
    a thread that sleeps 10 ms, then twice as long each time, and up to a minute; an epoch may have
    to wait until it wakes. Measured with `compact48` on two cores, in half of the epochs: one of
    3.6 s took 5.1, one of 7 s 10.2. Here nothing is tuned.

    Args:
        batches: of one epoch.

    Returns:
        A `tf.data.Dataset` of the same batches, or `batches` itself under other backends and where
        several threads make them.
    """
    if keras.backend.backend() != "tensorflow" or batches.workers > 1:
        return batches
    import tensorflow as tf

    def made() -> Iterator[tuple[Any, ...]]:
        return (batches[index] for index in range(len(batches)))

    def form(part: Any) -> Any:
        return tf.TensorSpec(part.shape, part.dtype)

    options = tf.data.Options()
    options.autotune.enabled = False
    return (
        tf.data.Dataset.from_generator(
            made, output_signature=keras.tree.map_structure(form, batches[0])
        )
        .apply(tf.data.experimental.assert_cardinality(len(batches)))
        .prefetch(_AHEAD)
        .with_options(options)
    )
