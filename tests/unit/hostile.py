"""What a file from a stranger may make of the process that reads it; called there by name."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

from fer_core.confined.child import Tell
from fer_core.errors import PictureError, VideoError


def double(tell: Tell, value: Any) -> Any:
    return value * 2


def number(tell: Tell) -> int:
    return os.getpid()


def count(tell: Tell, times: int, seconds: float) -> str:
    for step in range(times):
        tell.progress(step)
        time.sleep(seconds)
    return "counted"


def hang(tell: Tell) -> None:
    time.sleep(600)


def spin(tell: Tell) -> None:
    while True:
        tell.alive()


def keep_alive(tell: Tell, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        tell.alive()
        time.sleep(0.05)


def die(tell: Tell, name: str) -> None:
    os.kill(os.getpid(), getattr(signal, name))
    threading.Event().wait(30)


def leave(tell: Tell) -> None:
    os._exit(3)


def eat_memory(tell: Tell) -> None:
    eaten = []
    while True:
        eaten.append(np.ones(64_000_000, np.uint8))


def fill_disk(tell: Tell, file: Path) -> None:
    with file.open("wb") as stream:
        while True:
            stream.write(bytes(1_000_000))


def refuse(tell: Tell, kind: str) -> None:
    raise {"picture": PictureError, "video": VideoError}[kind]("It is no picture of mine.")


def stumble(tell: Tell) -> None:
    raise KeyError("nobody thought of this")


class Stranger:
    """An object that nobody has named."""


def send_stranger(tell: Tell) -> Stranger:
    return Stranger()
