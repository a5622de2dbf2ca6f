"""The live session between threads: release, forgetting, wild changes."""

from __future__ import annotations

import gc
import threading
import time

from tests.unit.live_bench import Bench, frame


def test_release_closes_the_detector_and_the_next_apply_makes_another():
    bench = Bench()
    first = bench.apply()
    bench.session.release()
    deadline = time.monotonic() + 5
    while not first.closed and time.monotonic() < deadline:
        time.sleep(0.01)
    assert first.closed == 1
    assert not bench.session.ready
    given = frame()
    assert bench.session.callback(given) is given  # a late frame
    assert bench.apply() is not first
    assert bench.session.ready


def test_release_does_not_wait_for_a_frame_in_work():
    bench = Bench()
    analyzer = bench.apply()
    analyzer.entered.clear()
    analyzer.go_on.clear()
    out = []
    worker = threading.Thread(target=lambda: out.append(bench.session.callback(frame())))
    worker.start()
    assert analyzer.entered.wait(5)
    begin = time.monotonic()
    bench.session.release()
    assert time.monotonic() - begin < 0.5
    assert not analyzer.closed
    analyzer.go_on.set()
    worker.join(5)
    assert out
    assert bench.session.snapshot().errors == 0


def test_a_forgotten_session_closes_its_detector():
    bench = Bench()
    analyzer = bench.apply()
    bench.session = None
    gc.collect()
    assert analyzer.closed == 1


def test_settings_change_while_frames_run():
    """Frames from one thread, wild changes from two others: no error, nothing used after close."""
    bench = Bench()
    bench.apply()
    stop = threading.Event()
    crashes = []

    def change(names):
        number = 0
        while not stop.is_set():
            number += 1
            try:
                bench.apply(
                    detector=names[number % 2],
                    mirror=bool(number % 3),
                    min_confidence=(number % 10) / 10,
                )
                bench.session.snapshot()
            except Exception as error:
                crashes.append(error)

    changers = [
        threading.Thread(target=change, args=(names,))
        for names in (("blazeface", "haar"), ("haar", "mediapipe"))
    ]
    for changer in changers:
        changer.start()
    for number in range(300):
        assert bench.session.callback(frame(number)).pts == number
    stop.set()
    for changer in changers:
        changer.join(10)
    assert not crashes
    shot = bench.session.snapshot()
    assert (shot.errors, shot.frames) == (0, 300)
    bench.session.close()
    assert all(analyzer.closed == 1 for analyzer in bench.made)
