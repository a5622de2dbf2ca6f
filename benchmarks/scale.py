"""`python -m benchmarks.scale`: what workers of a Ray cluster give, and what a day of video costs.

One clip is read again and again: by one analyzer in this process, then by 1, 2, ... workers. The
time from the answer that fills all workers to the last one counts, so that neither Ray's start nor
the loading of networks does; they are said apart. The page `benchmarks/scale.md` is written anew.
"""

from __future__ import annotations

import argparse
import datetime
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from benchmarks.clip import FRAMES_A_SECOND, face_clip
from benchmarks.machine import machine_in_words, versions_of
from fer_core.analyzer import Analyzer, AnalyzerOptions
from fer_core.cluster.places import Item
from fer_core.cluster.run import answers_of, work_of
from fer_core.cluster.session import import_ray, session
from fer_core.commands.sources import CLIP
from fer_core.detectors import DetectorOptions
from fer_core.errors import FerError, OptionError

PAGE = Path(__file__).resolve().parent / "scale.md"
WIDTH, HEIGHT = 640, 480
PACKAGES = ("ray", "av", "ai-edge-litert", "opencv-contrib-python", "pyarrow")

HOURS = 10_000
PRICE, SPARE_PRICE = 0.04, 0.015
"""Dollars a virtual core and hour, on demand and where it may be taken away: assumptions."""
EVERY = 5
LOSS = 0.10
"""Share of the time that a cluster of many machines loses to start, reading and ends: assumed."""


@dataclass(frozen=True)
class Speed:
    """What was measured of one way to do it.

    Attributes:
        workers: how many; 0 for the analyzer in this process.
        rate: seconds of video done a second.
        start: seconds from nothing to the first answer, less what one file takes.
        bytes_a_row: of the Parquet that comes back.
    """

    workers: int
    rate: float
    start: float
    bytes_a_row: float = 0.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and write the page; 0 when done, 2 when it cannot be."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scale", description="Measure 1, 2, ... workers of a Ray cluster."
    )
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2], metavar="N")
    parser.add_argument("--clips", type=int, default=12, help="files a run; default: %(default)s")
    parser.add_argument("--seconds", type=int, default=10, help="of a clip; default: %(default)s")
    parser.add_argument("--no-page", action="store_true", help="print only")
    options = parser.parse_args(arguments)
    try:
        if min(*options.workers, options.seconds) < 1 or options.clips < 2 * max(options.workers):
            raise OptionError(
                "There must be at least two clips a worker, and one second a clip. Received: "
                f"{options.clips} clips of {options.seconds} s for {options.workers} workers."
            )
        text = _page(measure(options.workers, options.clips, options.seconds), options)
    except FerError as error:
        print(error, file=sys.stderr)
        return 2
    print(text)
    if not options.no_page:
        PAGE.write_text(text, encoding="utf-8")
    return 0


def measure(workers: Sequence[int], clips: int, seconds: int) -> list[Speed]:
    """The analyzer alone, the same on every fifth frame, then each number of workers.

    Raises:
        FerError: Ray is not installed, or does not start.
    """
    ray = import_ray()
    with tempfile.TemporaryDirectory() as folder:
        file = _make_clip(Path(folder, "clip.mp4"), seconds)
        found = [_alone(file, seconds, 1), _alone(file, seconds, EVERY)]
        for count in workers:
            begun = time.perf_counter()
            with session(ray, "local", count):
                found.append(_spread(ray, file, seconds, clips, count, begun))
            print(f"{count} workers: {found[-1]}", file=sys.stderr)
    return found


def _alone(file: Path, seconds: int, every: int, rounds: int = 3) -> Speed:
    begun = time.perf_counter()
    one_core = AnalyzerOptions(
        detector_options=DetectorOptions(threads=1), runtime="litert", threads=1
    )
    with Analyzer(one_core) as analyzer:
        start = time.perf_counter() - begun
        begun = time.perf_counter()
        for _ in range(rounds):
            for _result in analyzer.analyze_video(file, every):
                pass
    return Speed(0, rounds * seconds / (time.perf_counter() - begun), start)


def _spread(ray: object, file: Path, seconds: int, clips: int, workers: int, begun: float) -> Speed:
    # The same file under many names: nothing is done yet, so each is read whole.
    items = [Item(f"{number}.mp4", CLIP, str(file)) for number in range(clips)]
    work = work_of(AnalyzerOptions(), "litert")
    times: list[float] = []
    size, rows = 0, 0
    import pyarrow.parquet

    for answer in answers_of(ray, items, work, frozenset(), workers):
        times.append(time.perf_counter())
        if answer["error"]:
            raise OptionError(answer["error"])
        size += len(answer["rows"])
        rows += pyarrow.parquet.read_metadata(pyarrow.BufferReader(answer["rows"])).num_rows
    rate = (clips - workers) * seconds / (times[-1] - times[workers - 1])
    return Speed(workers, rate, times[0] - begun - seconds * workers / rate, size / max(1, rows))


