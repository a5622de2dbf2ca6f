"""How many cores there are to share, and how many threads one call takes of them."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["available_cores", "threads_in_words"]

QUOTA_FILE = Path("/sys/fs/cgroup/cpu.max")
"""What a container may use, as `microseconds period` or `max period` (Linux, cgroup version 2)."""


def available_cores(quota_file: Path = QUOTA_FILE) -> int:
    """Cores that this process may use: those it is bound to, up to its container's share.

    Args:
        quota_file: the container's share; ignored where there is none.
    """
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    try:
        quota, period = map(int, quota_file.read_text(encoding="ascii").split())
    except (OSError, ValueError):
        return cores
    return max(1, min(cores, round(quota / period))) if period > 0 else cores


def threads_in_words(threads: int) -> str:
    """`1 thread`, `2 threads`."""
    return f"{threads} thread{'s' if threads > 1 else ''}"
