"""`python -m benchmarks.video`: how fast a clip is annotated and written again.

The clip is made first (H.264, moving real faces, sound) and is not counted. Each run decodes,
analyses, draws and encodes it whole; the first run warms up and is left out.

With `--minutes` it is the memory that is measured, once, on a long clip, which is a short one again
and again. It is annotated as the page does it: in a confined process, with tables and report.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from benchmarks.clip import FRAMES_A_SECOND, face_clip
from benchmarks.machine import family, peak_megabytes, status_bytes
from benchmarks.report import Benchmark
from fer_core.analyzer import Analyzer, AnalyzerOptions
from fer_core.detectors import DETECTORS
from fer_core.errors import OptionError
from fer_core.runtimes import runtime_in_words
from fer_core.video import VideoOptions, annotate_video, probe
from fer_core.video.contracts import PRESETS

SOUND_RATE = 48_000

LOOP_SECONDS = 20.0
"""Of the clip of which a long one is made."""
MOST_MB = 400
"""What an hour of video may take, above a server at rest."""
LOOK_SECONDS = 0.05
"""How often the worker's peak is read, which is gone with it."""


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Everything that is printed, as a dictionary.

    Raises:
        FerError: an option does not fit, or a detector or model cannot be had.
    """
    if options.runs < 1 or options.seconds <= 0:
        raise OptionError(
            f"--runs must be at least 1 and --seconds above 0. "
            f"Received: {options.runs}, {options.seconds}."
        )
    if options.minutes is not None:
        return _measure_long(options)
    analysis = AnalyzerOptions(options.detector, model=options.model)
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "source.mp4", Path(folder) / "target.mp4"
        make_clip(source, options.width, options.height, options.faces, options.seconds)
        speeds, frame_rates = [], []
        with Analyzer(analysis) as analyzer:
            for run in range(options.runs + 1):
                report = annotate_video(
                    source,
                    target,
                    analyzer,
                    options=VideoOptions(preset=options.preset),
                    csv=Path(folder) / "target.csv",
                )
                if run > 0:
                    speeds.append(report.speed)
                    frame_rates.append(report.frames / report.elapsed)
            model, runtime = analyzer.classifier.card.name, analyzer.classifier.runtime
        sizes = {"source": source.stat().st_size, "target": target.stat().st_size}
        memory = _memory_in_own_process(source, options)
        return {
            "clip": asdict(probe(source)),
            "bytes": sizes,
            "faces_a_frame": report.faces / report.frames,
            "detector": options.detector,
            "model": model,
            "runtime": runtime_in_words(runtime),
            "preset": options.preset,
            "faces": options.faces,
            "runs": options.runs,
            "frames_a_second": _spread(frame_rates),
            "times_real_time": _spread(speeds),
            "peak_memory_mb": memory,
        }


def make_clip(file: Path, width: int, height: int, faces: int, seconds: float) -> None:
    """Write an H.264 clip with AAC sound, 30 frames a second."""
    with av.open(str(file), "w") as container:
        video = container.add_stream("libx264", rate=round(FRAMES_A_SECOND))
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        video.codec_context.options = {"preset": "veryfast", "crf": "21"}
        sound = container.add_stream("aac", rate=SOUND_RATE)
        sound.codec_context.layout = "mono"
        frames = round(seconds * FRAMES_A_SECOND)
        for index, (_, picture) in enumerate(face_clip(width, height, faces, frames)):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, round(FRAMES_A_SECOND))
            container.mux(video.encode(frame))
            samples = SOUND_RATE // round(FRAMES_A_SECOND)
            times = (np.arange(samples) + index * samples) / SOUND_RATE
            wave = (np.sin(2 * np.pi * 440 * times) * 8000).astype(np.int16)
            part = av.AudioFrame.from_ndarray(wave[None], format="s16", layout="mono")
            part.sample_rate, part.pts = SOUND_RATE, index * samples
            part.time_base = Fraction(1, SOUND_RATE)
            container.mux(sound.encode(part))
        container.mux(video.encode(None))
        container.mux(sound.encode(None))


_ONE_JOB = "import sys; from benchmarks.video import peak_memory; print(peak_memory(*sys.argv[1:]))"


def _memory_in_own_process(source: Path, options: argparse.Namespace) -> float:
    """Peak memory of a fresh process that does the job once, megabytes."""
    words = [str(source), options.detector, options.preset, options.model or ""]
    command = [sys.executable, "-c", _ONE_JOB, *words]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(run.stdout)


def peak_memory(source: str, detector: str, preset: str, model: str) -> float:
    """Annotate a clip once; the process's peak memory after it, megabytes."""
    clip = Path(source)
    with Analyzer(AnalyzerOptions(detector, model=model or None)) as analyzer:
        target = clip.with_name("memory.mp4")
        annotate_video(clip, target, analyzer, options=VideoOptions(preset=preset))
    return peak_megabytes()


