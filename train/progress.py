"""What a person sees while a network trains."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any


class Progress:
    """Says nothing; the base of what does."""

    def start(self, epochs: int, steps: int, history: Sequence[dict[str, float]]) -> None:
        """Training begins, or goes on after the epochs in `history`."""

    def step(self, epoch: int, step: int, logs: dict[str, Any]) -> None:
        """A step of an epoch, both from 1, is done."""

    def epoch(self, row: dict[str, float], best: bool) -> None:
        """An epoch is done and kept."""

    def message(self, text: str) -> None:
        """Something worth a line happened."""

    def stop(self) -> None:
        """Training ended, for whatever reason."""


class LineProgress(Progress):
    """A line an epoch, for logs and pipes."""

    def start(self, epochs: int, steps: int, history: Sequence[dict[str, float]]) -> None:
        """See `Progress.start`."""
        self._epochs = epochs
        going_on = f", going on after epoch {len(history)}" if history else ""
        self.message(f"{epochs} epochs of {steps} steps{going_on}")

    def epoch(self, row: dict[str, float], best: bool) -> None:
        """See `Progress.epoch`."""
        self.message(epoch_line(row, self._epochs, best))

    def message(self, text: str) -> None:
        """See `Progress.message`."""
        print(text, flush=True)


class RichProgress(LineProgress):
    """A live bar with the time left, and a line an epoch above it."""

    def __init__(self) -> None:
        from rich import progress

        self._bar = progress.Progress(
            progress.TextColumn("{task.description}"),
            progress.BarColumn(),
            progress.TextColumn("{task.percentage:>5.1f} %"),
            progress.TimeElapsedColumn(),
            progress.TextColumn("left"),
            progress.TimeRemainingColumn(),
            # The pace of whole epochs counts, not that of the last few steps.
            speed_estimate_period=600,
        )

    def start(self, epochs: int, steps: int, history: Sequence[dict[str, float]]) -> None:
        """See `Progress.start`."""
        self._steps = steps
        self._bar.start()
        self._task = self._bar.add_task(
            "training", total=epochs * steps, completed=len(history) * steps
        )
        super().start(epochs, steps, history)

    def step(self, epoch: int, step: int, logs: dict[str, Any]) -> None:
        """See `Progress.step`."""
        text = f"epoch {epoch}/{self._epochs}  accuracy {float(logs.get('accuracy', 0)):.3f}"
        self._bar.update(self._task, completed=(epoch - 1) * self._steps + step, description=text)

    def message(self, text: str) -> None:
        """See `Progress.message`."""
        self._bar.console.print(text, highlight=False)

    def stop(self) -> None:
        """See `Progress.stop`."""
        self._bar.stop()


def progress_for_terminal() -> Progress:
    """A live bar where there is a terminal, lines otherwise."""
    return RichProgress() if sys.stdout.isatty() else LineProgress()


def epoch_line(row: dict[str, float], epochs: int, best: bool) -> str:
    """One epoch in words."""
    return (
        f"epoch {int(row['epoch']):3d}/{epochs}  {row['seconds']:6.1f} s  "
        f"rate {row['learning_rate']:.5f}  "
        f"loss {row['loss']:.4f}  accuracy {row['accuracy']:.4f}  "
        f"PublicTest loss {row['val_loss']:.4f}  accuracy {row['val_accuracy']:.4f}"
        f"{'  best' if best else ''}"
    )
