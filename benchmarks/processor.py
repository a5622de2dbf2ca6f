"""Processor time: that of a process and all that it has started, and that of the whole machine."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from fer_core.errors import OptionError

__all__ = ["family_seconds", "machine_seconds"]

_PARENT, _TIMES = 1, slice(11, 15)
"""Places in `/proc/NUMBER/stat` behind the name: its parent, and the time of the process itself and
of those of its children that have ended, each in the user's and in the system's code."""


def family_seconds(process: int, folder: Path = Path("/proc")) -> float:
    """Seconds of a process, of its children, and of theirs; those that have ended included.

    Raises:
        OptionError: there is no such process, or no Linux.
    """
    known: dict[int, list[str]] = {}
    for file in folder.glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            # A name may hold blanks and brackets.
            words = file.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            known[int(file.parent.name)] = words
    if process not in known:
        raise OptionError(
            f"The processor time of process {process} cannot be read in {folder}. "
            "This measurement needs Linux."
        )
    family, ticks = [process], 0
    for member in family:
        ticks += sum(map(int, known[member][_TIMES]))
        family += [number for number, words in known.items() if int(words[_PARENT]) == member]
    return ticks / os.sysconf("SC_CLK_TCK")


def machine_seconds(folder: Path = Path("/proc")) -> float:
    """Seconds that all cores together have been busy so far, whoever kept them so.

    Raises:
        OptionError: there is no Linux.
    """
    try:
        line = (folder / "stat").read_text(encoding="ascii").splitlines()[0]
    except OSError:
        raise OptionError("This measurement needs Linux.") from None
    user, nice, system, _idle, _waiting, *interrupts_and_stolen = map(int, line.split()[1:9])
    return (user + nice + system + sum(interrupts_and_stolen)) / os.sysconf("SC_CLK_TCK")