def _measure_long(options: argparse.Namespace) -> dict[str, Any]:
    if options.minutes <= 0:
        raise OptionError(f"--minutes must be above 0. Received: {options.minutes:g}.")
    if not Path("/proc/self/status").is_file():
        raise OptionError("--minutes reads memory from /proc, which only Linux has. Leave it out.")
    seconds = 60 * options.minutes
    with tempfile.TemporaryDirectory() as folder:
        loop, source = Path(folder) / "loop.mp4", Path(folder) / "source.mp4"
        make_clip(loop, options.width, options.height, options.faces, min(LOOP_SECONDS, seconds))
        repeat_clip(loop, source, seconds)
        words = [str(source), options.detector, options.preset, options.model or ""]
        command = [sys.executable, "-c", _LONG_JOB, *words]
        run = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        return {
            "clip": asdict(probe(source)),
            "minutes": options.minutes,
            "detector": options.detector,
            "preset": options.preset,
            "faces": options.faces,
            **json.loads(run.stdout),
        }


def repeat_clip(loop: Path, file: Path, seconds: float) -> None:
    """Write `loop` again and again, without encoding it again, until it lasts `seconds`."""
    with av.open(str(loop)) as given, av.open(str(file), "w") as made:
        streams = {each.index: made.add_stream_from_template(each) for each in given.streams}
        packets = [each for each in given.demux() if each.size]
        length = Fraction(given.streams.video[0].frames, round(FRAMES_A_SECOND))
        last: dict[int, int] = {}
        for number in range(max(1, round(seconds / length))):
            for packet in packets:
                assert packet.time_base is not None
                assert packet.pts is not None
                assert packet.dts is not None
                shift = round(number * length / packet.time_base)
                index = packet.stream.index
                if packet.dts + shift <= last.get(index, packet.dts + shift - 1):
                    continue  # sound begins before its picture, so it overlaps at the seams
                last[index] = packet.dts + shift
                copy = av.Packet(bytes(packet))
                copy.stream, copy.time_base = streams[index], packet.time_base
                copy.pts, copy.dts = packet.pts + shift, packet.dts + shift
                copy.duration, copy.is_keyframe = packet.duration, packet.is_keyframe
                made.mux(copy)


_LONG_JOB = "import sys; from benchmarks.video import long_job; print(long_job(*sys.argv[1:]))"


def long_job(source: str, detector: str, preset: str, model: str) -> str:
    """Annotate a clip as the page does it, from a process at rest; what came of it, as JSON."""
    from fer_core.clip_report import clip_report_html
    from fer_core.clip_story import story_of
    from fer_core.confined.clips import annotate_confined, confined_options

    clip = Path(source)
    target = clip.with_name("target.mp4")
    analyzer = confined_options(detector, model or None, None)
    rest = status_bytes("VmRSS") / 1e6
    with _worker_peak() as worker:
        report = annotate_confined(
            clip,
            target,
            analyzer,
            options=VideoOptions(preset=preset),
            tables={kind: target.with_suffix(f".{kind}") for kind in ("csv", "jsonl", "parquet")},
            progress=lambda progress: None,
            cancelled=lambda: False,
        )
    page = clip_report_html(clip.name, story_of(report), report, [])
    caller = status_bytes("VmHWM") / 1e6 - rest
    return json.dumps(
        {
            "frames": report.frames,
            "tracks": report.tracks,
            "speed": round(report.speed, 2),
            "elapsed": round(report.elapsed, 1),
            "bytes": {"source": clip.stat().st_size, "target": target.stat().st_size},
            "report_bytes": len(page),
            "worker_mb": round(worker[0], 1),
            "caller_rest_mb": round(rest, 1),
            "caller_mb": round(caller, 1),
        }
    )


