"""Keeps freed memory in the process; glibc hands it back and asks for it anew at every step."""

from __future__ import annotations

from fer_core.allocator import M_MMAP_MAX, M_TOP_PAD, M_TRIM_THRESHOLD, set_malloc_options

_PAD = 64 << 20


def keep_freed_memory() -> bool:
    """Have glibc keep what is freed for the next step; for processes that train.

    A step allocates and frees some hundreds of megabytes in pieces of tens, each of which glibc
    maps anew: the kernel then fills every page of it with zeros, time and again. Measured by
    `python -m benchmarks.train_step`, with `--plain-memory` for the other figure: see
    `docs/training.md`. It costs some memory. An allocator that is preloaded (tcmalloc, jemalloc)
    does so by itself, and is not touched by this.

    Returns:
        Whether glibc was there and agreed.
    """
    return set_malloc_options((M_MMAP_MAX, 0), (M_TRIM_THRESHOLD, -1), (M_TOP_PAD, _PAD))
