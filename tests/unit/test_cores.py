"""Cores that calls share."""

from __future__ import annotations

import threading
from contextlib import ExitStack

import pytest

from fer_core.cores import CROWDED_SECONDS, Cores, available_cores, process_cores
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
    cores = Cores(count)
    with ExitStack() as held:
        assert [held.enter_context(cores.taken(most)) for most in wishes] == given


def test_calls_that_have_met_keep_to_one_core_for_a_while():
    clock = Clock()
    cores = Cores(4, clock)
    with cores.taken(3) as first, cores.taken(2) as second:
        assert (first, second) == (3, 1)
    for clock.now, count in ((1000.1, 1), (1000.49, 1), (1000.5, 4), (1000.6, 4)):
        with cores.taken(4) as given:
            assert given == count


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
        clock.now += CROWDED_SECONDS
        with cores.taken(2) as count:
            order.append(f"alone with {count}")

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
    assert order == ["first", "second with 1", "alone with 2"]


def test_cores_come_back_from_a_call_that_fails():
    cores = Cores(2)
    with pytest.raises(ZeroDivisionError), cores.taken(2):
        raise ZeroDivisionError
    with cores.taken(2) as count:
        assert count == 2


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


def test_the_process_shares_its_own():
    assert process_cores() is process_cores()
    with process_cores().taken(1000) as count:
        assert count == available_cores()
