"""The command: `python -m fer_core analyze PHOTO...`.

Exit codes: 0 when every picture was read, 1 when some were not (each has its sentence, and the
others are not lost), 2 when the command cannot be carried out as it was given.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from fer_core.detectors import DETECTORS, DetectorOptions
from fer_core.errors import FerError, OptionError, PictureError
from fer_core.runtimes import RUNTIMES

if TYPE_CHECKING:
    from fer_core.analyzer import Analyzer
    from fer_core.detectors.base import Picture

__all__ = ["main"]

OK, SOME_FAILED, CANNOT = 0, 1, 2
_INTERRUPTED = 130
_JPEG = {".jpg", ".jpeg", ".jpe", ".jfif"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code.

    Args:
        arguments: without the program's name; None for those of the process.
    """
    options = _parser().parse_args(arguments)
    try:
        return _analyze(options)
    except FerError as error:
        _complain(str(error))
        return CANNOT
    except KeyboardInterrupt:
        _complain("Interrupted; what is printed is complete as far as it goes.")
        return _INTERRUPTED
    except BrokenPipeError:
        # The reader has had enough; nothing more can be printed, not even while leaving.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return SOME_FAILED


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One sentence, as everywhere else, in place of the whole usage."""
        self.exit(CANNOT, f"{message[:1].upper()}{message[1:]}. See `{self.prog} --help`.\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m fer_core",
        description="Read facial expressions in pictures, on this machine.",
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    analyze = commands.add_parser(
        "analyze",
        help="print the faces of pictures as JSON",
        description=(
            "Find the faces in pictures and print them as one JSON array, an object a picture: "
            "its size, and for each face box (pixels), label, confidence and the probability of "
            "each expression. A picture that cannot be read has an `error` in place of faces."
        ),
        epilog="exit codes: 0 all pictures read, 1 some not, 2 the command cannot be carried out",
    )
    analyze.add_argument("pictures", nargs="+", metavar="PHOTO", help="picture files")
    analyze.add_argument(
        "--annotate",
        type=Path,
        metavar="DIR",
        help="also write each picture with its faces drawn in, as DIR/NAME-annotated.jpg or .png",
    )
    analyze.add_argument(
        "--bars", action="store_true", help="with --annotate: draw a bar for each expression too"
    )
    analyze.add_argument(
        "--detector", choices=DETECTORS, default=DETECTORS[0], help="default: %(default)s"
    )
    analyze.add_argument(
        "--small-faces",
        action="store_true",
        help="blazeface looks closer, for faces small in the picture; several times slower",
    )
    analyze.add_argument(
        "--model",
        metavar="NAME",
        help="a folder in models/, or a path; default: see models/default",
    )
    analyze.add_argument(
        "--runtime",
        choices=RUNTIMES,
        default=RUNTIMES[0],
        help="what runs the model; auto takes Keras on a usable GPU, LiteRT otherwise",
    )
    analyze.add_argument(
        "--threads", type=int, metavar="N", help="processor threads; default: all cores, at most 4"
    )
    analyze.add_argument(
        "--min-confidence",
        type=float,
        metavar="P",
        help="labels under this read `uncertain`, 0 to 1; default: the model's own threshold",
    )
    analyze.add_argument("--pretty", action="store_true", help="indent the JSON for people")
    analyze.add_argument(
        "--verbose", action="store_true", help="let the libraries underneath print their notices"
    )
    return parser


def _analyze(options: argparse.Namespace) -> int:
    with _quiet(not options.verbose):
        from fer_core.analyzer import Analyzer, AnalyzerOptions

        chosen = AnalyzerOptions(
            detector=options.detector,
            detector_options=DetectorOptions(fine=options.small_faces),
            model=options.model,
            runtime=options.runtime,
            threads=options.threads,
            min_confidence=options.min_confidence,
        )
        if options.annotate is not None:
            _make_folder(options.annotate)
        analyzer = Analyzer(chosen)
    failed = 0
    names: set[str] = set()
    with analyzer, _json_array(options.pretty) as add:
        for path in options.pictures:
            entry: dict[str, Any] = {"picture": path}
            try:
                entry.update(_one(analyzer, path, options, names))
            except FerError as error:
                failed += 1
                entry["error"] = str(error)
                _complain(str(error))
            add(entry)
    return SOME_FAILED if failed else OK


def _one(
    analyzer: Analyzer, path: str, options: argparse.Namespace, names: set[str]
) -> dict[str, Any]:
    from fer_core.overlay import OverlayOptions, draw
    from fer_core.pictures import load_picture

    picture = load_picture(path)
    result = analyzer.analyze(picture)
    entry = result.to_dict()
    if options.annotate is not None:
        file = options.annotate / _free_name(Path(path), names)
        _save(draw(picture, result, OverlayOptions(bars=options.bars), in_place=True), file)
        entry["annotated"] = str(file)
    return entry


def _free_name(source: Path, names: set[str]) -> str:
    """`NAME-annotated.EXT`, numbered where two pictures of one run have the same name."""
    ending = ".jpg" if source.suffix.lower() in _JPEG else ".png"
    stem, number = f"{source.stem}-annotated", 1
    name = stem + ending
    while name.lower() in names:
        number += 1
        name = f"{stem}-{number}{ending}"
    names.add(name.lower())
    return name


def _save(picture: Picture, file: Path) -> None:
    """Write beside and move into place."""
    from PIL import Image

    beside = file.with_name(file.name + ".part")
    kind = "JPEG" if file.suffix == ".jpg" else "PNG"
    quality: dict[str, Any] = {"quality": 92} if kind == "JPEG" else {"compress_level": 3}
    try:
        try:
            Image.fromarray(picture).save(beside, kind, **quality)
            beside.replace(file)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        why = error.strerror or str(error)
        raise PictureError(f"{file} cannot be written: {why}. Choose another folder.") from None


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OptionError(
            f"The folder {folder} for --annotate cannot be made: {error.strerror}. "
            "Choose another one."
        ) from None


@contextlib.contextmanager
def _json_array(pretty: bool) -> Iterator[Any]:
    """Prints a JSON array entry by entry; it is well formed even when the run is broken off."""
    count = 0

    def add(entry: dict[str, Any]) -> None:
        nonlocal count
        text = json.dumps(entry, indent=2 if pretty else None)
        if pretty:
            text = "  " + text.replace("\n", "\n  ")
        print("[" if count == 0 else ",", text, sep="\n", end="", flush=True)
        count += 1

    try:
        yield add
    finally:
        print("\n]" if count else "[]", flush=True)


@contextlib.contextmanager
def _quiet(wanted: bool) -> Iterator[None]:
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


def _complain(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
