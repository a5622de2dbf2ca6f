"""Ways to execute a network behind one protocol.

`litert` runs `model.tflite` on the CPU, `litert_int8` the quantised `model.int8.tflite`, `keras`
runs `model.keras` on Keras's backend. `auto` measures nothing: it takes Keras when there is a GPU
that its backend can use, otherwise `litert`, whose probabilities are those behind the published
figures to 1e-3, and of a network that is shipped without its file `litert_int8`. Frameworks are
imported when a runtime is made, not before.
"""

from __future__ import annotations

from pathlib import Path

from fer_core.emotions import CLASSES
from fer_core.errors import ModelError, OptionError, RuntimeMissingError
from fer_core.model_store import ModelCard, load_card, models_root, verify_files
from fer_core.runtimes.base import Crops, Probabilities, Runtime, runtime_in_words
from fer_core.runtimes.gpu import gpu_may_be_usable
from fer_core.runtimes.keras import KerasRuntime
from fer_core.runtimes.litert import LitertInt8Runtime, LitertRuntime

__all__ = [
    "RUNTIMES",
    "Crops",
    "Probabilities",
    "Runtime",
    "cpu_runtime",
    "create_runtime",
    "runtime_in_words",
]

RUNTIMES: tuple[str, ...] = ("auto", "litert", "litert_int8", "keras")
"""What can be asked for; the first is the default."""

_KINDS: dict[str, type[LitertRuntime] | type[KerasRuntime]] = {
    "litert": LitertRuntime,
    "litert_int8": LitertInt8Runtime,
    "keras": KerasRuntime,
}


def create_runtime(name: str, folder: Path, threads: int | None = None) -> Runtime:
    """Open the network in `folder`, after its file has passed the card's SHA-256.

    Args:
        name: one of `RUNTIMES`.
        folder: a model folder.
        threads: CPU threads of one call; None for the runtime's own choice.

    Raises:
        OptionError: there is no runtime of that name, or `threads` is not positive.
        RuntimeMissingError: the runtime's package is not installed.
        ModelError: the folder's card or file is missing, altered, or of another kind.
    """
    if name not in RUNTIMES:
        raise OptionError(f"Unknown runtime. Received: {name!r}. Known: {', '.join(RUNTIMES)}.")
    if name == "auto":
        return _create_auto(folder, threads)
    kind = _KINDS[name]
    card = load_card(folder)
    _refuse_without(kind.file_name, card, folder, name)
    verify_files(folder, card, [kind.file_name])
    if card.classes != CLASSES or card.channels != 1:
        raise ModelError(
            f"The model in {folder} gives {', '.join(card.classes)} from {card.channels} channels; "
            f"this program runs networks that give {', '.join(CLASSES)} from 1 channel."
        )
    return kind(folder / kind.file_name, card.input_size, threads)


def cpu_runtime(card: ModelCard) -> str:
    """What `auto` takes where there is no GPU: the first runtime whose file the card lists."""
    for name, kind in _KINDS.items():
        if kind.file_name in card.files:
            return name
    return next(iter(_KINDS))


def _refuse_without(file_name: str, card: ModelCard, folder: Path, runtime: str) -> None:
    others = [name for name, kind in _KINDS.items() if kind.file_name in card.files]
    if others and file_name not in card.files:
        named = folder.name if folder.parent == models_root() else folder
        raise ModelError(
            f"{folder.name} has no {file_name}, which the runtime {runtime} needs. Choose "
            f"{' or '.join(others)}, or write it with `python -m train export --model {named}`."
        )


def _create_auto(folder: Path, threads: int | None) -> Runtime:
    card = load_card(folder)
    without_gpu = cpu_runtime(card)
    if without_gpu != "keras" and "model.keras" in card.files and gpu_may_be_usable():
        try:
            runtime = create_runtime("keras", folder, threads)
        except RuntimeMissingError:
            return create_runtime(without_gpu, folder, threads)
        if runtime.device.startswith("GPU"):
            return runtime
        runtime.close()
    return create_runtime(without_gpu, folder, threads)
