"""`python -m benchmarks.video`: how fast a clip is annotated and written again.

The clip is made first (H.264, moving real faces, sound) and is not counted. Each run decodes,
analyses, draws and encodes it whole; the first run warms up and is left out.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from benchmarks.clip import FRAMES_A_SECOND, face_clip
from benchmarks.machine import peak_megabytes
from benchmarks.report import Benchmark
from fer_core.analyzer import Analyzer, AnalyzerOptions
from fer_core.detectors import DETECTORS
from fer_core.errors import OptionError
from fer_core.video import VideoOptions, annotate_video, probe
from fer_core.video.contracts import PRESETS

SOUND_RATE = 48_000


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
            "runtime": f"{runtime.name} ({runtime.device})",
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


def _spread(values: list[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(values), 2),
        "least": round(min(values), 2),
        "most": round(max(values), 2),
    }


def _table(report: dict[str, Any]) -> str:
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


def _heading(report: dict[str, Any]) -> str:
    clip = report["clip"]
    faces = "1 face" if report["faces"] == 1 else f"{report['faces']} faces"
    return f"video: {clip['width']}x{clip['height']}, {faces}, {report['detector']}"


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--width", type=int, default=1280, help="default: %(default)s")
    parser.add_argument("--height", type=int, default=720, help="default: %(default)s")
    parser.add_argument("--faces", type=int, default=1, metavar="N", help="default: %(default)s")
    parser.add_argument("--seconds", type=float, default=10.0, help="default: %(default)s")
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
