"""Makes a `.keras` file readable by the Keras 3 releases before the one that wrote it.

Keras writes every argument of a layer, also those that only its newest release knows, and older
ones refuse an argument that they do not know. Python 3.10 ends at Keras 3.12, so what was trained
under a later one must leave out the arguments that say nothing.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

from train.packed import pack_weights

_CONFIG = "config.json"
_WEIGHTS = "model.weights.h5"

# Arguments that came after Keras 3.12, and the value at which a layer does what it did before.
# None stands for any value: these only refine another argument that is at its old value.
_LATER: dict[str, tuple[Any, ...] | None] = {
    "input_axes": (None,),
    "output_axes": (None,),
    "quantization_config": (None,),
    "renorm": (False,),
    "renorm_clipping": (None,),
    "renorm_momentum": None,
}


def without_later_arguments(config: Any) -> Any:
    """A layer's configuration without the arguments above that are at their old values.

    Args:
        config: what `json` reads from a `.keras` file; it is not changed.
    """
    if isinstance(config, dict):
        renormalised = bool(config.get("renorm"))
        return {
            name: without_later_arguments(value)
            for name, value in config.items()
            if not _says_nothing(name, value, renormalised)
        }
    if isinstance(config, list):
        return [without_later_arguments(value) for value in config]
    return config


def make_portable(source: Path, target: Path) -> None:
    """Write the `.keras` file `source` as `target`: weights packed, configuration small."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for item in old.infolist():
            data = old.read(item)
            if item.filename == _CONFIG:
                data = json.dumps(without_later_arguments(json.loads(data))).encode()
                item.compress_type = zipfile.ZIP_DEFLATED
            elif item.filename == _WEIGHTS:
                data = pack_weights(data)
            new.writestr(item, data)


def _says_nothing(name: str, value: Any, renormalised: bool) -> bool:
    if name not in _LATER:
        return False
    old = _LATER[name]
    return not renormalised if old is None else value in old
