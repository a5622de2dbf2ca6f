"""What may follow `--ray`, and whether something answers there."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Sequence

from fer_core.errors import OptionError

__all__ = ["AUTO", "HERE", "check_address", "check_answers", "with_address"]

HERE, AUTO = "local", "auto"

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 30.0

_HOST_AND_PORT = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}")
_CLIENT = "ray://"


def with_address(arguments: Sequence[str]) -> list[str]:
    """The arguments of a command with `--ray` and what follows as one word.

    Its address may be left out, so that `--ray clips/` means the folder `clips/`, and
    `--ray 10.0.0.5:6379 clips/` the cluster.

    >>> with_address(["analyze", "--ray", "clips/", "--out", "faces"])
    ['analyze', '--ray=local', 'clips/', '--out', 'faces']
    """
    words: list[str] = []
    rest = iter(arguments)
    for word in rest:
        if word == "--":
            return [*words, word, *rest]
        if word != "--ray":
            words.append(word)
            continue
        following = next(rest, None)
        if following is not None and _is_address(following):
            words.append(f"--ray={following}")
        else:
            words.append(f"--ray={HERE}")
            words.extend([] if following is None else [following])
    return words


def check_address(address: str) -> None:
    """See that `address` is one.

    Raises:
        OptionError: it is none.
    """
    if address.startswith(_CLIENT):
        raise OptionError(
            f"Addresses that begin with {_CLIENT} are not taken. Received: {address!r}. Give this "
            "command on a machine of the cluster, with HOST:PORT or auto."
        )
    if not _is_address(address):
        raise OptionError(
            f"--ray takes HOST:PORT, {AUTO} or {HERE}. Received: {address!r}. Example: "
            "--ray 10.0.0.5:6379."
        )


def check_answers(address: str) -> None:
    """See that a Ray cluster answers at HOST:PORT, in a bounded time.

    Raises:
        OptionError: nothing answers, or something that is not Ray.
    """
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise OptionError(
            f"No Ray cluster answers at {address}: {why}. Start one there with "
            "`ray start --head`, or leave the address out to use this machine."
        ) from None
    # Something listens. Ray itself would wait for minutes for an answer that never comes.
    asked = [sys.executable, "-m", "ray.scripts.scripts", "health-check", "--address", address]
    try:
        healthy = subprocess.run(asked, capture_output=True, timeout=ANSWER_SECONDS).returncode == 0
    except subprocess.TimeoutExpired:
        healthy = False
    if not healthy:
        raise OptionError(
            f"What listens at {address} does not answer as a Ray cluster of this version does. "
            "Check the port (Ray's own is 6379) and that both have the same version of Ray."
        )


def _is_address(word: str) -> bool:
    return (
        word in (HERE, AUTO)
        or word.startswith(_CLIENT)
        or _HOST_AND_PORT.fullmatch(word) is not None
    )
