"""Processor time: that of a process and all that it has started, and that of the whole machine."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from benchmarks.machine import family
from fer_core.errors import OptionError

__all__ = ["family_seconds", "machine_seconds"]

_TIMES = slice(11, 15)
"""Places in `/proc/NUMBER/stat` behind the name: the time of the process itself and of those of its
children that have ended, each in the user's and in the system's code."""


def family_seconds(process: int) -> float:
    """Seconds of a process, of its children, and of theirs; those that have ended included.

    Raises:
        OptionError: there is no such process, or no Linux.
    """
    # Some kernels keep no list of children, and without it only the process itself would count.
    if not Path(f"/proc/{process}/task/{process}/children").exists():
        raise OptionError(
            f"The processor time of process {process} cannot be read in /proc. "
            "This measurement needs Linux."
        )
    ticks = 0
    for number in family(process):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            text = Path(f"/proc/{number}/stat").read_text(encoding="utf-8", errors="replace")
            # A name may hold blanks and brackets.
            ticks += sum(map(int, text.rpartition(")")[2].split()[_TIMES]))
    return ticks / os.sysconf("SC_CLK_TCK")


def machine_seconds() -> float:
    """Seconds that all cores together have been busy so far, whoever kept them so.

    Raises:
        OptionError: there is no Linux.
    """
    try:
        line = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0]
    except OSError:
        raise OptionError("This measurement needs Linux.") from None
    user, nice, system, _idle, _waiting, *interrupts_and_stolen = map(int, line.split()[1:9])
    return (user + nice + system + sum(interrupts_and_stolen)) / os.sysconf("SC_CLK_TCK")
