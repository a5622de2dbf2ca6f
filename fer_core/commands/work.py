"""One file through the analyzer: what was found, its annotated copy, its thumbnails."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer_core.commands.common import make_folder
from fer_core.commands.sources import CLIP, Source
from fer_core.emotions import CLASSES, UNCERTAIN
from fer_core.errors import PictureError
from fer_core.results import FrameResult

if TYPE_CHECKING:
    from fer_core.analyzer import Analyzer
    from fer_core.commands.thumbnails import Thumbnails
    from fer_core.detectors.base import Picture
    from fer_core.overlay import OverlayOptions
    from fer_core.video import VideoReport

__all__ = ["Found", "Job", "analyze_source", "copy_file", "label_counts", "place_key"]

_JPEG = {".jpg", ".jpeg", ".jpe", ".jfif"}

AddFrame = Callable[[int, FrameResult], None]
Fraction = Callable[[float], None]


@dataclass(frozen=True)
class Job:
    """What is done with every file.

    Attributes:
        analyzer: finds and reads the faces.
        every: in clips, every n-th frame is analysed.
        overlay: how annotated copies are drawn.
        thumbnails: whether small pictures are made for the report.
    """

    analyzer: Analyzer
    every: int
    overlay: OverlayOptions
    thumbnails: bool


@dataclass(frozen=True)
class Found:
    """What came of a file.

    Attributes:
        summary: what is printed: for a picture its `FrameResult.to_dict`, for a clip its size,
            length and counts.
        thumbnails: see `Thumbnails.chosen`; None where none were asked for.
    """

    summary: dict[str, Any]
    thumbnails: tuple[tuple[str, str], ...] | None


def analyze_source(
    job: Job, source: Source, copy: Path | None, add: AddFrame, fraction: Fraction
) -> Found:
    """Analyse one file.

    Args:
        job: what is done.
        source: the file.
        copy: where its annotated copy goes; None for none.
        add: called with the index and the result of each analysed frame.
        fraction: called with the share that is done, 0 to 1.

    Raises:
        FerError: the file cannot be read or analysed, or the copy cannot be written; nothing of
            the copy is left behind.
    """
    if copy is not None:
        make_folder(copy.parent, "--annotate")
        _remove_leftovers(copy)
    if source.kind == CLIP:
        return _clip(job, source, copy, add, fraction)
    return _picture(job, source, copy, add)


def label_counts(summary: dict[str, Any]) -> dict[str, int]:
    """Faces by label in what was found in a file, the seven classes and `uncertain`."""
    if "labels" in summary:
        return dict(summary["labels"])
    counts = Counter(face["label"] for face in summary["faces"])
    return {label: counts[label] for label in (*CLASSES, UNCERTAIN)}


def copy_file(folder: Path, source: Source, taken: Collection[str]) -> Path:
    """Where a file's annotated copy goes: `NAME-annotated.EXT`, numbered where that is taken.

    Args:
        folder: of `--annotate`; folders that were searched are mirrored in it.
        source: the file.
        taken: `place_key` of other files' copies.
    """
    original = Path(source.path)
    ending = ".jpg" if original.suffix.lower() in _JPEG else ".png"
    if source.kind == CLIP:
        ending = ".mp4"
    number = 1
    while True:
        mark = "" if number == 1 else f"-{number}"
        file = folder / source.inside / f"{original.stem}-annotated{mark}{ending}"
        if place_key(file) not in taken:
            return file
        number += 1


def place_key(file: str | Path) -> str:
    """A place by which two files are known to be one, also where case does not count."""
    return os.path.normpath(Path(file).absolute()).lower()


def _picture(job: Job, source: Source, copy: Path | None, add: AddFrame) -> Found:
    from fer_core.overlay import draw
    from fer_core.pictures import load_picture

    picture = load_picture(source.path)
    result = job.analyzer.analyze(picture)
    thumbnails = _thumbnails(job)
    if thumbnails is not None:
        thumbnails.look(picture, result)
    if copy is not None:
        _save(draw(picture, result, job.overlay, in_place=True), copy)
    add(0, result)
    return Found(result.to_dict(), None if thumbnails is None else thumbnails.chosen())


def _clip(job: Job, source: Source, copy: Path | None, add: AddFrame, fraction: Fraction) -> Found:
    from fer_core.sampling import EveryNth
    from fer_core.video import VideoOptions, annotate_video

    thumbnails = _thumbnails(job)
    labels: Counter[str] = Counter()
    people: set[int] = set()
    frames = 0

    def took(index: int, picture: Picture, result: FrameResult) -> None:
        nonlocal frames
        frames += 1
        labels.update(face.label for face in result.faces)
        people.update(face.track_id for face in result.faces if face.track_id is not None)
        if thumbnails is not None:
            thumbnails.look(picture, result)
        add(index, result)

    sampled = EveryNth(job.analyzer, job.every, took)
    if copy is None:
        report = _read(source.path, sampled, fraction)
    else:
        report = annotate_video(
            source.path,
            copy,
            sampled,
            options=VideoOptions(overlay=replace(job.overlay, numbers=True)),
            progress=lambda state: fraction(state.fraction),
        )
    summary = {
        "width": report.info.width,
        "height": report.info.height,
        "seconds": round(report.seconds, 6),
        "frames": report.frames,
        "frames_analysed": frames,
        "faces": sum(labels.values()),
        "people": len(people),
        "labels": {label: labels[label] for label in (*CLASSES, UNCERTAIN)},
        "warnings": list(report.warnings),
    }
    return Found(summary, None if thumbnails is None else thumbnails.chosen())


def _read(path: str, sampled: Any, fraction: Fraction) -> VideoReport:
    from fer_core.video import iter_results

    results = iter_results(path, sampled, progress=lambda state: fraction(state.fraction))
    while True:
        try:
            next(results)
        except StopIteration as ended:
            report: VideoReport = ended.value
            return report
        except BaseException:
            results.close()
            raise


def _thumbnails(job: Job) -> Thumbnails | None:
    if not job.thumbnails:
        return None
    from fer_core.commands.thumbnails import Thumbnails

    return Thumbnails()


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


def _remove_leftovers(copy: Path) -> None:
    """What a killed run had begun of this copy."""
    for part in copy.parent.iterdir():
        name = part.name
        if name == f"{copy.name}.part" or (
            name.startswith(f".{copy.name}.") and name.endswith(".part")
        ):
            part.unlink(missing_ok=True)
