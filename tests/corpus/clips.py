"""Bad clips, from a real face that moves, in every container that is read."""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import av
import numpy as np

from fer_core.detectors.base import Picture
from tests.corpus.boxes import inside, patched
from tests.corpus.pictures import portrait
from tests.corpus.pictures import whole as whole_picture
from tests.corpus.upload import NAMES, BadUpload, cut, flipped, replaced

SIZE = (64, 48)
FRAMES = 12
CUTS, FLIPS = 3, 4
"""Of each coding."""

# container, video codec, pixel format, sound
_CODINGS: dict[str, tuple[str, str, str, str | None]] = {
    "clip.mp4": ("mp4", "libx264", "yuv420p", "aac"),
    "behind.mp4": ("mp4", "libx264", "yuv420p", None),
    "clip.mov": ("mov", "mpeg4", "yuv420p", "aac"),
    "clip.avi": ("avi", "mpeg4", "yuv420p", "pcm_s16le"),
    "raw.avi": ("avi", "mjpeg", "yuvj420p", None),
    "clip.mkv": ("matroska", "libx264", "yuv420p", "libmp3lame"),
    "clip.webm": ("webm", "libvpx", "yuv420p", "libopus"),
    "clip.ts": ("mpegts", "libx264", "yuv420p", "aac"),
    "clip.flv": ("flv", "libx264", "yuv420p", None),
}


def bad_clips(random: Random) -> Iterator[BadUpload]:
    """Every bad clip of the corpus."""
    for name in _CODINGS:
        for _ in range(CUTS):
            yield BadUpload("clip", "cut", name, cut(whole(name), random))
        for _ in range(FLIPS):
            yield BadUpload("clip", "bits flipped", name, flipped(whole(name), random))
    yield from _whatever_the_seed()
    for fault, made in (("colour tags", _random_colours(random)), ("name", _names(random))):
        for name, content in made:
            yield BadUpload("clip", fault, name, content)


@cache
def _whatever_the_seed() -> tuple[BadUpload, ...]:
    return tuple(
        BadUpload("clip", fault, name, content)
        for fault, made in (
            ("wrong extension", _not_clips()),
            ("zero size", _empty()),
            ("huge dimensions", _huge()),
            ("no stream", _no_stream()),
            ("endless times", _endless()),
            ("colour tags", _colours()),
            ("bomb", _bombs()),
        )
        for name, content in made
    )


@cache
def whole(name: str) -> bytes:
    """The sound clip of that name."""
    container, codec, form, sound = _CODINGS[name]
    faststart = {"movflags": "+faststart"} if name == "clip.mp4" else {}
    return encoded(container, codec, form, sound=sound, container_options=faststart)


def encoded(
    container: str,
    codec: str | None = "libx264",
    form: str = "yuv420p",
    *,
    size: tuple[int, int] = SIZE,
    times: Sequence[float] = tuple(n / 15 for n in range(FRAMES)),
    sound: str | None = None,
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
) -> bytes:
    """A clip as a file: the same bytes each time."""
    rate = 48_000 if sound == "libopus" else 44_100
    exact = {"fflags": "+bitexact", **(container_options or {})}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "clip"
        with av.open(str(file), "w", format=container, options=exact) as out:
            video = _video(out, codec, form, size, options) if codec else None
            heard = None
            if sound:
                heard = out.add_stream(sound, rate=rate)
                heard.codec_context.layout = "mono"
                heard.codec_context.flags |= 1 << 23  # AV_CODEC_FLAG_BITEXACT
            if video is not None:
                for step, time in enumerate(times):
                    shown = av.VideoFrame.from_ndarray(_scene(size, step), format="rgb24")
                    base = video.codec_context.time_base
                    shown.pts, shown.time_base = round(time / base), base
                    out.mux(video.encode(shown))
                out.mux(video.encode(None))
            if heard is not None:
                _hum(out, heard, rate, FRAMES / 15)
        return file.read_bytes()


