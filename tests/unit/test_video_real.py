"""The real analyser on a clip with a real face."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from fer_core.analyzer import Analyzer
from fer_core.emotions import CLASSES, UNCERTAIN
from fer_core.results import Box
from fer_core.video import annotate_video, iter_results, probe
from tests.clips import Clip, make_clip

FACE = Box(0.41, 0.19, 0.63, 0.47)
"""The face in the portrait's cut as a share of its side: brows to chin, ear to ear."""


@pytest.mark.parametrize("rotation", [None, 90])
def test_a_real_face_is_followed_through_a_clip(rotation: int | None, tmp_path: Path) -> None:
    size = (640, 480)
    source = make_clip(
        tmp_path / "clip.mp4",
        Clip(size=size, times=tuple(i / 15 for i in range(20)), sound="aac"),
    )
    if rotation is not None:
        source = _turned(source, tmp_path / "turned.mp4")
    target, table = tmp_path / "t.mp4", tmp_path / "t.csv"
    with Analyzer() as analyzer:
        report = annotate_video(source, target, analyzer, csv=table)
    assert (report.frames, report.faces, report.tracks) == (20, 20, 1)
    assert report.warnings == ()
    info = probe(target)
    assert (info.width, info.height, info.audio_codec) == (640, 480, "aac")
    with table.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    for step, row in enumerate(rows):
        left, top = (640 - 360) // 4 + step, 60
        truth = Box(
            left + 360 * FACE.x0, top + 360 * FACE.y0, left + 360 * FACE.x1, top + 360 * FACE.y1
        )
        found = Box(*(float(row[name]) for name in ("x0", "y0", "x1", "y1")))
        assert found.x0 <= truth.centre[0] <= found.x1
        assert found.y0 <= truth.centre[1] <= found.y1
        assert row["label"] in (*CLASSES, UNCERTAIN)
        assert sum(float(row[name]) for name in CLASSES) == pytest.approx(1, abs=1e-4)


def test_results_alone_are_the_same_as_those_of_the_written_clip(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "clip.mp4", Clip(size=(320, 240)))
    with Analyzer() as analyzer:
        first = list(iter_results(source, analyzer))
        again = list(iter_results(source, analyzer))
    assert len(first) == 15
    assert [r.faces[0].probabilities for r in first] == [r.faces[0].probabilities for r in again]


def _turned(source: Path, target: Path) -> Path:
    """The clip with its pictures stored lying on their side and a flag that says so."""
    import av
    import numpy as np

    with av.open(str(source)) as inside, av.open(str(target), "w") as outside:
        video = outside.add_stream("libx264", rate=15)
        video.width, video.height, video.pix_fmt = 480, 640, "yuv420p"
        video.set_display_rotation(90)
        sound = outside.add_stream_from_template(inside.streams.audio[0])
        for packet in inside.demux(video=0, audio=0):
            if packet.stream.type == "audio" and packet.dts is not None:
                packet.stream = sound
                outside.mux(packet)
            elif packet.stream.type == "video":
                for frame in packet.decode():
                    lying = np.rot90(frame.to_ndarray(format="rgb24"), -1)
                    stored = av.VideoFrame.from_ndarray(np.ascontiguousarray(lying), format="rgb24")
                    stored.pts, stored.time_base = frame.pts, frame.time_base
                    outside.mux(video.encode(stored))
        outside.mux(video.encode(None))
    return target
