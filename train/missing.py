"""Which networks have not been trained yet, and the command that trains each."""

from __future__ import annotations

from typing import Any

from train.compare import TARGETS

SMALLEST_FIRST = (
    "mini_xception",
    "tiny48",
    "base",
    "compact48",
    "wide48",
    "plain48",
    "cnn56",
    "googlenet",
    "resnet18",
    "cnn48",
    "dcnn",
    "vgg13",
    "resnet34",
    "resnet50",
    "vgg16",
    "inception_v3",
)
"""Every architecture by its multiply-adds, hence by the time an epoch takes. They are named here so
that to compare models does not wait for Keras."""


def missing_runs(rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Runs that are still to be made, the quickest first.

    Args:
        rows: of `train.compare.compare`.

    Returns:
        Name of the model folder, and the command, for each architecture without a network of seven
        classes that was scored on PrivateTest; then for those without one of three classes of which
        others published a figure.
    """
    scored = {(row["architecture"], row["classes"]) for row in rows if row["private"] is not None}
    wanted = [(name, 7) for name in SMALLEST_FIRST]
    wanted += [(name, 3) for name in SMALLEST_FIRST if name in TARGETS and TARGETS[name].three]
    return [
        (_folder(name, classes), _command(name, classes))
        for name, classes in wanted
        if (name, classes) not in scored
    ]


def missing_lines(rows: list[dict[str, Any]]) -> list[str]:
    """The commands, a line each."""
    return [command for _, command in missing_runs(rows)]


def missing_sentence(rows: list[dict[str, Any]]) -> str:
    """What is missing in one line; empty when nothing is."""
    names = [name for name, _ in missing_runs(rows)]
    if not names:
        return ""
    return f"Not trained yet: {', '.join(names)}. `compare --missing` prints the commands."


def _folder(name: str, classes: int) -> str:
    return name if classes == 7 else f"{name}_three"


def _command(name: str, classes: int) -> str:
    # Of three classes there is another recipe: teachers of seven cannot teach it.
    config = f"train/configs/{name}.json" if classes == 7 else f"train/configs/three/{name}.json"
    return (
        f"python -m train fit --config {config} --data fer2013.csv --ferplus fer2013new.csv "
        f"--out models/{_folder(name, classes)}"
    )
