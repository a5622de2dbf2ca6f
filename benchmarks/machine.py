"""The machine and the versions behind a figure, in words."""

from __future__ import annotations

import contextlib
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
    # The other figure is never less than what the parent process had when it started this one.
    with contextlib.suppress(OSError, KeyError):
        return round(status_bytes("VmHWM") / 1024**2, 1)
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(most / (1024 * 1024 if sys.platform == "darwin" else 1024), 1)


def status_bytes(name: str, process: int | str = "self") -> int:
    """A figure of memory that Linux keeps of a process, such as `VmRSS` (now) or `VmHWM` (at most).

    Raises:
        OSError: there is no such process, or no Linux.
        KeyError: there is no such figure.
    """
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii", errors="replace")
    for line in status.splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise KeyError(name)


def family(process: int) -> set[int]:
    """A process and all that came from it and still runs; itself alone where there is no Linux."""
    found, asked = {process}, [process]
    while asked:
        for task in Path(f"/proc/{asked.pop()}/task").glob("*/children"):
            with contextlib.suppress(OSError):  # gone since
                fresh = {int(number) for number in task.read_text(encoding="ascii").split()} - found
                found |= fresh
                asked += fresh
    return found


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
