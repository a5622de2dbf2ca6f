"""Ray, started or joined quietly: no page of its own, no report of use to anybody."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
import warnings
from collections.abc import Iterator
from typing import Any

from fer_core.cluster.address import AUTO, HERE, check_answers
from fer_core.commands.common import quiet
from fer_core.cores import available_cores
from fer_core.errors import OptionError, PackageMissingError

__all__ = ["import_ray", "session"]

STORE_BYTES = 512 << 20
"""Shared memory of a cluster started here: rows are small, and what exceeds it goes to disk."""

STARTS = 3
"""Ray gives its own helpers 15 seconds; on a busy machine they need less the second time."""


def import_ray() -> Any:
    """The package `ray`, with its data library.

    Raises:
        PackageMissingError: it is not installed.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Ray's notices are for its developers
            import ray
            import ray.data
    except ImportError:
        raise PackageMissingError(
            "--ray needs the package ray, which is not installed. "
            'Run `pip install "ray[data]==2.60.0"`, or leave --ray and --out away.'
        ) from None
    return ray


@contextlib.contextmanager
def session(ray: Any, address: str, workers: int | None) -> Iterator[None]:
    """Be part of a cluster; one that was started here ends with the block.

    Args:
        ray: what `import_ray` gave.
        address: `local` to start a cluster on this machine, `auto` for the one that runs on it,
            or HOST:PORT.
        workers: cores of a cluster that is started; None for those of this machine.

    Raises:
        OptionError: no cluster answers.
    """
    if address not in (HERE, AUTO):
        check_answers(address)
    if address == HERE:
        for attempt in range(1, STARTS + 1):
            try:
                _join(
                    ray,
                    address,
                    num_cpus=workers or available_cores(),
                    include_dashboard=False,
                    object_store_memory=STORE_BYTES,
                    _node_ip_address="127.0.0.1",
                )
                break
            except OptionError:
                if attempt == STARTS:
                    raise
    else:
        _join(ray, address)
    for name in ("ray", "ray.data"):
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            # Such as that one file cannot keep two workers busy.
            warnings.filterwarnings("ignore", module=r"ray\.")
            yield
    finally:
        with _signals_kept():
            ray.shutdown()


def _join(ray: Any, address: str, **options: Any) -> None:
    with _signals_kept(), warnings.catch_warnings(), quiet(True):
        warnings.simplefilter("ignore")
        try:
            ray.init(address=address, logging_level=logging.ERROR, log_to_driver=False, **options)
        except Exception as error:  # Ray raises bare ones too
            with contextlib.suppress(Exception):
                ray.shutdown()
            first = str(error).strip().partition("\n")[0][:300].rstrip(".")
            done = "started on this machine" if options else f"joined at {address}"
            raise OptionError(f"No Ray cluster could be {done}: {first}.") from None


@contextlib.contextmanager
def _signals_kept() -> Iterator[None]:
    """Ray puts its own answer to SIGTERM in place of the one that tidies up."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
