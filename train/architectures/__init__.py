"""The networks that can be trained, by name. One public network per file."""

from __future__ import annotations

from fer_core.errors import OptionError
from train.architectures.base import Architecture, ArchitectureOptions
from train.architectures.compact48 import Compact48

__all__ = ["ARCHITECTURES", "Architecture", "ArchitectureOptions", "architecture"]

ARCHITECTURES: dict[str, type[Architecture]] = {kind.name: kind for kind in (Compact48,)}


def architecture(name: str) -> Architecture:
    """The architecture called `name`.

    Raises:
        OptionError: there is none of that name.
    """
    try:
        return ARCHITECTURES[name]()
    except KeyError:
        known = ", ".join(sorted(ARCHITECTURES))
        raise OptionError(f"Unknown architecture. Received: {name!r}. Known: {known}.") from None
