"""What a terminal shows while a network trains: how far it is, and how long it will still take."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from rich.console import Console

from train.progress import RichProgress

ROW = {
    "epoch": 2,
    "seconds": 10.0,
    "learning_rate": 0.05,
    "loss": 1.5,
    "accuracy": 0.4,
    "val_loss": 1.25,
    "val_accuracy": 0.5,
}


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, int], str]:
    """What stands there in the end of so many steps of a second each, after so many epochs."""
    clock = 0.0
    console = Console(
        file=io.StringIO(), record=True, force_terminal=True, width=120, get_time=lambda: clock
    )
    monkeypatch.setattr("rich._console", console)

    def run(steps: int, before: int) -> str:
        nonlocal clock
        progress = RichProgress()
        progress.start(10, 10, [ROW] * before)
        for step in range(steps):
            clock += 1
            done = before * 10 + step
            progress.step(1 + done // 10, 1 + done % 10, {"accuracy": 0.375})
        progress.epoch(ROW, best=True)
        progress.stop()
        return console.export_text()

    return run


@pytest.mark.parametrize(
    ("steps", "before", "share", "left"),
    [(20, 0, "20.0 %", "0:01:20"), (10, 5, "60.0 %", "0:00:40"), (1, 0, "1.0 %", "-:--:--")],
    ids=["a fifth", "going on", "too early to say"],
)
def test_the_bar_says_what_is_done_and_what_is_left(shown, steps, before, share, left):
    last = shown(steps, before).strip().splitlines()[-1]
    assert f"epoch {before + -(-steps // 10)}/10  accuracy 0.375" in last
    assert share in last
    assert last.rstrip().endswith(f"left {left}")


def test_a_run_that_goes_on_does_not_begin_at_nothing(shown):
    assert "50.0 %" in shown(0, 5)


def test_epochs_stand_above_the_bar(shown):
    text = shown(20, 3)
    assert "10 epochs of 10 steps, going on after epoch 3" in text
    assert "epoch   2/10    10.0 s  rate 0.05000  loss 1.5000  accuracy 0.4000" in text
    assert "PublicTest loss 1.2500  accuracy 0.5000  best" in text.replace("\n", " ")
