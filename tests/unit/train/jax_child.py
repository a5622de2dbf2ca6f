"""Scripts that run under JAX, in a process of their own: the backend of this one is another."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]

needs_jax = pytest.mark.skipif(
    importlib.util.find_spec("jax") is None, reason="JAX is not installed"
)

# To compile takes nearly all of the time, and quick code is not needed.
_SLOW_CODE = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"


def printed_under_jax(script: str, word: str, *arguments: str, flags: str = "") -> list[str]:
    """What `script` prints after `word`, of each line that begins with it.

    Args:
        script: run in the project's folder, on the processor.
        word: at the start of a line.
        arguments: of the script.
        flags: for XLA, beside those that spare time.
    """
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=ROOT,
        env=os.environ
        | {
            "KERAS_BACKEND": "jax",
            "JAX_PLATFORMS": "cpu",
            "XLA_FLAGS": f"{_SLOW_CODE} {flags}",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    lines = [line for line in done.stdout.splitlines() if line.startswith(word)]
    return [line.removeprefix(word) for line in lines]
