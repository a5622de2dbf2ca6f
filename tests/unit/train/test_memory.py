"""Freed memory is kept by a process that trains, and by no other."""

from __future__ import annotations

import platform

import pytest

from tests.malloc_child import GLIBC, printed
from train.memory import keep_freed_memory

# Forty times 32 MB, as a step does; each page that the kernel has to give is a fault.
FAULTS = """
import resource
from train.memory import keep_freed_memory
if sys.argv[1] == "kept":
    assert keep_freed_memory()
for _ in range(40):
    place = libc.malloc(40 << 20)
    ctypes.memset(place, 1, 40 << 20)
    libc.free(place)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
"""


def faults(how: str) -> int:
    return int(printed(FAULTS, how))


@pytest.mark.skipif(not GLIBC, reason="glibc's own options")
def test_memory_that_was_freed_is_used_again():
    kept, plain = faults("kept"), faults("plain")
    assert kept < plain / 4, (kept, plain)


@pytest.mark.parametrize(("system", "library"), [("Darwin", ""), ("Linux", "musl")])
def test_elsewhere_nothing_is_done(monkeypatch, system, library):
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "libc_ver", lambda: (library, ""))
    monkeypatch.setattr("ctypes.CDLL", lambda name: pytest.fail("not asked"))
    assert not keep_freed_memory()


@pytest.mark.parametrize(("command", "called"), [("fit", True), ("compare", False)])
def test_only_commands_that_train_keep_it(monkeypatch, tmp_path, command, called):
    from train.cli import main

    seen: list[bool] = []
    monkeypatch.setattr("train.memory.keep_freed_memory", lambda: seen.append(True))
    words = {
        "fit": ["--data", str(tmp_path / "none"), "--out", str(tmp_path / "out")],
        "compare": ["--models", str(tmp_path)],
    }
    main([command, *words[command]])
    assert bool(seen) == called