def _make_clip(file: Path, seconds: int) -> Path:
    import av

    frames = round(seconds * FRAMES_A_SECOND)
    with av.open(str(file), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(round(FRAMES_A_SECOND)))
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for _, picture in face_clip(WIDTH, HEIGHT, 1, frames):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(stream.encode(None))
    return file


def _page(found: list[Speed], options: argparse.Namespace) -> str:
    alone, thin, *spread = found
    spread.sort(key=lambda speed: speed.workers)
    one, most = spread[0], spread[-1]
    versions = ", ".join(f"{name} {v}" for name, v in versions_of(*PACKAGES).items())
    share = most.rate / one.rate / (most.workers / one.workers)
    a_core = most.rate / most.workers
    cores = HOURS / 24 / a_core / (1 - LOSS)
    frames = HOURS * 3600 * FRAMES_A_SECOND
    rows = [
        f"| {_named(s, s is thin)} "
        f"| {s.rate:.1f} | {s.rate * FRAMES_A_SECOND:.0f} | {s.rate / one.rate:.2f} "
        f"| {s.start:.1f} |"
        for s in found
    ]
    files_are = "Files are"
    if all(speed.workers != 4 for speed in spread):
        paper = 4 * a_core
        rows.append(
            f"| 4 workers on 4 cores (on paper) | {paper:.1f} | {paper * FRAMES_A_SECOND:.0f} "
            f"| {paper / one.rate:.2f} | |"
        )
        files_are = (
            f"The row on paper takes {most.workers} workers' speed a worker ({a_core:.1f}) "
            "times four: files are"
        )
    table = "\n".join(rows)
    day = cores * 24
    less = alone.rate / thin.rate
    size = frames * most.bytes_a_row / 1e9
    return f"""# Many files on many cores

Written by `python -m benchmarks.scale` on {datetime.date.today().isoformat()}, on
{machine_in_words()}; {versions}.

## Measured

{options.clips} times a clip of {options.seconds} seconds, {WIDTH}x{HEIGHT}, \
{FRAMES_A_SECOND:.0f} frames a second, one face, every frame analysed; the default detector and
model on litert, one thread a worker. Decoding, hashing and making the rows are included.

| | seconds of video a second | frames a second | times one worker | seconds to begin |
|---|---|---|---|---|
{table}

{most.workers} workers give {100 * share:.0f} % of {most.workers} times one. The process that writes
and Ray's own helpers share the cores with the workers, and so does whatever else the machine does.
{files_are}
independent and nothing is shared but the process that writes, which takes {most.bytes_a_row:.0f} \
bytes a face.

A worker that is killed is replaced, and the files it had are read again from their beginning. A
clip is one task: numbers and smoothing of faces pass from frame to frame, so a clip cut in two
would give other results. The longest clip therefore bounds the end of a run.

## On paper: {HOURS:,} hours of video in a day

Assumptions: frames and faces as above; a core as fast as one here; {100 * LOSS:.0f} % lost to
start, reading and the last files; ${PRICE:.3f} an hour for a virtual core on demand,
${SPARE_PRICE:.3f} for one that may be taken away; clips in a bucket of the same region, so that
reading them costs nothing but requests; the first rows of this table from the speed of
{most.workers} workers above, with every {EVERY}th frame scaled as measured without Ray.

| | every frame | every {EVERY}th frame |
|---|---|---|
| cores, all day | {cores:,.0f} | {cores * less:,.0f} |
| core hours | {day:,.0f} | {day * less:,.0f} |
| on demand | ${day * PRICE:,.0f} | ${day * less * PRICE:,.0f} |
| may be taken away | ${day * SPARE_PRICE:,.0f} | ${day * less * SPARE_PRICE:,.0f} |
| rows of faces, millions | {frames / 1e6:,.0f} | {frames / EVERY / 1e6:,.0f} |
| Parquet, GB | {size:,.1f} | {size / EVERY:,.1f} |

With `--every {EVERY}` all frames are still decoded, which is why it is not {EVERY} times cheaper.
Workers that may be taken away are safe to use: what they had is done again elsewhere, nothing is
lost and nothing comes twice.
"""


def _named(speed: Speed, thin: bool) -> str:
    if speed.workers:
        return f"{speed.workers} worker{'s' if speed.workers > 1 else ''}"
    return "one process, without Ray" + (f", every {EVERY}th frame" if thin else "")


if __name__ == "__main__":
    sys.exit(main())
