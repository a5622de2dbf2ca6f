"""The machine and the versions behind a figure, in words."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from fer_core.cores import available_cores

__all__ = ["machine_in_words", "peak_megabytes", "versions_of"]

_WIDEST = {"amx_int8": "AMX", "avx512f": "AVX-512", "avx2": "AVX2", "avx": "AVX"}
"""From a flag of `/proc/cpuinfo` to its name, the widest first."""


def machine_in_words() -> str:
    """Processor and its widest arithmetic, cores this process may use, and operating system."""
    name, widest = _processor()
    processor = f"{name} ({widest})" if widest else name
    return f"{processor}, {available_cores()} cores, {platform.system()} {platform.machine()}"


def versions_of(*packages: str) -> dict[str, str]:
    """Python's version and those of installed `packages`."""
    found = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def peak_megabytes() -> float:
    """The most memory that this process has had resident so far."""
    status = Path("/proc/self/status")
    if status.is_file():
        # The other figure is never less than what the parent process had when it started this one.
        for line in status.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return round(int(line.split()[1]) / 1024, 1)
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(most / (1024 * 1024 if sys.platform == "darwin" else 1024), 1)


def _processor(file: Path = Path("/proc/cpuinfo")) -> tuple[str, str]:
    """Name, and the widest of the instruction sets that decide how fast a network runs."""
    lines: dict[str, str] = {}
    if file.is_file():
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
            key, _, value = line.partition(":")
            lines.setdefault(key.strip(), value.strip())
    flags = lines.get("flags", "").split()
    widest = next((words for flag, words in _WIDEST.items() if flag in flags), "")
    return lines.get("model name") or platform.processor() or platform.machine(), widest
