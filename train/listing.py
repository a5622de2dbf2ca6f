"""The architectures as a list for people and programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from train.architectures import ARCHITECTURES, Architecture, ArchitectureOptions
from train.architectures.base import without_auxiliary
from train.cost import count_cost

Description = dict[str, Any]


def describe(kind: type[Architecture]) -> Description:
    """Name, cost and source of an architecture at its default size, measured on the network.

    Returns:
        `name`; `input_size`, pixels; `parameters` and `multiply_adds` of the network for use, one
        grey crop, seven classes; `auxiliary_classifiers` in training; `imagenet_weights`, whether
        it takes any; `source`.
    """
    trained = kind().build_training(ArchitectureOptions(input_size=kind.default_input_size))
    cost = count_cost(without_auxiliary(trained))
    return {
        "name": kind.name,
        "input_size": kind.default_input_size,
        "parameters": cost.parameters,
        "multiply_adds": cost.multiply_adds,
        "auxiliary_classifiers": len(trained.outputs) - 1,
        "imagenet_weights": kind.application is not None,
        "source": kind.source,
    }


def describe_all() -> Iterator[Description]:
    """`describe` of every architecture by name, each as soon as it is measured."""
    import keras

    for _, kind in sorted(ARCHITECTURES.items()):
        yield describe(kind)
        keras.backend.clear_session()


def table_lines(descriptions: Iterable[Description]) -> Iterator[str]:
    """Lines of a table for the terminal."""
    yield f"{'name':<14}{'input':>6}{'parameters':>13}{'multiply-adds':>15}  source"
    for row in descriptions:
        notes = [row["source"]]
        if row["auxiliary_classifiers"]:
            notes.append(f"{row['auxiliary_classifiers']} auxiliary in training")
        if row["imagenet_weights"]:
            notes.append("takes ImageNet weights")
        yield (
            f"{row['name']:<14}{row['input_size']:>6}{row['parameters']:>13,}"
            f"{row['multiply_adds']:>15,}  {'; '.join(notes)}"
        )
