"""Memory that a thread has freed is used by the next, or goes back, where a server asks for it."""

from __future__ import annotations

import ctypes
import os
import platform

import pytest

from fer_core.allocator import return_freed_memory, share_freed_memory
from tests.malloc_child import GLIBC, printed

# Eight threads, one after the other, none of which ends: each takes 16 MB in small pieces and gives
# them back, but for the last, so that the kernel cannot have them.
GROWTH = """
import threading
from fer_core.allocator import return_freed_memory, share_freed_memory
if sys.argv[1] == "shared":
    assert share_freed_memory()
SIZE = 32 << 10

def resident():
    with open("/proc/self/statm") as stream:
        return int(stream.read().split()[1]) * 4096

def work(done, end):
    places = [libc.malloc(SIZE) for _ in range(512)]
    for place in places:
        ctypes.memset(place, 1, SIZE)
    for place in places[:-1]:
        libc.free(place)
    done.set()
    end.wait()

end = threading.Event()
before = resident()
for _ in range(8):
    done = threading.Event()
    threading.Thread(target=work, args=(done, end)).start()
    done.wait()
print((resident() - before) / 1e6)
end.set()
"""


def growth(how: str) -> float:
    return float(printed(GROWTH, how))


@pytest.mark.skipif(not GLIBC, reason="glibc's own option")
def test_threads_use_what_others_have_freed():
    shared, plain = growth("shared"), growth("plain")
    assert shared < plain / 2, (shared, plain)


# As above, once and in one thread: one piece at the end holds 16 MB that are free.
FREED = """
from fer_core.allocator import return_freed_memory
SIZE = 32 << 10

def resident():
    with open("/proc/self/statm") as stream:
        return int(stream.read().split()[1]) * 4096

places = [libc.malloc(SIZE) for _ in range(512)]
for place in places:
    ctypes.memset(place, 1, SIZE)
for place in places[:-1]:
    libc.free(place)
if sys.argv[1] == "held":
    print(resident())
    sys.exit()
assert return_freed_memory()
print(resident())
"""


@pytest.mark.skipif(not GLIBC, reason="glibc's own function")
def test_what_is_free_under_a_piece_in_use_goes_back():
    held, returned = int(printed(FREED, "held")), int(printed(FREED, "returned"))
    assert held - returned > 12e6, (held, returned)


@pytest.mark.parametrize(
    ("system", "library", "asked_for"),
    [("Darwin", "", None), ("Linux", "musl", None), ("Linux", "glibc", "4")],
)
def test_elsewhere_or_where_it_is_set_nothing_is_done(monkeypatch, system, library, asked_for):
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "libc_ver", lambda: (library, ""))
    monkeypatch.setattr(ctypes, "CDLL", lambda name: pytest.fail("not asked"))
    monkeypatch.setattr(os, "environ", {"MALLOC_ARENA_MAX": asked_for} if asked_for else {})
    assert not share_freed_memory()
    if asked_for is None:
        assert not return_freed_memory()
