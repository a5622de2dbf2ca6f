"""A clip through an analyser: decode, analyse and draw, encode, each in a thread of its own.

At most a few frames wait between the stages, so that memory does not grow with the clip. Decoding,
the networks and encoding all run outside Python's lock, so that two cores are kept busy.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Protocol

from fer_core.detectors.base import Picture
from fer_core.errors import VideoCancelled, VideoError
from fer_core.results import FrameResult
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
        progress: called in this thread, at most ten times a second and at the end.
        cancelled: a `threading.Event`, or a function that says whether to stop.

    Returns:
        What was found.

    Raises:
        VideoError: the clip cannot be read or the result cannot be written.
        VideoCancelled: `cancelled` said so. In both cases nothing is left behind.
    """
    from fer_core.exports import CsvWriter

    source, target = Path(source), Path(target)
    options = options or VideoOptions()
    _check_places(source, target, None if csv is None else Path(csv))
    with contextlib.ExitStack() as stack:
        reader = stack.enter_context(ClipReader(source, options))
        writer = ClipWriter(
            target,
            (reader.info.width, reader.info.height),
            options=options,
            frame_rate=reader.info.frame_rate,
            sample_aspect_ratio=reader.shown_aspect_ratio,
            audio=reader.audio,
            origin=reader.origin,
        )
        rows = None
        try:
            rows = None if csv is None else CsvWriter(Path(csv))
            tally = Tally(reader, progress)
            _run(reader, analyzer, writer, rows, tally, options, _asker(cancelled))
            writer.close()
            if rows is not None:
                rows.close()
        except BaseException:
            writer.discard()
            if rows is not None:
                rows.discard()
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
    with ClipReader(source, options) as reader:
        tally = Tally(reader, progress)
        analyzer.reset()
        decoded: Channel[ClipFrame | SoundPacket] = Channel(WAITING_FRAMES)
        with _stage("fer-video-read", lambda: _feed(reader.frames(), decoded), decoded.abort):
            for item in decoded:
                if stop():
                    raise VideoCancelled("The analysis was cancelled.")
                assert isinstance(item, ClipFrame)
                result = analyzer.track(item.picture, item.pts)
                tally.add(item, result)
                yield result
        tally.finish()
        return tally.report(_warnings(reader))


def _run(
    reader: ClipReader,
    analyzer: FrameAnalyzer,
    writer: ClipWriter,
    rows: _Rows | None,
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

    analyzer.reset()
    writing = threading.Thread(target=write, name="fer-video-write", daemon=True)
    with _stage("fer-video-read", lambda: _feed(reader, decoded), decoded.abort):
        writing.start()
        try:
            for item in decoded:
                if stop():
                    raise VideoCancelled("The video was cancelled; nothing was kept of it.")
                if not isinstance(item, ClipFrame):
                    drawn.put(item)
                    continue
                result = analyzer.track(item.picture, item.pts)
                if rows is not None:
                    rows.write(result)
                picture = draw(item.picture, result, options.overlay, in_place=True)
                drawn.put((picture, item.ticks, item.duration))
                tally.add(item, result)
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


class _Rows(Protocol):
    def write(self, result: FrameResult) -> None: ...


def _asker(cancelled: Cancelled) -> Callable[[], bool]:
    if cancelled is None:
        return lambda: False
    return cancelled if callable(cancelled) else cancelled.is_set


def _check_places(source: Path, target: Path, csv: Path | None) -> None:
    for wanted in (target, csv):
        if wanted is None:
            continue
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