@contextlib.contextmanager
def _worker_peak() -> Iterator[list[float]]:
    """The most memory that a process started meanwhile has had, megabytes."""
    peak, over = [0.0], threading.Event()

    def look() -> None:
        while not over.wait(LOOK_SECONDS):
            for number in family(os.getpid()) - {os.getpid()}:
                with contextlib.suppress(OSError, KeyError):  # gone since
                    peak[0] = max(peak[0], status_bytes("VmHWM", number) / 1e6)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield peak
    finally:
        over.set()
        thread.join()


def _spread(values: list[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(values), 2),
        "least": round(min(values), 2),
        "most": round(max(values), 2),
    }


def _table(report: dict[str, Any]) -> str:
    if "minutes" in report:
        return _long_table(report)
    clip, speed, rate = report["clip"], report["times_real_time"], report["frames_a_second"]
    return "\n".join(
        [
            f"{clip['width']}x{clip['height']}, {clip['frames']} frames, {clip['seconds']:.1f} s, "
            f"{report['faces_a_frame']:.2f} faces a frame; detector {report['detector']}, model "
            f"{report['model']} on {report['runtime']}; x264 {report['preset']}",
            f"median of {report['runs']} runs after one of warm-up (least to most)",
            "",
            f"frames a second   {rate['median']:8.1f}   ({rate['least']} to {rate['most']})",
            f"x real time       {speed['median']:8.2f}   ({speed['least']} to {speed['most']})",
            f"peak memory, MB   {report['peak_memory_mb']:8.1f}   (a process of its own)",
            f"size, MB          {report['bytes']['source'] / 1e6:8.2f} in,"
            f" {report['bytes']['target'] / 1e6:.2f} out",
        ]
    )


def _long_table(report: dict[str, Any]) -> str:
    clip, sizes = report["clip"], report["bytes"]
    # The worker counts whole: at rest there is none.
    both = report["worker_mb"] + report["caller_mb"]
    verdict = "within" if both <= MOST_MB else "ABOVE"
    return "\n".join(
        [
            f"{clip['width']}x{clip['height']}, {report['frames']} frames, "
            f"{clip['seconds'] / 60:.1f} minutes, tracks: {report['tracks']}; detector "
            f"{report['detector']}; x264 {report['preset']}; {report['elapsed'] / 60:.1f} minutes "
            f"of work, {report['speed']:.2f} x real time",
            f"{sizes['source'] / 1e6:.1f} MB in, {sizes['target'] / 1e6:.1f} MB out, a report of "
            f"{report['report_bytes'] / 1e6:.2f} MB",
            "",
            "memory at its peak, MB above rest",
            f"worker            {report['worker_mb']:8.1f}   (a process that is not there at rest)",
            f"calling process   {report['caller_mb']:8.1f}   (at rest it has "
            f"{report['caller_rest_mb']:.1f})",
            f"both              {both:8.1f}   ({verdict} {MOST_MB})",
        ]
    )


def _heading(report: dict[str, Any]) -> str:
    clip = report["clip"]
    faces = "1 face" if report["faces"] == 1 else f"{report['faces']} faces"
    long = f"{report['minutes']:g} minutes of " if "minutes" in report else ""
    return f"video: {long}{clip['width']}x{clip['height']}, {faces}, {report['detector']}"


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--width", type=int, default=1280, help="default: %(default)s")
    parser.add_argument("--height", type=int, default=720, help="default: %(default)s")
    parser.add_argument("--faces", type=int, default=1, metavar="N", help="default: %(default)s")
    parser.add_argument("--seconds", type=float, default=10.0, help="default: %(default)s")
    parser.add_argument(
        "--minutes", type=float, metavar="N", help="measure the memory that a clip so long takes"
    )
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="default: %(default)s")
    parser.add_argument("--detector", choices=list(DETECTORS), default=next(iter(DETECTORS)))
    parser.add_argument("--model", metavar="NAME", help="default: see models/default")
    parser.add_argument("--preset", choices=PRESETS, default=VideoOptions().preset)


BENCHMARK = Benchmark(
    name="video",
    describe="Measure how fast a clip is annotated and written again.",
    add_options=_add_options,
    measure=measure,
    heading=_heading,
    table=_table,
    packages=("av", "numpy", "opencv-contrib-python", "ai-edge-litert"),
)
main = BENCHMARK.main

if __name__ == "__main__":
    sys.exit(main())
