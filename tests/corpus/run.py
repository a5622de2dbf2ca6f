"""`python -m tests.corpus.run KIND SEED START OUT`: tries uploads and writes a line for each.

It runs in a process of its own, because a decoder that crashes takes its process with it: the test
then sees which upload was at work, and goes on behind it. All are tried with the functions that do
the decoding, here, where a crash and every megabyte can be seen; the worst are then tried as the
page does it: with those functions in yet another process, within the page's own limits.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer_core.errors import FerError
from tests.corpus import BadUpload, corpus, digest

if TYPE_CHECKING:
    from fer_core.detectors.base import Picture
    from fer_core.video import VideoReport

CLIP_SIDES = 2048 * 1536
CLIP_SECONDS = 3600.0
WORST = {"picture": ("bomb", "huge dimensions"), "clip": ("no stream", "endless times")}
"""Faults of those that are tried as the page does it, too."""
WORST_EVERY = {"picture": 1, "clip": 3}
"""Of those, every so-manieth: a clip's process takes a second to begin."""
HANGS_AFTER = 90
"""Seconds after which an upload that is still at work ends the process, saying where it is."""


Try = Callable[[BadUpload, Path], "str | None"]


def main(kind: str, seed: str, start: str, out: str) -> None:
    """Try the uploads of a kind from number `start` on."""
    uploads = corpus(int(seed), kind)  # type: ignore[arg-type]
    logging.getLogger().addHandler(logging.NullHandler())  # what is found is in the lines
    tries: Try = {"picture": _picture, "clip": _clip}[kind]
    on_page: Try = {"picture": _picture_on_page, "clip": _clip_on_page}[kind]
    worst = [number for number, upload in enumerate(uploads) if upload.fault in WORST[kind]]
    worst = worst[:: WORST_EVERY[kind]]
    with tempfile.TemporaryDirectory() as folder, Path(out).open("a", encoding="utf-8") as lines:
        scratch = Path(folder) / "scratch"
        scratch.mkdir()
        tempfile.tempdir = os.environ["TMPDIR"] = str(scratch)
        _warm_up(tries, Path(folder), kind)
        lines.write(json.dumps({"digest": digest(uploads)}) + "\n")
        for number in range(int(start), len(uploads)):
            lines.write(json.dumps({"begun": number}) + "\n")
            lines.flush()
            faulthandler.dump_traceback_later(HANGS_AFTER, exit=True)
            tried = _tried(tries, uploads[number], Path(folder))
            if number in worst:
                tried["on page"] = _tried(on_page, uploads[number], Path(folder))
            faulthandler.cancel_dump_traceback_later()
            tried["left"] = [path.name for path in scratch.rglob("*")]
            for path in scratch.iterdir():
                path.unlink()
            lines.write(json.dumps({"number": number, **tried}) + "\n")
            lines.flush()


def _tried(tries: Try, upload: BadUpload, folder: Path) -> dict[str, Any]:
    """What came of it: the sentence or None, another exception, seconds, megabytes."""
    found: dict[str, Any] = {"sentence": None, "crash": None}
    before = _megabytes("VmRSS")
    _forget_peak()
    begin = time.process_time()
    try:
        found["sentence"] = tries(upload, folder)
    except BaseException as error:
        found["crash"] = f"{type(error).__name__}: {error}"[:300]
    found["seconds"] = time.process_time() - begin
    found["megabytes"] = max(0.0, _megabytes("VmHWM") - before)
    return found


def _picture(upload: BadUpload, folder: Path) -> str | None:
    """As it is decoded; the sentence, or None where a picture came out."""
    from fer_core.pictures import load_picture

    return _decoded(lambda: load_picture(upload.content))


def _picture_on_page(upload: BadUpload, folder: Path) -> str | None:
    """As the Photo tab reads it; see `_picture`."""
    from ui.photo_tab import MOST_MEGABYTES
    from ui.photo_work import decoded

    return _decoded(lambda: decoded(upload.content, MOST_MEGABYTES * 1_000_000))


def _decoded(decode: Callable[[], Picture]) -> str | None:
    import numpy as np

    from fer_core.pictures import MAX_PIXELS

    try:
        picture = decode()
    except FerError as error:
        return str(error)
    assert picture.dtype == np.uint8
    assert picture.ndim == 3
    assert picture.shape[2] == 3
    assert 0 < picture.shape[0] * picture.shape[1] <= MAX_PIXELS
    return None


def _clip(upload: BadUpload, folder: Path) -> str | None:
    """As it is annotated; the sentence, or None where a clip and a table came out."""
    from fer_core.video import VideoOptions, annotate_video
    from tests.clips import FakeAnalyzer

    options = VideoOptions(
        max_pixels=CLIP_SIDES, max_seconds=CLIP_SECONDS, preset="ultrafast", name=upload.name
    )

    def annotate(source: Path, target: Path, table: Path) -> VideoReport:
        return annotate_video(source, target, FakeAnalyzer(), options=options, csv=table)

    return _annotated(annotate, upload, folder)


def _clip_on_page(upload: BadUpload, folder: Path) -> str | None:
    """As the Video tab annotates it; see `_clip`."""
    from fer_core.confined.clips import annotate_confined, confined_options
    from ui.video_settings import ClipSettings

    analyzer = confined_options("blazeface", None, None)
    options = ClipSettings().options(upload.name)

    def annotate(source: Path, target: Path, table: Path) -> VideoReport:
        return annotate_confined(source, target, analyzer, options=options, tables={"csv": table})

    return _annotated(annotate, upload, folder)


def _annotated(
    annotate: Callable[[Path, Path, Path], VideoReport], upload: BadUpload, folder: Path
) -> str | None:
    place = folder / "job"
    place.mkdir()
    source = place / "upload"
    source.write_bytes(upload.content)
    try:
        target, table = place / "annotated.mp4", place / "faces.csv"
        try:
            report = annotate(source, target, table)
        except FerError as error:
            assert sorted(path.name for path in place.iterdir()) == ["upload"]
            return str(error)
        assert report.frames > 0
        assert target.stat().st_size > 0
        assert all("\n" not in warning for warning in report.warnings)
        names = ["annotated.mp4", "faces.csv", "upload"]
        assert sorted(path.name for path in place.iterdir()) == names
        return None
    finally:
        for path in place.iterdir():
            path.unlink()
        place.rmdir()


def _warm_up(tries: Try, folder: Path, kind: str) -> None:
    """What the first upload loads is no upload's fault."""
    from tests.corpus import clips, pictures

    sound = pictures.whole("portrait.png") if kind == "picture" else clips.whole("clip.mp4")
    assert tries(BadUpload("clip", "none", "sound", sound), folder) is None


def _megabytes(name: str) -> float:
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1]) / 1000
    return 0.0


def _forget_peak() -> None:
    """Begin the count of the most memory anew, where the system can (Linux)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


if __name__ == "__main__":
    main(*sys.argv[1:])