@cache
def _scene(size: tuple[int, int], step: int) -> Picture:
    """A face on grey, `step` pixels further to the right."""
    width, height = size
    shown = np.full((height, width, 3), 90, np.uint8)
    side = min(width, height) * 3 // 4
    left, top = (width - side) // 4 + min(step, side // 4), (height - side) // 2
    shown[top : top + side, left : left + side] = np.asarray(portrait().resize((side, side)))
    return shown


def _video(
    out: Any, codec: str, form: str, size: tuple[int, int], options: dict[str, str] | None
) -> Any:
    video = out.add_stream(codec, rate=15)
    video.width, video.height = size
    video.pix_fmt = form
    video.codec_context.time_base = Fraction(1, 15 if out.format.name == "avi" else 15_360)
    video.codec_context.thread_count = 1
    video.codec_context.flags |= 1 << 23
    video.codec_context.options = dict(options or {})
    if codec == "libx264":
        # Its AVX-512 code writes one of two files, as memory happens to lie; plain C always one.
        given = [options["x264-params"]] if options and "x264-params" in options else []
        video.codec_context.options |= {"x264-params": ":".join([*given, "asm=0"])}
    return video


def _hum(out: Any, heard: Any, rate: int, seconds: float) -> None:
    wave = np.sin(np.arange(int(seconds * rate)) * 0.06) * 8000
    for at in range(0, len(wave) - 1024, 1024):
        part = np.ascontiguousarray(wave[None, at : at + 1024].astype(np.int16))
        frame = av.AudioFrame.from_ndarray(part, format="s16p", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, at, Fraction(1, rate)
        out.mux(heard.encode(frame))
    out.mux(heard.encode(None))


def _not_clips() -> Iterator[tuple[str, bytes]]:
    yield "letter.mp4", b"Dear Sir,\nthis is a letter.\n" * 30
    yield "page.mov", b"<!DOCTYPE html><html><body>hello</body></html>"
    yield "list.mp4", b"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile:///etc/passwd\n"
    yield "dash.mp4", b'<?xml version="1.0"?><MPD><BaseURL>http://127.0.0.1:9/</BaseURL></MPD>'
    yield "joined.mkv", b"ffconcat version 1.0\nfile /etc/passwd\n"
    yield "titles.avi", b"1\n00:00:01,000 --> 00:00:02,000\nHello\n"
    yield "call.mp4", b"v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\n"
    yield "picture.mp4", whole_picture("portrait.png")
    yield "picture.webm", whole_picture("portrait.webp")
    yield "picture.mov", whole_picture("portrait.heic")
    yield "moving.mkv", whole_picture("portrait.gif")
    yield "archive.mp4", b"PK\x03\x04" + bytes(400)
    yield "program.avi", b"\x7fELF\x02\x01\x01" + bytes(300)
    yield "wave.avi", b"RIFF\x24\0\0\0WAVEfmt " + bytes(60)
    yield "noise.mp4", Random(0).randbytes(6000)
    yield "stream.mp4", whole("clip.mkv")[:200] + whole("clip.mp4")


def _empty() -> Iterator[tuple[str, bytes]]:
    for name in ("empty.mp4", "empty.webm"):
        yield name, b""
    yield "byte.mkv", b"\x1a"
    yield "zeros.mov", bytes(5000)
    yield "head.mp4", b"\0\0\0\x18ftypmp42" + bytes(12)
    yield "packets.ts", (b"\x47\x1f\xff\x10" + bytes(184)) * 50


def _huge() -> Iterator[tuple[str, bytes]]:
    for side in (60_000, 16_000, 2_000, 0):
        content = patched(
            whole("clip.mp4"), "stsd", struct.pack(">HH", *SIZE), struct.pack(">HH", side, side)
        )
        yield f"table-{side}.mp4", content
    for side in (60_000, 9_000, 1_900):
        # This codec takes its size from the container; motion JPEG from each picture.
        yield f"header-{side}.avi", _avi_of(encoded("avi", "ffv1"), side)
        yield (
            f"picture-{side}.avi",
            _all_replaced(
                whole("raw.avi"),
                b"\0\x11\x08" + struct.pack(">HH", 48, 64),
                b"\0\x11\x08" + struct.pack(">HH", side, side),
            ),
        )
    frame = struct.pack("<HH", *SIZE)
    for side in (16_383, 1_900):
        yield (
            f"key-{side}.webm",
            _all_replaced(
                whole("clip.webm"),
                b"\x9d\x01\x2a" + frame,
                b"\x9d\x01\x2a" + struct.pack("<HH", side, side),
            ),
        )
    grown = encoded("mpegts", size=(64, 48)) + encoded(
        "mpegts", size=(1_600, 1_200), times=(0.0, 0.1)
    )
    yield "grows.ts", grown
    yield (
        "grows-too-far.ts",
        encoded("mpegts") + encoded("mpegts", size=(3_000, 2_000), times=(0.0,)),
    )


def _avi_of(content: bytes, side: int) -> bytes:
    out = bytearray(content)
    header = out.index(b"strf") + 8
    out[header + 4 : header + 12] = side.to_bytes(4, "little") * 2
    return bytes(out)


def _all_replaced(content: bytes, old: bytes, new: bytes) -> bytes:
    replaced(content, old, new)  # or it would not be there
    return content.replace(old, new)


def _no_stream() -> Iterator[tuple[str, bytes]]:
    for container, sound in (("mp4", "aac"), ("matroska", "libmp3lame"), ("webm", "libopus")):
        yield f"sound.{container}", encoded(container, None, sound=sound)
    mp4 = whole("clip.mp4")
    yield "no-track.mp4", mp4.replace(b"trak", b"free")
    yield "no-kind.mp4", mp4.replace(b"vide", b"subt")
    yield "no-table.mp4", mp4.replace(b"stbl", b"free")
    yield "no-sample.mp4", patched(mp4, "stsz", struct.pack(">I", FRAMES), struct.pack(">I", 0))
    yield "unknown-coding.mp4", mp4.replace(b"avc1", b"zzzz")
    yield "locked.mp4", mp4.replace(b"avc1", b"encv")
    yield "unknown-coding.mkv", whole("clip.mkv").replace(b"V_MPEG4/ISO/AVC", b"V_UNKNOWN/ABCDE")
    yield "unknown-coding.avi", whole("clip.avi").replace(b"FMP4", b"ZZZZ")
    yield "no-cluster.mkv", whole("clip.mkv").replace(b"\x1f\x43\xb6\x75", b"\xec\x43\xb6\x75")


def _endless() -> Iterator[tuple[str, bytes]]:
    for last in (4_000.0, 1e6, 1e9):
        yield f"gap-{last:.0f}.mkv", encoded("matroska", times=(0.0, 0.1, 0.2, last))
    mp4 = whole("clip.mp4")
    steps = inside(mp4, "stts")
    for step in (2**31 - 1, 2**32 - 1, 90_000_000, 0):
        # One step between all frames, as the file's table of times gives it.
        yield f"step-{step}.mp4", patched(mp4, "stts", steps[12:16], struct.pack(">I", step), at=12)
    yield "many-steps.mp4", patched(mp4, "stts", steps[8:12], struct.pack(">I", 2**32 - 1), at=8)
    for kind in ("mvhd", "mdhd", "tkhd"):
        at = {"mvhd": 16, "mdhd": 16, "tkhd": 20}[kind]
        old = inside(mp4, kind)[at : at + 4]
        for length in (0, 2**32 - 1):
            yield (
                f"length-{kind}-{length}.mp4",
                patched(mp4, kind, old, struct.pack(">I", length), at=at),
            )
    old = inside(mp4, "mdhd")[12:16]
    for scale in (0, 1, 2**32 - 1):
        yield f"scale-{scale}.mp4", patched(mp4, "mdhd", old, struct.pack(">I", scale), at=12)
    back = encoded("mpegts", times=tuple(n / 15 for n in range(8)))
    yield "again-and-again.ts", back * 12
    yield "backwards.ts", encoded("mpegts", times=(95_000.0, 95_000.1)) + back
    yield "again.flv", whole("clip.flv") + whole("clip.flv")[13:] * 5
    yield "rate-0.avi", _avi_rate(1, 0)
    yield "rate-huge.avi", _avi_rate(1, 2**32 - 1)
    yield "rate-tiny.avi", _avi_rate(2**31 - 1, 1)
    yield "an-hour-and-more.avi", _avi_rate(2_000, 1)


def _avi_rate(scale: int, rate: int) -> bytes:
    content = whole("raw.avi")
    header = content.index(b"strh") + 8
    old = content[header + 20 : header + 28]
    return replaced(content, old, struct.pack("<II", scale, rate), header + 20)


def _colours() -> Iterator[tuple[str, bytes]]:
    """Matrices, ranges and transfers that do not exist, or do not fit the pixels."""
    tagged = ("colorprim=bt709", "transfer=bt709", "colormatrix=bt709", "fullrange=on")
    for extra in (
        *tagged,
        "colormatrix=bt2020nc:transfer=smpte2084:colorprim=bt2020",
        "colormatrix=ycgco:transfer=log316:colorprim=film",
        "colormatrix=ictcp:transfer=arib-std-b67:colorprim=smpte432",
        "colormatrix=chroma-derived-c:transfer=iec61966-2-4:colorprim=smpte240m",
    ):
        yield f"{extra[:12]}.mp4", encoded("mp4", options={"x264-params": extra})
    yield "gbr-of-yuv.mp4", _retagged(b"nclx\0\1\0\1\0\0\x80")
    for form in ("yuv444p", "yuv422p10le", "gray", "yuv420p10le"):
        yield f"{form}.mkv", encoded("matroska", "libx264", form)
    for form in ("bgr0", "yuv444p16le", "gray16le"):
        yield f"{form}.mkv", encoded("matroska", "ffv1", form)
    yield "few-bits.avi", encoded("avi", "rawvideo", "rgb555le")


def _random_colours(random: Random) -> Iterator[tuple[str, bytes]]:
    for _ in range(6):
        yield "tags.mp4", _retagged(b"nclx" + random.randbytes(7))


@cache
def _tagged() -> bytes:
    options = {"x264-params": "colorprim=bt709:transfer=bt709:colormatrix=bt709"}
    return encoded("mp4", options=options, container_options={"movflags": "+write_colr"})


def _retagged(box: bytes) -> bytes:
    content = _tagged()
    return patched(content, "colr", inside(content, "colr")[:11], box)


def _bombs() -> Iterator[tuple[str, bytes]]:
    """Small files that say that there is much in them."""
    mp4 = whole("behind.mp4")
    sizes = inside(mp4, "stsz")
    for count in (10**6, 5 * 10**7, 2**32 - 1):
        yield (
            f"samples-{count}.mp4",
            patched(mp4, "stsz", sizes[8:12], struct.pack(">I", count), at=8),
        )
        # Each of one byte, so that no table of sizes is needed.
        many = patched(mp4, "stsz", sizes[4:12], struct.pack(">II", 1, count), at=4)
        row = inside(many, "stsc")[12:16]
        yield (
            f"in-one-chunk-{count}.mp4",
            patched(many, "stsc", row, struct.pack(">I", count), at=12),
        )
    parts = encoded("mp4", container_options={"movflags": "+frag_keyframe+empty_moov"})
    run = parts.index(b"trun") + 4
    for count in (10**6, 5 * 10**7, 2**32 - 1):
        head = bytes(4) + struct.pack(">I", count)
        yield f"in-one-part-{count}.mp4", parts[:run] + head + parts[run + 8 :]
    yield (
        "nested.mp4",
        mp4[:32] + b"".join(struct.pack(">I4s", 2**20, b"moov") for _ in range(3000)),
    )
    yield "deep.mkv", whole("clip.mkv")[:60] + b"\x1f\x43\xb6\x75\x01" + b"\xff" * 7 + bytes(3000)
    yield (
        "large-packet.mkv",
        replaced(whole("clip.mkv"), b"\xa3", b"\x08", len(whole("clip.mkv")) // 2),
    )
    still = encoded("matroska", times=tuple(n / 1000 for n in range(600)), size=(32, 32))
    yield "fast.mkv", still


def _names(random: Random) -> Iterator[tuple[str, bytes]]:
    for name in NAMES:
        yield name, cut(whole("behind.mp4"), random)
