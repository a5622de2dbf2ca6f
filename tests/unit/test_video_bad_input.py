"""What people send: each bad clip ends in one sentence, or in what could be read of it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fer_core.errors import FerError, VideoError
from fer_core.video import VideoOptions, annotate_video, iter_results, probe
from tests.clips import Clip, FakeAnalyzer, make_clip, make_sound_only, strip_length

FORTY = tuple(i / 15 for i in range(40))


def refused(file: Path, options: VideoOptions | None = None) -> str:
    """The sentence with which `file` is refused, the same on every way in."""
    with pytest.raises(VideoError) as probed:
        probe(file, options)
    place = file.parent / "out"
    place.mkdir(exist_ok=True)
    with pytest.raises(VideoError) as annotated:
        annotate_video(file, place / "t.mp4", FakeAnalyzer(), options=options, csv=place / "t.csv")
    with pytest.raises(VideoError) as iterated:
        list(iter_results(file, FakeAnalyzer(), options=options))
    assert list(place.iterdir()) == []
    assert str(probed.value) == str(annotated.value) == str(iterated.value)
    sentence = str(probed.value)
    assert "\n" not in sentence
    assert sentence.endswith(".")
    return sentence


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"Dear diary,\ntoday I renamed a text file.\n" * 20, "is a text file"),
        ("Liebes Tagebuch, heute wär's schön.\n".encode() * 300, "is a text file"),
        (bytes(range(256)) * 40, "not a clip that can be read"),
        (b"\x89PNG\r\n\x1a\n" + bytes(500), "not a clip"),
        (b"\0" * 5000, "not a clip"),
        (b"\0\0\0\x18ftypmp42" + bytes(400), "cut off or damaged"),
        (b"RIFF\0\0\1\0AVI " + bytes(200), "cut off or damaged"),
        (b"\x1a\x45\xdf\xa3" + bytes(200), "cut off or damaged"),
        # Formats that would make FFmpeg open what they name.
        (b"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nhttp://127.0.0.1:9/a.ts\n", "text file"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "text file"),
        (b"1\n00:00:01,000 --> 00:00:02,000\nHello\n", "text file"),
    ],
)
def test_what_is_not_a_clip(content: bytes, words: str, tmp_path: Path) -> None:
    file = tmp_path / "holiday.mp4"
    file.write_bytes(content)
    sentence = refused(file)
    assert words in sentence
    assert sentence.startswith("holiday.mp4")


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    assert "cannot be opened (No such file" in refused(tmp_path / "none.mp4")
    assert "is not a file" in refused(tmp_path)


def test_a_picture_is_not_a_clip(tmp_path: Path) -> None:
    from PIL import Image

    file = tmp_path / "picture.mp4"
    Image.new("RGB", (64, 64)).save(file, "PNG")
    assert "not a clip" in refused(file)


def test_a_clip_without_pictures(tmp_path: Path) -> None:
    assert "no video stream (it holds: audio)" in refused(make_sound_only(tmp_path / "song.mp4"))


def test_a_clip_without_a_single_frame(tmp_path: Path) -> None:
    file = make_clip(tmp_path / "clip.mkv", Clip(times=(0.0,)))
    data = file.read_bytes()
    cluster = data.index(b"\x1f\x43\xb6\x75")
    file.write_bytes(data[: cluster + 4])
    assert "cut off" in refused(file)


def test_messages_use_the_name_that_people_know(tmp_path: Path) -> None:
    file = tmp_path / "upload.mp4"
    file.write_bytes(b"")
    assert refused(file, VideoOptions(name="My holiday.MP4")).startswith("My holiday.MP4 is empty")


def test_too_large_and_too_long(tmp_path: Path) -> None:
    file = make_clip(tmp_path / "clip.mp4", Clip(size=(160, 120), times=FORTY))
    sentence = refused(file, VideoOptions(max_pixels=10_000))
    assert "160x120" in sentence
    assert "0.0 million" in sentence
    sentence = refused(file, VideoOptions(max_seconds=2))
    assert "is 2.7 s long; the limit is 2.0 s" in sentence


def test_a_clip_that_hides_its_length_is_stopped_at_the_limit(tmp_path: Path) -> None:
    whole = make_clip(tmp_path / "clip.mkv", Clip(times=FORTY, options=(("bf", "0"),)))
    live = tmp_path / "live.mkv"
    strip_length(whole, live)
    place = tmp_path / "out"
    place.mkdir()
    options = VideoOptions(max_seconds=1)
    with pytest.raises(VideoError, match="the limit is"):
        annotate_video(live, place / "t.mp4", FakeAnalyzer(), options=options)
    assert list(place.iterdir()) == []


@pytest.mark.parametrize(
    ("side", "words"), [(16_000, "16000x16000"), (60_000, "does not say how large")]
)
def test_absurd_dimensions_are_refused_before_memory_is_taken(
    side: int, words: str, tmp_path: Path
) -> None:
    # This codec takes its size from the container.
    file = make_clip(tmp_path / "clip.avi", Clip(codec="ffv1", times=(0.0, 0.1)))
    data = bytearray(file.read_bytes())
    header = data.index(b"strf") + 8
    data[header + 4 : header + 12] = side.to_bytes(4, "little") * 2
    file.write_bytes(data)
    assert words in refused(file)


@pytest.mark.parametrize("share", [0.5, 0.8])
def test_a_cut_off_clip_gives_what_can_be_read(share: float, tmp_path: Path) -> None:
    file = make_clip(tmp_path / "clip.mp4", Clip(times=FORTY, faststart=True, sound="aac"))
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * share)])
    report = annotate_video(file, tmp_path / "t.mp4", FakeAnalyzer())
    assert 5 < report.frames < 40
    assert "cut off or damaged" in report.warnings[0]
    assert "of 2.7 s could be read" in report.warnings[0]
    assert probe(tmp_path / "t.mp4").seconds == pytest.approx(report.seconds, abs=0.5)


def test_a_cut_off_clip_with_its_index_behind_is_refused(tmp_path: Path) -> None:
    file = make_clip(tmp_path / "clip.mp4", Clip(times=FORTY))
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * 0.8)])
    assert "its index is missing" in refused(file)


def test_a_whole_clip_is_not_called_cut_off(tmp_path: Path) -> None:
    for ending, clip in (
        ("mp4", Clip(times=(0.0, 0.1, 4.0), sound="aac")),
        ("webm", Clip(codec="libvpx", sound="libopus", sound_rate=48000)),
        ("avi", Clip(codec="mpeg4")),
    ):
        file = make_clip(tmp_path / f"clip.{ending}", clip)
        assert annotate_video(file, tmp_path / "t.mp4", FakeAnalyzer()).warnings == ()


def test_damaged_frames_are_counted(tmp_path: Path) -> None:
    file = make_clip(tmp_path / "clip.mp4", Clip(times=FORTY, options=(("bf", "0"),)))
    data = bytearray(file.read_bytes())
    # The middle of the pictures, well behind the first one, on which the others are built.
    begin = data.index(b"mdat") + (len(data) - data.index(b"mdat")) * 2 // 3
    for at in range(begin, begin + 600, 7):
        data[at] ^= 0xFF
    file.write_bytes(data)
    report = annotate_video(file, tmp_path / "t.mp4", FakeAnalyzer())
    assert report.frames >= 10
    assert report.warnings


def test_nothing_is_said_on_the_terminal(tmp_path: Path) -> None:
    file = make_clip(tmp_path / "clip.mp4", Clip(times=FORTY, faststart=True, sound="aac"))
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * 0.7)])
    code = (
        "import sys; from tests.clips import FakeAnalyzer; from fer_core.video import iter_results;"
        "print(len(list(iter_results(sys.argv[1], FakeAnalyzer()))))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(file)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert run.stderr == ""
    assert run.stdout.strip().isdigit()


_CODINGS = {
    "mp4": Clip(times=FORTY[:12], size=(64, 48), faststart=True, sound="aac"),
    "avi": Clip(times=FORTY[:12], size=(64, 48), codec="mpeg4", sound="pcm_s16le"),
    "mkv": Clip(times=FORTY[:12], size=(64, 48), sound="libmp3lame"),
    "webm": Clip(
        times=FORTY[:12], size=(64, 48), codec="libvpx", sound="libopus", sound_rate=48000
    ),
}
_MADE: dict[str, bytes] = {}


def _clip_bytes(ending: str) -> bytes:
    if ending not in _MADE:
        with tempfile.TemporaryDirectory() as folder:
            made = make_clip(Path(folder) / f"clip.{ending}", _CODINGS[ending])
            _MADE[ending] = made.read_bytes()
    return _MADE[ending]


def _survives(ending: str, data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"clip.{ending}"
        file.write_bytes(data)
        place = Path(folder) / "out"
        place.mkdir()
        options = VideoOptions(max_pixels=4_000_000, max_seconds=1000, preset="ultrafast")
        try:
            report = annotate_video(
                file, place / "t.mp4", FakeAnalyzer(), options=options, csv=place / "t.csv"
            )
        except FerError as refusal:
            sentence, written = str(refusal), []
        else:
            sentence, written = "Read.", ["t.csv", "t.mp4"]
            assert report.frames > 0
            assert probe(place / "t.mp4").width > 0
        assert sentence.endswith(".")
        assert sorted(entry.name for entry in place.iterdir()) == written


_FUZZ = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


@_FUZZ
@given(ending=st.sampled_from(sorted(_CODINGS)), share=st.floats(0, 1))
def test_any_cut_ends_well(ending: str, share: float) -> None:
    data = _clip_bytes(ending)
    _survives(ending, data[: int(len(data) * share)])


@_FUZZ
@given(
    ending=st.sampled_from(sorted(_CODINGS)),
    flips=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 7)), max_size=40),
)
def test_any_flipped_bits_end_well(ending: str, flips: list[tuple[float, int]]) -> None:
    data = bytearray(_clip_bytes(ending))
    for share, bit in flips:
        data[int(len(data) * share)] ^= 1 << bit
    _survives(ending, bytes(data))


@_FUZZ
@given(
    ending=st.sampled_from(sorted(_CODINGS)),
    begin=st.floats(0, 1),
    hole=st.binary(min_size=1, max_size=400),
)
def test_any_hole_ends_well(ending: str, begin: float, hole: bytes) -> None:
    data = bytearray(_clip_bytes(ending))
    at = int(len(data) * begin)
    data[at : at + len(hole)] = hole
    _survives(ending, bytes(data))
