"""What options may be: each rule is written down once, with its sentence."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from fer_core.errors import OptionError

AT_LEAST_1 = "be at least 1"
ABOVE_0 = "be above 0"
NOT_NEGATIVE = "not be negative"
FROM_0_TO_1 = "be from 0 to 1"
FROM_0_TO_UNDER_1 = "be from 0 to under 1"

_RULES: dict[str, Callable[[Any], bool]] = {
    AT_LEAST_1: lambda value: value >= 1,
    ABOVE_0: lambda value: value > 0,
    NOT_NEGATIVE: lambda value: value >= 0,
    FROM_0_TO_1: lambda value: 0 <= value <= 1,
    FROM_0_TO_UNDER_1: lambda value: 0 <= value < 1,
}


def check_ranges(options: object, names_of: dict[str, tuple[str, ...]]) -> None:
    """Check the numbers of an options dataclass.

    Args:
        options: the dataclass.
        names_of: by rule of this module, the names of the attributes that have to keep it.

    Raises:
        OptionError: one does not, or is no finite number.
    """
    for rule, names in names_of.items():
        for name in names:
            value = getattr(options, name)
            if not (math.isfinite(value) and _RULES[rule](value)):
                raise OptionError(f"{name} must {rule}. Received: {value}.")


def check_known(options: object, known: dict[str, tuple[str, ...]]) -> None:
    """Check the attributes that have a list of values.

    Raises:
        OptionError: a value is not in its list.
    """
    for name, values in known.items():
        value = getattr(options, name)
        if value not in values:
            raise OptionError(f"Unknown {name}. Received: {value!r}. Known: {', '.join(values)}.")


def check_kinds(defaults: object, values: dict[str, Any]) -> None:
    """Refuse what is of another kind than the default: a word for a number, say.

    Args:
        defaults: the dataclass with its defaults.
        values: by name of an attribute.

    Raises:
        OptionError: a value is of another kind.
    """
    for name, value in values.items():
        default = getattr(defaults, name)
        # Every bool is an int in Python, and an int will do for a float.
        kinds = (int, float) if isinstance(default, float) else (type(default),)
        fits = isinstance(value, kinds) and isinstance(value, bool) == isinstance(default, bool)
        if fits and isinstance(value, tuple):
            # The one list of numbers has two by default; lists of words are empty.
            inner = (int, float) if default else (str,)
            fits = all(isinstance(item, inner) for item in value)
        if not fits:
            wanted = _KINDS.get(type(default), "an object")
            raise OptionError(f"{name} must be {wanted}. Received: {value!r}.")


_KINDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a word",
    tuple: "a list",
}
