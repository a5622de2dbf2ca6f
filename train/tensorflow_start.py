"""What TensorFlow is told before it is imported, for processes that train."""

from __future__ import annotations

import os

BEFORE_IMPORT: dict[str, str] = {
    # The C++ side greets on standard error, in the middle of the progress.
    "TF_CPP_MIN_LOG_LEVEL": "2",
    # Left to itself, TensorFlow takes oneDNN's convolutions only where the processor has
    # instructions made for networks; with AVX2 alone they train up to three times as fast.
    "TF_ENABLE_ONEDNN_OPTS": "1",
}
"""Names of environment variables and their values."""


def prepare_tensorflow() -> None:
    """Set `BEFORE_IMPORT` where the user has set nothing; after TensorFlow's import it is too late.

    Other backends take no notice. Figures are in `docs/training.md`. A finished network is read
    without this (`fer_core.runtimes.keras`): for one face these convolutions take longer.
    """
    for name, value in BEFORE_IMPORT.items():
        os.environ.setdefault(name, value)
