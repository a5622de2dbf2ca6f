"""Whether a GPU is worth asking for, found out without importing a framework to look."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Mapping
from pathlib import Path

__all__ = ["gpu_may_be_usable"]

DRIVER_LIBRARY = "libcuda.so.1"


def gpu_may_be_usable(
    devices: Path = Path("/dev"),
    environment: Mapping[str, str] | None = None,
    driver: str = DRIVER_LIBRARY,
) -> bool:
    """True when the machine shows an NVIDIA device, its driver loads, and it is not switched off.

    TensorFlow takes 6 s and 680 MB to import, so it is asked only when this says yes; whether it
    can really use the card is for it to say.

    Args:
        devices: the folder of device files (`nvidia0`..., or `dxg` under Windows' Linux).
        environment: variables; None for the process's own. An empty or negative
            `CUDA_VISIBLE_DEVICES` switches the card off, as it does for CUDA itself.
        driver: name of the driver's library.
    """
    variables = os.environ if environment is None else environment
    visible = variables.get("CUDA_VISIBLE_DEVICES")
    if visible is not None and (not visible.strip() or visible.strip().startswith("-")):
        return False
    if not any(devices.glob("nvidia[0-9]*")) and not (devices / "dxg").exists():
        return False
    try:
        ctypes.CDLL(driver)
    except OSError:
        return False
    return True
