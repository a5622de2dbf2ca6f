"""Clips from strangers, annotated in a process of their own: a hostile one ends that job alone."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from fer_core.confined.limits import Limits
from fer_core.confined.worker import Worker
from fer_core.errors import VideoError
from fer_core.video.contracts import (
    Lane,
    Moment,
    VideoInfo,
    VideoOptions,
    VideoProgress,
    VideoReport,
)

if TYPE_CHECKING:
    from fer_core.analyzer import AnalyzerOptions
    from fer_core.confined.child import Tell

__all__ = ["CLIP_LIMITS", "PROBE_LIMITS", "annotate_confined", "confined_options", "probe_confined"]

HOURS = 3600.0

CLIP_LIMITS = Limits(
    memory_mb=4000,
    processor_seconds=24 * HOURS,
    file_mb=8000,
    silent_seconds=120.0,
    seconds=24 * HOURS,
)
"""For clips of hours: what is bounded closely is the memory, and how long nothing may come."""
PROBE_LIMITS = Limits(
    memory_mb=3000, processor_seconds=30.0, file_mb=1, silent_seconds=30.0, seconds=30.0
)
"""For the first frame of a clip."""


def annotate_confined(
    source: Path,
    target: Path,
    analyzer: AnalyzerOptions,
    *,
    options: VideoOptions | None = None,
    tables: dict[str, Path] | None = None,
    progress: Callable[[VideoProgress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    limits: Limits = CLIP_LIMITS,
) -> VideoReport:
    """`fer_core.video.annotate_video` in a process that is started for this clip and ends with it.

    What it makes lies in a folder of its own beside `target` until all of it is whole: a process
    that is killed cannot clean up.

    Args:
        source: the clip.
        target: where the annotated clip goes.
        analyzer: of the analyzer, which is made in that process.
        options: how to read and write.
        tables: where tables go, by kind: `csv`, `jsonl`, `parquet`.
        progress: called in this thread.
        cancelled: asked some times a second; when it says yes, the process is killed.
        limits: of the process.

    Raises:
        FerError: as `annotate_video` raises it.
        VideoCancelled: `cancelled` said so.
        WorkerError: a limit was met, or the process ended. In all cases nothing is left behind.
    """
    options = options or VideoOptions()
    wanted = {"clip": target, **(tables or {})}
    try:
        made = Path(tempfile.mkdtemp(prefix=".making-", dir=target.parent))
    except OSError as error:
        raise VideoError(
            f"The annotated clip {target} cannot be written ({error.strerror}). "
            "Make room or choose another place."
        ) from None
    try:
        with Worker(limits) as worker:
            report: VideoReport = worker.call(
                "fer_core.confined.clips:annotate_here",
                source,
                {kind: made / place.name for kind, place in wanted.items()},
                analyzer,
                options,
                name=options.name or source.name,
                classes=(VideoReport, VideoInfo, VideoProgress, Lane, Moment),
                progress=progress,
                cancelled=cancelled,
            )
        for place in wanted.values():
            (made / place.name).replace(place)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return report


def probe_confined(source: Path, options: VideoOptions, limits: Limits = PROBE_LIMITS) -> VideoInfo:
    """`fer_core.video.probe` in a process that is started for this clip and ends with it.

    Raises:
        VideoError: as `probe` raises it.
        WorkerError: a limit was met, or the process ended.
    """
    with Worker(limits) as worker:
        info: VideoInfo = worker.call(
            "fer_core.confined.clips:probe_here",
            source,
            options,
            name=options.name or source.name,
            classes=(VideoInfo,),
        )
    return info


def confined_options(
    detector: str, model: str | None, min_confidence: float | None
) -> AnalyzerOptions:
    """Options of an analyzer for `annotate_confined`; the model's file is looked at here and now.

    Args:
        detector, model, min_confidence: see `AnalyzerOptions`.

    Raises:
        ModelError: the folder is missing, incomplete or altered; better said before a clip waits.
    """
    from fer_core.analyzer import AnalyzerOptions
    from fer_core.model_store import model_folder, verify_model
    from fer_core.runtimes import cpu_runtime

    card = verify_model(model_folder(model))
    return AnalyzerOptions(
        detector=detector,
        model=model,
        # A framework on a GPU takes more address space than a confined process may have.
        runtime=cpu_runtime(card),
        min_confidence=min_confidence,
    )


def annotate_here(
    tell: Tell,
    source: Path,
    places: dict[str, Path],
    analyzer: AnalyzerOptions,
    options: VideoOptions,
) -> VideoReport:
    """What the process does; `tell` is told how far it is."""
    from fer_core.analyzer import Analyzer
    from fer_core.video.annotate import annotate_video

    def alive() -> bool:
        tell.alive()
        return False  # whoever cancels kills this process

    tables = {kind: place for kind, place in places.items() if kind != "clip"}
    with Analyzer(analyzer) as made:
        return annotate_video(
            source,
            places["clip"],
            made,
            options=options,
            progress=tell.progress,
            cancelled=alive,
            **tables,
        )


def probe_here(tell: Tell, source: Path, options: VideoOptions) -> VideoInfo:
    """What the process does."""
    from fer_core.video import probe

    return probe(source, options)
