"""What is put out of the garbage collector's sight comes back into it when it must."""

from __future__ import annotations

import gc
import sys
import types
import weakref

import pytest

from ui import resources


class Ring:
    """Something that only the collector can free."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture(autouse=True)
def unfrozen(monkeypatch):
    monkeypatch.setattr(resources, "_loaded", 0)
    gc.unfreeze()
    yield
    gc.unfreeze()


@pytest.fixture
def load(monkeypatch):
    def another(name: str) -> None:
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))

    return another


def test_what_has_been_loaded_is_put_out_of_sight_once(load, monkeypatch):
    load("first_made")
    resources.settle()
    assert gc.get_freeze_count() > 10_000
    collected: list[bool] = []
    monkeypatch.setattr(gc, "collect", lambda: collected.append(True))
    resources.settle()
    assert not collected, "nothing was loaded since"


def test_a_viewers_things_that_were_put_out_of_sight_are_freed_in_the_end(load):
    ring = Ring()
    seen = weakref.ref(ring)
    load("second_made")
    resources.settle()
    del ring
    gc.collect()
    assert seen() is not None
    load("third_made")
    resources.settle()
    assert seen() is None


def test_viewers_who_come_and_go_are_not_put_out_of_sight(load):
    load("fourth_made")
    resources.settle()
    rings = [Ring() for _ in range(3)]
    for _ in range(3):
        resources.settle()
    seen = [weakref.ref(ring) for ring in rings]
    rings.clear()
    gc.collect()
    assert [ref() for ref in seen] == [None] * 3
