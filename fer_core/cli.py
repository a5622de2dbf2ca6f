"""The command: `python -m fer_core analyze | camera | models`; each has a file in `commands/`.

Exit codes: 0 when all was done, 1 when some was not (each has its sentence, and the others are not
lost), 2 when the command cannot be carried out as it was given, 130 when it was interrupted.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from fer_core.cluster.address import with_address
from fer_core.commands import analyze, camera, models
from fer_core.commands.common import CANNOT, INTERRUPTED, SOME_FAILED, complain
from fer_core.errors import FerError

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code.

    Args:
        arguments: without the program's name; None for those of the process.
    """
    words = with_address(sys.argv[1:] if arguments is None else arguments)
    options = _parser().parse_args(words)
    try:
        with _ending_is_an_interrupt():
            code: int = options.run(options)
            return code
    except FerError as error:
        complain(str(error))
        return CANNOT
    except KeyboardInterrupt:
        complain("Interrupted; what is printed is complete as far as it goes.")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has had enough; nothing more can be printed, not even while leaving.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return SOME_FAILED


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One sentence, as everywhere else, in place of the whole usage."""
        self.exit(CANNOT, f"{message[:1].upper()}{message[1:]}. See `{self.prog} --help`.\n")


class _Version(argparse.Action):
    """Looks the version up only when it is asked for, which takes longer than the rest."""

    def __init__(self, **given: Any) -> None:
        super().__init__(nargs=0, **given)

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> NoReturn:
        from importlib.metadata import PackageNotFoundError, version

        try:
            said = f"fer-live {version('fer-live')}"
        except PackageNotFoundError:
            said = "fer-live, run from its folder, without an installed version"
        print(f"{said}; Python {sys.version.partition(' ')[0]}")
        parser.exit()


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m fer_core",
        description="Read facial expressions in pictures, clips and live video, on this machine.",
        epilog="`%(prog)s COMMAND --help` says what a command takes and gives.",
    )
    parser.add_argument("--version", action=_Version, help="print the version and end")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in (analyze, camera, models):
        command.add_parser(commands)
    return parser


@contextlib.contextmanager
def _ending_is_an_interrupt() -> Iterator[None]:
    """Being asked to end (by a scheduler, by `timeout`) tidies up as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(*_: Any) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
