"""A worker process in another environment, asked one thing at a time."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import time
from pathlib import Path
from typing import IO, Any

from benchmarks.peers.environments import PeerError
from fer_core.closing import Closing

__all__ = ["Worker"]

WORKER = Path(__file__).with_name("worker.py")


class Worker(Closing):
    """One contestant at work. Use it in a `with` block."""

    def __init__(self, python: Path, kind: str, patience: float = 600.0) -> None:
        """Start it and wait until it is ready.

        Args:
            python: the interpreter of its environment.
            kind: a name in `benchmarks.peers.worker.KINDS`.
            patience: seconds to wait for an answer.

        Raises:
            PeerError: it cannot work; the sentence says why.
        """
        self._patience = patience
        outside = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
        self._process = subprocess.Popen(
            # Nothing of this project must be found by chance; -P would do, but 3.10 has only -I.
            [str(python), "-I", str(WORKER), kind],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={name: value for name, value in os.environ.items() if name not in outside},
        )
        try:
            self._read()
        except BaseException:
            self.close()
            raise

    def ask(self, **question: Any) -> dict[str, Any]:
        """The answer to one question of `benchmarks.peers.worker`.

        Raises:
            PeerError: the worker failed, ended or took too long.
        """
        given: IO[str] | None = self._process.stdin
        assert given is not None
        try:
            given.write(json.dumps(question) + "\n")
            given.flush()
        except OSError as error:
            raise PeerError(f"The worker has ended: {error}.") from None
        return self._read()

    def close(self) -> None:
        """End the process."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _read(self) -> dict[str, Any]:
        answers: IO[str] | None = self._process.stdout
        assert answers is not None
        until = time.monotonic() + self._patience
        while not select.select([answers], [], [], 1.0)[0]:
            if time.monotonic() > until:
                raise PeerError(f"no answer for {self._patience:.0f} s")
        line = answers.readline()
        if not line:
            raise PeerError(f"it ended with code {self._process.wait()} and no word")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise PeerError(str(answer["error"]))
        return answer
