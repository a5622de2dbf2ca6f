"""What each option does, as the docstring of its dataclass says it, for `--help`."""

from __future__ import annotations

import inspect
import re

_ATTRIBUTE = re.compile(r"    (?P<names>\w+(?:, \w+)*): (?P<words>.+)")


def words_of(kind: type) -> dict[str, str]:
    """The text of each attribute, by name, from the `Attributes:` of a class and its bases.

    Empty for every name where Python runs without docstrings.
    """
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        _, _, listed = inspect.cleandoc(base.__doc__ or "").partition("Attributes:\n")
        names: list[str] = []
        for line in listed.splitlines():
            begun = _ATTRIBUTE.fullmatch(line)
            if begun:
                names = begun["names"].split(", ")
                found |= dict.fromkeys(names, begun["words"])
            else:
                for name in names:
                    found[name] = f"{found[name]} {line.strip()}".strip()
    return found
