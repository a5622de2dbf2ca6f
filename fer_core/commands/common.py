"""What every command shares: exit codes, the options of an analysis, and a quiet standard error."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer_core.detectors import DETECTORS, DetectorOptions
from fer_core.errors import OptionError
from fer_core.runtimes import RUNTIMES
from fer_core.runtimes.litert import LitertInt8Runtime, LitertRuntime

if TYPE_CHECKING:
    from fer_core.analyzer import AnalyzerOptions

__all__ = [
    "CANNOT",
    "INTERRUPTED",
    "OK",
    "SOME_FAILED",
    "Commands",
    "add_analysis_options",
    "analyzer_options",
    "check_file_place",
    "complain",
    "make_folder",
    "quiet",
    "shown",
]

OK, SOME_FAILED, CANNOT, INTERRUPTED = 0, 1, 2, 130

Commands = Any
"""argparse's own type for sub-commands has no public name."""


def add_analysis_options(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Add the options that say how faces are found and read; returns their group."""
    group = parser.add_argument_group("how faces are found and read")
    group.add_argument(
        "--detector", choices=DETECTORS, default=DETECTORS[0], help="default: %(default)s"
    )
    group.add_argument(
        "--small-faces",
        action="store_true",
        help="blazeface looks closer, for faces small in the picture; several times slower",
    )
    group.add_argument(
        "--model",
        metavar="NAME",
        help="a folder in models/, or a path; default: see models/default",
    )
    group.add_argument(
        "--runtime",
        choices=RUNTIMES,
        default=RUNTIMES[0],
        help="what runs the model; auto takes Keras on a usable GPU, LiteRT otherwise",
    )
    group.add_argument(
        "--threads",
        type=int,
        metavar="N",
        help="processor threads that run the model; default: with litert all cores, at most "
        f"{LitertRuntime.most_threads}, with litert_int8 {LitertInt8Runtime.most_threads}, with "
        "keras what its backend takes",
    )
    group.add_argument(
        "--min-confidence",
        type=float,
        metavar="P",
        help="labels under this read `uncertain`, 0 to 1; default: the model's own threshold",
    )
    return group


def analyzer_options(options: argparse.Namespace) -> AnalyzerOptions:
    """What `add_analysis_options` was given, checked.

    Raises:
        OptionError: a value does not exist or does not fit.
    """
    from fer_core.analyzer import AnalyzerOptions

    return AnalyzerOptions(
        detector=options.detector,
        detector_options=DetectorOptions(fine=options.small_faces),
        model=options.model,
        runtime=options.runtime,
        threads=options.threads,
        min_confidence=options.min_confidence,
    )


def make_folder(folder: Path, option: str) -> None:
    """Make the folder that `option` names.

    Raises:
        OptionError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OptionError(
            f"The folder {folder} for {option} cannot be made: {error.strerror}. "
            "Choose another one."
        ) from None


def check_file_place(file: Path, option: str) -> None:
    """See before the work begins that a file can be written there.

    Raises:
        OptionError: the folder does not exist or is not ours to write in, or `file` is a folder.
    """
    if file.is_dir():
        raise OptionError(f"{option} {file} is a folder. Give the name of a file to write.")
    if not file.absolute().parent.is_dir():
        raise OptionError(
            f"The folder {file.absolute().parent} for {option} does not exist. Make it first, or "
            "choose another place."
        )
    if not os.access(file.absolute().parent, os.W_OK):
        raise OptionError(
            f"{option} {file} cannot be written: the folder may not be written in. "
            "Choose another place."
        )


@contextlib.contextmanager
def quiet(wanted: bool) -> Iterator[None]:
    """Keeps native libraries' notices off standard error, which is for our own sentences."""
    if not wanted:
        yield
        return
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def shown(path: str | Path) -> str:
    """A path as text that every file can hold: bytes that are no UTF-8 become marks."""
    return os.fsencode(str(path)).decode("utf-8", "replace")


def complain(sentence: str) -> None:
    """Say something on standard error."""
    print(sentence, file=sys.stderr, flush=True)
