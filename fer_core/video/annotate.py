"""A clip through an analyser: decode, analyse and draw, encode, each in a thread of its own.

At most a few frames wait between the stages, so that memory does not grow with the clip, but for
the indices that FFmpeg holds of both files (see `ClipWriter`). Decoding, the networks and encoding
all run outside Python's lock, so that two cores are kept busy.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from fer_core.cores import process_cores
from fer_core.detectors.base import Picture
from fer_core.errors import VideoCancelled, VideoError
from fer_core.results import FrameResult
from fer_core.sampling import EveryNth
from fer_core.video.channel import Channel, ChannelAborted
from fer_core.video.contracts import (
    ClipFrame,
    FrameAnalyzer,
    SoundPacket,
    VideoOptions,
    VideoReport,
)
from fer_core.video.probe import clock
from fer_core.video.reader import ClipReader
from fer_core.video.tally import Progress, Tally
from fer_core.video.writer import ClipWriter

if TYPE_CHECKING:
    from fer_core.exports import ResultWriter

WAITING_FRAMES = 3
"""Frames that may wait between two stages."""


class Cancellation(Protocol):
    """Something that can be asked whether the job is to stop, such as `threading.Event`."""

    def is_set(self) -> bool:
        """Whether the job is to stop."""
        ...


Cancelled = Cancellation | Callable[[], bool] | None


def annotate_video(
    source: str | Path,
    target: str | Path,
    analyzer: FrameAnalyzer,
    *,
    options: VideoOptions | None = None,
    csv: str | Path | None = None,
    jsonl: str | Path | None = None,
    parquet: str | Path | None = None,
    progress: Progress | None = None,
    cancelled: Cancelled = None,
) -> VideoReport:
    """Write `source` once more with faces and expressions drawn in.

    The written clip is mp4 (H.264, yuv420p), upright, with the times of the source's frames from 0
    on and its sound. Files appear under their names when they are complete, not before.

    Args:
        source: mp4, mov, avi, mkv, webm, or another clip that FFmpeg decodes.
        target: the mp4 file to write; an older one is replaced.
        analyzer: called in this thread, frame after frame, after a `reset`.
        options: how to read and write.
        csv: where to write a row a face, columns as `fer_core.exports.CSV_COLUMNS`; None for none.
        jsonl: where to write an object an analysed frame; None for none.
        parquet: where to write the rows of the CSV, typed and compressed; None for none.
        progress: called in this thread, at most ten times a second and at the end.
        cancelled: a `threading.Event`, or a function that says whether to stop.

    Returns:
        What was found.

    Raises:
        VideoError: the clip cannot be read or the result cannot be written.
        OptionError: a table cannot be written.
        PackageMissingError: pyarrow, which writes Parquet, is not installed.
        VideoCancelled: `cancelled` said so. In both cases nothing is left behind.
    """
    source, target = Path(source), Path(target)
    options = options or VideoOptions()
    files = {"csv": csv, "jsonl": jsonl, "parquet": parquet}
    wanted = {kind: Path(file) for kind, file in files.items() if file is not None}
    check_places(source, target, wanted.values())
    stop = _asker(cancelled)
    with contextlib.ExitStack() as stack:
        reader = stack.enter_context(ClipReader(source, options, passing=_giving_up(stop)))
        writer = ClipWriter(
            target,
            (reader.info.width, reader.info.height),
            options=options,
            frame_rate=reader.info.frame_rate,
            audio=reader.audio,
            begin=reader.begin,
            origin=reader.origin,
        )
        tables: list[ResultWriter] = []
        try:
            for kind, file in wanted.items():
                tables.append(_table(kind, file))
            tally = Tally(reader, progress)
            _run(reader, analyzer, writer, tables, tally, options, stop)
            writer.close()
            for table in tables:
                table.close()
        except BaseException:
            writer.discard()
            for table in tables:
                table.discard()
            raise
    return tally.report(_warnings(reader, writer.sound_lost))


def iter_results(
    source: str | Path,
    analyzer: FrameAnalyzer,
    *,
    options: VideoOptions | None = None,
    progress: Progress | None = None,
    cancelled: Cancelled = None,
) -> Generator[FrameResult, None, VideoReport]:
    """The result of each frame of a clip, in order; nothing is drawn or written.

    Decoding runs ahead in a thread of its own, a few frames at most. Arguments and errors as in
    `annotate_video`. Closing the iterator early stops the work. Its return value (that of
    `yield from`) is the report.
    """
    options = options or VideoOptions()
    stop = _asker(cancelled)
    with ClipReader(source, options, passing=_giving_up(stop)) as reader:
        tally = Tally(reader, progress)
        sampled = EveryNth(analyzer, options.every)
        sampled.reset()
        decoded: Channel[ClipFrame | SoundPacket] = Channel(WAITING_FRAMES)
        with _stage("fer-video-read", lambda: _feed(reader.frames(), decoded), decoded.abort):
            for item in decoded:
                if stop():
                    raise VideoCancelled("The analysis was cancelled.")
                assert isinstance(item, ClipFrame)
                result = sampled.track(item.picture, item.pts)
                tally.add(item, result, sampled.fresh)
                yield result
        tally.finish()
        return tally.report(_warnings(reader))


def _run(
    reader: ClipReader,
    analyzer: FrameAnalyzer,
    writer: ClipWriter,
    tables: list[ResultWriter],
    tally: Tally,
    options: VideoOptions,
    stop: Callable[[], bool],
) -> None:
    from fer_core.overlay import draw

    decoded: Channel[ClipFrame | SoundPacket] = Channel(WAITING_FRAMES)
    drawn: Channel[tuple[Picture, int, int] | SoundPacket] = Channel(WAITING_FRAMES)
    written: list[BaseException] = []

    def write() -> None:
        try:
            for item in drawn:
                if isinstance(item, tuple):
                    writer.write(*item)
                else:
                    writer.write_sound(item)
        except BaseException as error:
            written.append(error)
            drawn.abort()

    sampled = EveryNth(analyzer, options.every)
    sampled.reset()
    writing = threading.Thread(target=write, name="fer-video-write", daemon=True)
    with (
        # What decoding and encoding take of the cores is about one of them.
        process_cores().set_aside(1),
        _stage("fer-video-read", lambda: _feed(reader, decoded), decoded.abort),
    ):
        writing.start()
        try:
            for item in decoded:
                if stop():
                    raise VideoCancelled("The video was cancelled; nothing was kept of it.")
                if not isinstance(item, ClipFrame):
                    drawn.put(item)
                    continue
                result = sampled.track(item.picture, item.pts)
                if sampled.fresh:
                    for table in tables:
                        table.write(result, frame=item.index)
                # Before anything is drawn: thumbnails show the face as it was.
                tally.add(item, result, sampled.fresh)
                picture = draw(item.picture, result, options.overlay, in_place=True)
                drawn.put((picture, item.ticks - reader.begin, item.duration))
            drawn.close()
        except ChannelAborted:
            pass  # the writer failed; its own error is raised below
        except BaseException:
            drawn.abort()
            raise
        finally:
            writing.join()
    if written:
        raise written[0]
    tally.finish()


def _feed(
    items: Iterator[ClipFrame] | ClipReader, channel: Channel[ClipFrame | SoundPacket]
) -> None:
    try:
        for item in items:
            channel.put(item)
    except ChannelAborted:
        pass
    except BaseException as error:
        channel.close(error)
    else:
        channel.close()


@contextlib.contextmanager
def _stage(name: str, work: Callable[[], None], stop: Callable[[], None]) -> Iterator[None]:
    """A thread that has ended when the block has, whichever way."""
    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop()
        thread.join()


def _table(kind: str, file: Path) -> ResultWriter:
    from fer_core.exports import CsvWriter, JsonLinesWriter, ParquetWriter

    if kind == "parquet":
        return ParquetWriter(file)
    return JsonLinesWriter(file) if kind == "jsonl" else CsvWriter(file)


def _asker(cancelled: Cancelled) -> Callable[[], bool]:
    if cancelled is None:
        return lambda: False
    return cancelled if callable(cancelled) else cancelled.is_set


def _giving_up(stop: Callable[[], bool]) -> Callable[[], None]:
    """Ask while nothing but frames before the wanted part comes."""

    def ask() -> None:
        if stop():
            raise VideoCancelled("The analysis was cancelled.")

    return ask


def check_places(source: Path, target: Path, tables: Iterable[Path] = ()) -> None:
    """Refuse places that cannot be written or hold the clip itself.

    Raises:
        VideoError: see above.
    """
    for wanted in (target, *tables):
        if wanted.exists() and source.exists() and wanted.samefile(source):
            raise VideoError(
                f"{wanted} is the clip itself and would be overwritten. Choose another name."
            )
        if not wanted.absolute().parent.is_dir():
            raise VideoError(
                f"The folder {wanted.absolute().parent} does not exist. "
                "Make it first, or choose another place."
            )
        if wanted.is_dir():
            raise VideoError(f"{wanted} is a folder. Give the name of a file to write.")


def _warnings(reader: ClipReader, sound_lost: bool = False) -> tuple[str, ...]:
    state, said = reader.state, []
    end = clock(float(state.end))
    if state.cut_off:
        announced = reader.info.seconds
        of = f" of {clock(announced)}" if announced and announced > float(state.end) else ""
        said.append(f"The clip is cut off or damaged: {end}{of} could be read.")
    elif state.damaged:
        said.append(f"{state.damaged} frames of the clip are damaged and were skipped or patched.")
    if sound_lost:
        said.append("A part of the sound could not be used and was left out.")
    return tuple(said)
