"""Python programs that allocate with glibc's own `malloc`, each in a process of its own."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
GLIBC = platform.libc_ver()[0] == "glibc"

_LIBC = """
import ctypes, sys
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
"""


def printed(program: str, argument: str) -> str:
    """What `program`, which finds `libc` and `sys` made ready, prints with this argument."""
    done = subprocess.run(
        [sys.executable, "-c", _LIBC + program, argument],
        cwd=ROOT,
        env={},
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.stdout
