"""How much of the machine a worker may take, and how the system is told."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass

from fer_core.errors import OptionError

__all__ = ["Limits", "confine", "renew_time"]

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Limits:
    """What one piece of work may take. The system enforces memory, processor time and size of
    files; the process that waits for the answer enforces the rest.

    Attributes:
        memory_mb: address space, megabytes. A worker that has imported everything holds some 1,500
            of it, most of them never touched.
        processor_seconds: of all its threads together.
        file_mb: size of each file that it writes, megabytes.
        silent_seconds: how long it may say nothing, neither progress nor an answer.
        seconds: how long it may take in all, however lively it is.
    """

    memory_mb: int = 4000
    processor_seconds: float = 60.0
    file_mb: int = 100
    silent_seconds: float = 60.0
    seconds: float = 600.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value > 0:
                raise OptionError(f"{name} must be above 0. Received: {value}.")


def confine(limits: Limits) -> None:
    """Hold this process and what it starts to `limits`, from now on. Cannot be taken back."""
    with contextlib.suppress(ImportError):  # Windows knows none of this
        import resource

        _lower(resource.RLIMIT_CORE, 0)
        _lower(resource.RLIMIT_FSIZE, limits.file_mb * MEGABYTE)
        if sys.platform != "darwin":  # where it is not enforced and cannot always be set
            _lower(resource.RLIMIT_AS, limits.memory_mb * MEGABYTE)


def renew_time(limits: Limits) -> None:
    """Give this process `limits.processor_seconds` from now on; then the system kills it."""
    with contextlib.suppress(ImportError):
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        until = int(used.ru_utime + used.ru_stime + limits.processor_seconds) + 1
        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        if hard != resource.RLIM_INFINITY:
            until = min(until, hard)
        resource.setrlimit(resource.RLIMIT_CPU, (until, hard))


def _lower(what: int, most: int) -> None:
    import resource

    hard = resource.getrlimit(what)[1]
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    resource.setrlimit(what, (most, most))
