"""A process for files from strangers: what goes wrong there is one sentence, and ends there."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from fer_core.confined import Limits, Worker, WorkerPool
from fer_core.errors import OptionError, PictureError, VideoCancelled, VideoError, WorkerError

HERE = "tests.unit.hostile"
ROOM = Limits(memory_mb=2000, processor_seconds=5, file_mb=5, silent_seconds=20, seconds=30)


@pytest.fixture
def worker() -> Iterator[Worker]:
    with Worker(ROOM) as made:
        yield made


def is_there(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


def test_it_answers_one_call_after_the_other_in_another_process(worker: Worker) -> None:
    assert worker.call(f"{HERE}:number") == worker.number != os.getpid()
    assert worker.call(f"{HERE}:double", 21) == 42
    picture = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    np.testing.assert_array_equal(worker.call(f"{HERE}:double", picture), picture * 2)
    assert worker.call(f"{HERE}:number") == worker.number


def test_progress_comes_back_in_order(worker: Worker) -> None:
    seen: list[int] = []
    assert worker.call(f"{HERE}:count", 5, 0.01, progress=seen.append) == "counted"
    assert seen == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("call", "limits", "said"),
    [
        (("hang",), {"silent_seconds": 0.5}, "nothing came of it for 0.5 seconds"),
        (("keep_alive", 30), {"seconds": 0.7}, "took more than 0.7 seconds"),
        (("spin",), {"processor_seconds": 1}, "took more than 1 seconds of processor time"),
        (("eat_memory",), {"processor_seconds": 60}, "needs more memory than one file may take"),
        (("die", "SIGSEGV"), {}, "ended the process that read it (SIGSEGV)"),
        (("die", "SIGABRT"), {}, "ended the process that read it (SIGABRT)"),
        (("die", "SIGKILL"), {}, "most likely because memory ran out"),
        (("leave",), {}, "could not be worked on (exit 3)"),
        (("stumble",), {}, "could not be worked on (KeyError)"),
        (("send_stranger",), {}, "(an answer that makes no sense)"),
    ],
    ids=lambda value: str(value[0]) if isinstance(value, tuple) else "",
)
def test_whatever_goes_wrong_is_one_sentence_and_the_process_is_gone(
    call: tuple[object, ...], limits: dict[str, float], said: str
) -> None:
    name, *arguments = call
    with Worker(Limits(**{**vars(ROOM), **limits})) as worker:
        number = worker.number
        with pytest.raises(WorkerError) as caught:
            worker.call(f"{HERE}:{name}", *arguments, name="holiday.mp4")
        assert "holiday.mp4" in str(caught.value)
        assert said in str(caught.value)
        assert not worker.alive
        assert not is_there(number), "it has been waited for, too: no zombie is left"
        with pytest.raises(WorkerError, match="has ended"):
            worker.call(f"{HERE}:number")


def test_no_file_grows_beyond_its_limit(worker: Worker, tmp_path: Path) -> None:
    file = tmp_path / "huge"
    with pytest.raises(WorkerError, match=r"larger than the 5 MB"):
        worker.call(f"{HERE}:fill_disk", file, name="holiday.mp4")
    assert file.stat().st_size <= 5_000_000


@pytest.mark.parametrize(("kind", "error"), [("picture", PictureError), ("video", VideoError)])
def test_our_own_errors_come_back_as_they_are_and_the_process_stays(
    worker: Worker, kind: str, error: type[Exception]
) -> None:
    with pytest.raises(error, match=r"^It is no picture of mine\.$"):
        worker.call(f"{HERE}:refuse", kind)
    assert worker.call(f"{HERE}:double", 1) == 2


def test_processor_time_is_counted_for_each_call(worker: Worker) -> None:
    for _ in range(3):
        worker.call(f"{HERE}:keep_alive", 0.2)
    assert worker.call(f"{HERE}:double", 1) == 2


def test_who_cancels_does_not_wait(worker: Worker) -> None:
    number, begin = worker.number, time.monotonic()
    asked = iter([False, True])
    with pytest.raises(VideoCancelled, match=r"holiday\.mp4 was cancelled"):
        worker.call(f"{HERE}:hang", name="holiday.mp4", cancelled=lambda: next(asked))
    assert time.monotonic() - begin < 5
    assert not is_there(number)


def test_the_process_ends_with_the_one_that_started_it() -> None:
    code = (
        "from fer_core.confined import Worker; import os, threading\n"
        "worker = Worker(); print(worker.number, flush=True)\n"
        f"threading.Thread(target=worker.call, args=('{HERE}:hang',), daemon=True).start()\n"
        "threading.Event().wait(0.5); os._exit(0)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    number = int(ran.stdout)
    end = time.monotonic() + 10
    while is_there(number):
        assert time.monotonic() < end, "it goes on alone"
        time.sleep(0.05)


def test_a_pool_keeps_its_process_and_replaces_one_that_died() -> None:
    with WorkerPool(ROOM, most=1) as pool:
        first = pool.call(f"{HERE}:number")
        assert pool.call(f"{HERE}:number") == first
        with pytest.raises(WorkerError):
            pool.call(f"{HERE}:die", "SIGSEGV")
        second = pool.call(f"{HERE}:number")
        assert second != first
        os.kill(second, 9)  # while nobody asks it anything
        os.waitid(os.P_PID, second, os.WEXITED | os.WNOWAIT)
        third = pool.call(f"{HERE}:number")
        assert third != second
    assert not is_there(third)


def test_an_idle_process_is_ended() -> None:
    with WorkerPool(ROOM, idle_seconds=0.3) as pool:
        number = pool.call(f"{HERE}:number")
        end = time.monotonic() + 10
        while is_there(number):
            assert time.monotonic() < end, "it is kept for ever"
            time.sleep(0.05)
        assert pool.call(f"{HERE}:double", 2) == 4


@pytest.mark.parametrize("name", ["memory_mb", "processor_seconds", "file_mb", "silent_seconds"])
def test_a_limit_of_nothing_is_refused(name: str) -> None:
    with pytest.raises(OptionError, match=f"{name} must be above 0"):
        Limits(**{name: 0})
