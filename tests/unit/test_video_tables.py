"""Clips that announce millions of pictures in a few bytes, and colours that do not exist."""

from __future__ import annotations

import struct
import time
from pathlib import Path

import pytest

from fer_core.errors import VideoError
from fer_core.video import VideoOptions, probe
from fer_core.video.tables import MOST_SAMPLES, promises_too_much
from tests.clips import Clip, make_clip, make_sound_only, read_pictures
from tests.corpus.boxes import inside, patched
from tests.corpus.clips import encoded, whole


def written(folder: Path, content: bytes) -> Path:
    file = folder / "clip.mp4"
    file.write_bytes(content)
    return file


def of_one_size(count: int) -> bytes:
    """Says that it has `count` pictures of one byte each, all in one place."""
    mp4 = whole("behind.mp4")
    number = struct.pack(">I", count)
    mp4 = patched(mp4, "stsz", inside(mp4, "stsz")[4:12], struct.pack(">I", 1) + number, at=4)
    return patched(mp4, "stsc", inside(mp4, "stsc")[12:16], number, at=12)


def in_fragments(count: int) -> bytes:
    """A fragment that says the same."""
    mp4 = encoded("mp4", container_options={"movflags": "+frag_keyframe+empty_moov"})
    run = mp4.index(b"trun") + 4
    return mp4[:run] + bytes(4) + struct.pack(">I", count) + mp4[run + 8 :]


@pytest.mark.parametrize("made", [of_one_size, in_fragments])
@pytest.mark.parametrize("count", [100_000, 50_000_000, 2**32 - 1])
def test_more_pictures_than_bytes_are_refused_at_once(made, count: int, tmp_path: Path) -> None:
    file = written(tmp_path, made(count))
    begin = time.process_time()
    with pytest.raises(VideoError, match="announces more pictures than it can hold"):
        probe(file)
    assert time.process_time() - begin < 1


def test_a_large_file_may_not_announce_any_number_either(tmp_path: Path) -> None:
    file = written(tmp_path, of_one_size(MOST_SAMPLES + 1))
    with file.open("r+b") as stream:
        stream.truncate(MOST_SAMPLES * 10)  # a hole, which takes no room
    assert promises_too_much(file)


def test_sound_clips_and_fragments_of_usual_make_are_left_alone(tmp_path: Path) -> None:
    files = [
        make_clip(tmp_path / "a.mov", Clip(sound="pcm_s16le", sound_rate=48_000)),
        make_clip(tmp_path / "b.mp4", Clip(sound="aac", faststart=True)),
        make_clip(tmp_path / "c.mkv"),
        make_sound_only(tmp_path / "d.mp4"),
        written(tmp_path, encoded("mp4", container_options={"movflags": "+frag_keyframe"})),
        written(tmp_path, b""),
        written(tmp_path, b"\0\0\0\x01ftyp" + bytes(9)),
        written(tmp_path, b"\0\0\0\x10ftypmp42" + bytes(4) + b"\0\0\0\0moov"),
    ]
    assert [file.name for file in files if promises_too_much(file)] == []


@pytest.mark.parametrize("matrix", ["ycgco", "ictcp", "chroma-derived-c"])
def test_colours_that_cannot_be_converted_are_read_as_usual_ones(
    matrix: str, tmp_path: Path
) -> None:
    from fer_core.video import annotate_video
    from tests.clips import FakeAnalyzer

    shown = []
    for name, options in (("plain", None), (matrix, {"x264-params": f"colormatrix={matrix}"})):
        file = tmp_path / f"{name}.mp4"
        file.write_bytes(encoded("mp4", options=options))
        annotate_video(file, tmp_path / "t.mp4", FakeAnalyzer())
        shown.append(read_pictures(tmp_path / "t.mp4")[0].astype(int))
    assert abs(shown[0] - shown[1]).max() < 8


def test_a_name_is_one_line_in_every_sentence(tmp_path: Path) -> None:
    file = written(tmp_path, b"")
    name = "../a\nb\x1b[31m\u202e" + "x" * 300 + ".mp4"
    with pytest.raises(VideoError) as refused:
        probe(file, VideoOptions(name=name))
    sentence = str(refused.value)
    assert sentence.startswith("a b[31mxxx")
    assert sentence.isprintable()
    assert len(sentence) < 150
