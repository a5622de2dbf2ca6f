"""The runtimes that are put to the same questions, and how far apart they may answer."""

from __future__ import annotations

import os
import subprocess
import sys

from fer_core.runtimes import RUNTIMES

__all__ = ["EXACT", "FILES", "NAMES", "SAME", "SAME_QUANTISED", "python"]

SAME = 1e-3
"""How far two runtimes may be apart in any probability."""

SAME_QUANTISED = 0.06
"""How far a quantised one may be: 0.033 is the most on FER2013's 3,589 PublicTest images."""

NAMES = [name for name in RUNTIMES if name != "auto"]
EXACT = [name for name in NAMES if name != "litert_int8"]
FILES = {"litert": "model.tflite", "litert_int8": "model.int8.tflite", "keras": "model.keras"}


def python(code: str, **environment: str) -> str:
    """What `code` prints in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
