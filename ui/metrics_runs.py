"""Where model folders and runs are looked for, and which of them is being trained now."""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fer_core.model_store import CARD_FILE, models_root

RUNS_VARIABLE = "FER_LIVE_RUNS"
"""Environment variable: more folders of runs, parted like those of PATH."""

FIRST_EPOCH_SECONDS = 3600.0
"""A run whose first epoch is not done is taken for stopped when it is older than this."""

QUIET_SECONDS = 600.0
"""A run that has written nothing for so long, and for three epochs, is taken for stopped."""

_SIGNS = ("checkpoint/state.json", "checkpoint", "history.csv", "options.json", "seen.png")


@dataclass(frozen=True)
class RunState:
    """How far a folder is.

    Attributes:
        kind: `finished`, `training` (now), `stopped` (in the middle) or `empty`.
        epochs: done.
        asked: how many were asked for, or None.
        seconds_left: until the last epoch that was asked for, or None.
    """

    kind: str
    epochs: int = 0
    asked: int | None = None
    seconds_left: float | None = None


def roots(more: str = "") -> list[Path]:
    """The folders of model folders: `models/` first, then those of `FER_LIVE_RUNS` and `more`."""
    named = [*os.environ.get(RUNS_VARIABLE, "").split(os.pathsep), more]
    found = [models_root()]
    for text in named:
        folder = Path(text.strip()).expanduser() if text.strip() else None
        if folder is not None and folder not in found:
            found.append(folder)
    return found


def folders_in(places: list[Path]) -> dict[str, Path]:
    """Every folder in `places`, also empty and half-written ones, by a name of its own.

    A place that is a run itself stands for that run. A name that an earlier place has too is
    followed by the name of its own place.
    """
    found: dict[str, Path] = {}
    for place in places:
        for folder in _inside(place):
            name = folder.name
            if name in found:
                name = f"{name} ({place.name or place})"
            number = 2
            while name in found:
                name = f"{folder.name} ({place}, {number})"
                number += 1
            found[name] = folder
    return found


def _inside(place: Path) -> list[Path]:
    try:
        if any((place / name).is_file() for name in (CARD_FILE, "history.csv")):
            return [place]
        return sorted(
            entry for entry in place.iterdir() if entry.name[0] not in "._" and entry.is_dir()
        )
    except (OSError, ValueError):
        return []


def run_state(
    folder: Path,
    history: dict[str, list[float]],
    options: dict[str, Any],
    now: float | None = None,
) -> RunState:
    """How far `folder` is. Never raises.

    Args:
        folder: of a model or a run.
        history: as in `ModelFolder.history`.
        options: of the run, as far as they are known.
        now: seconds since 1970; None for the clock.
    """
    asked = _count(options.get("epochs"))
    seconds = [value for value in history.get("seconds", []) if math.isfinite(value) and value > 0]
    done = len(history.get("epoch", []))
    if _looks_live(folder, max(seconds[-5:], default=0.0), done, now):
        recent = sorted(seconds[-5:])
        left = None
        if asked is not None and recent:
            left = max(0, asked - done) * recent[len(recent) // 2]
        return RunState("training", done, asked, left)
    if _is_file(folder / CARD_FILE):
        return RunState("finished", done, asked)
    if done or _exists(folder / "checkpoint"):
        return RunState("stopped", done, asked)
    return RunState("empty", 0, asked)


def may_be_live(folder: Path) -> bool:
    """Whether `folder` deserves a closer look: cheap, for lists of many folders."""
    return _exists(folder / "checkpoint") or _before_first_epoch(folder)


def _looks_live(folder: Path, epoch_seconds: float, done: int, now: float | None) -> bool:
    if not may_be_live(folder):
        return False
    limit = max(QUIET_SECONDS, 3 * epoch_seconds) if done else FIRST_EPOCH_SECONDS
    return (time.time() if now is None else now) - _newest(folder) < limit


def _before_first_epoch(folder: Path) -> bool:
    """Until the first epoch ends there may be nothing but the options."""
    return _is_file(folder / "options.json") and not any(
        _exists(folder / name) for name in (CARD_FILE, "history.csv", "evaluation.json")
    )


def _newest(folder: Path) -> float:
    times = [-math.inf]
    for sign in _SIGNS:
        try:
            times.append((folder / sign).stat().st_mtime)
        except OSError:
            continue
    return max(times)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and 0 < value < 1_000_000 else None
