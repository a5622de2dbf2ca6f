"""Cores that calls share."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

import pytest

from fer_core import cores as module
from fer_core.cores import Cores, available_cores, half_of_the_cores, process_cores
from fer_core.errors import OptionError
from tests.unit.live_bench import Clock


@pytest.mark.parametrize(
    ("count", "wishes", "given"),
    [
        (2, [2], [2]),
        (2, [1, 2], [1, 1]),
        (4, [2, 2], [2, 2]),
        (3, [2, 2], [2, 1]),
        (1, [2], [1]),
        (8, [4, 4], [4, 4]),
        (8, [4, 3, 4], [4, 3, 1]),
    ],
)
def test_calls_that_meet_have_one_core_each(count, wishes, given):
    with ExitStack() as held:
        cores = Cores(count, Clock())
        assert [held.enter_context(cores.taken(most)) for most in wishes] == given


def given(cores: Cores, clock: Clock, most: int, pauses: Iterable[float], work: float) -> list[int]:
    """What calls of so many seconds get that come after such pauses."""
    counts = []
    for pause in pauses:
        clock.now += pause
        with cores.taken(most) as count:
            clock.now += work
        counts.append(count)
    return counts


@pytest.mark.parametrize(
    ("count", "aside", "given"), [(2, 1, 1), (4, 1, 3), (4, 9, 1), (1, 1, 1), (4, 0, 4)]
)
def test_what_is_set_aside_is_left_to_others(count, aside, given):
    cores = Cores(count, Clock())
    with cores.set_aside(aside), cores.taken(99) as within:
        assert within == given
    with cores.taken(99) as again:
        assert again == count


def test_cores_that_are_taken_already_can_be_set_aside_too():
    cores = Cores(2, Clock())
    with ExitStack() as aside:
        with cores.taken(2) as both:
            aside.enter_context(cores.set_aside(1))
            assert both == 2
        with cores.taken(2) as one:
            assert one == 1
    with cores.taken(2) as both:
        assert both == 2


def test_calls_that_have_met_keep_to_one_core_for_a_while():
    clock = Clock()
    cores = Cores(4, clock)
    with cores.taken(3) as first, cores.taken(2) as second:
        assert (first, second) == (3, 1)
    for _ in range(99):
        assert given(cores, clock, 4, [0.001], 0.004) == [1]
    assert given(cores, clock, 4, [0.001] * 3, 0.004) == [1, 4, 4]


def test_after_a_pause_a_call_wakes_no_other_core():
    clock = Clock()
    cores = Cores(2, clock)
    camera = [0.06, 0.001, 0.06, 0.001, 0.06, 0.001]
    assert given(cores, clock, 2, camera, 0.004) == [1] * 6
    clip = [0.06] + [0.001] * 5
    assert given(cores, clock, 2, clip, 0.004) == [1, 1, 2, 2, 2, 2]
    assert given(cores, clock, 2, [0.06, 0.001], 0.02) == [1, 2], "long work is worth it"


def test_other_work_is_no_pause():
    clock = Clock()
    cores = Cores(2, clock)
    seen = []
    for pause in (0.06, 0.001, 0.001, 0.06):
        clock.now += pause
        with cores.at_work():
            clock.now += 0.008
        seen += given(cores, clock, 2, [0.0005], 0.003)
    assert seen == [1, 2, 2, 1]


def test_a_call_waits_while_none_is_free():
    clock = Clock()
    cores = Cores(2, clock)
    order: list[str] = []
    began, go_on = threading.Event(), threading.Event()

    def first() -> None:
        with cores.taken(2):
            began.set()
            assert go_on.wait(30)
            order.append("first")

    def second() -> None:
        with cores.taken(2) as count:
            order.append(f"second with {count}")

    threads = [threading.Thread(target=first)]
    threads[0].start()
    assert began.wait(30)
    threads.append(threading.Thread(target=second))
    threads[1].start()
    threads[1].join(0.2)
    assert not order
    go_on.set()
    for thread in threads:
        thread.join(30)
    assert order == ["first", "second with 1"]


def test_cores_come_back_from_a_call_that_fails():
    cores = Cores(2)
    with pytest.raises(ZeroDivisionError), cores.taken(2):
        raise ZeroDivisionError
    with cores.taken(1) as one, cores.taken(1) as other:
        assert (one, other) == (1, 1)


def test_never_more_than_there_are_are_at_work():
    cores, lock = Cores(3), threading.Lock()
    busy = most = 0

    def work(wish: int) -> None:
        nonlocal busy, most
        for _ in range(200):
            with cores.taken(wish) as count:
                with lock:
                    busy += count
                    most = max(most, busy)
                with lock:
                    busy -= count

    threads = [threading.Thread(target=work, args=(1 + n % 3,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert most <= 3
    with ExitStack() as held:
        assert [held.enter_context(cores.taken(1)) for _ in range(3)] == [1, 1, 1]


def test_there_must_be_a_core():
    with pytest.raises(OptionError, match="Received: 0"):
        Cores(0)


@pytest.mark.parametrize(("count", "half"), [(1, 1), (2, 1), (3, 1), (4, 2), (9, 4)])
def test_a_stage_beside_others_has_half_of_the_cores(monkeypatch, count, half):
    monkeypatch.setattr(module, "available_cores", lambda: count)
    assert half_of_the_cores() == half


def test_the_process_shares_its_own():
    assert process_cores() is process_cores()
    with ExitStack() as held:
        for _ in range(available_cores()):
            held.enter_context(process_cores().taken(1))


@pytest.mark.parametrize(
    ("quota", "cores"),
    [("150000 100000", 2), ("20000 100000", 1), ("max 100000", 8), ("", 8), ("1 0", 8)],
)
def test_a_containers_share_is_heeded(
    quota: str, cores: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(8)), raising=False)
    file = tmp_path / "cpu.max"
    file.write_text(quota)
    assert available_cores(file) == cores
    assert available_cores(tmp_path / "none") == 8
