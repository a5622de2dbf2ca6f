"""Bad pictures, from a real portrait in every format that is read."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from functools import cache
from random import Random
from typing import Any

import numpy as np
from PIL import Image

from tests.corpus.upload import NAMES, BadUpload, cut, flipped, replaced

SIZE = (96, 72)
CUTS, FLIPS = 4, 5
"""Of each format."""

_FORMATS: dict[str, tuple[str, dict[str, Any]]] = {
    "portrait.png": ("PNG", {}),
    "portrait.jpg": ("JPEG", {"quality": 85}),
    "progressive.jpg": ("JPEG", {"progressive": True}),
    "portrait.gif": ("GIF", {}),
    "portrait.bmp": ("BMP", {}),
    "raw.tif": ("TIFF", {}),
    "packed.tif": ("TIFF", {"compression": "tiff_lzw"}),
    "portrait.webp": ("WEBP", {"quality": 80}),
    "lossless.webp": ("WEBP", {"lossless": True}),
    "portrait.ppm": ("PPM", {}),
    "portrait.jp2": ("JPEG2000", {}),
    "portrait.avif": ("AVIF", {}),
    "portrait.ico": ("ICO", {}),
    "portrait.heic": ("HEIF", {}),
}


def bad_pictures(random: Random) -> Iterator[BadUpload]:
    """Every bad picture of the corpus."""
    for name in _FORMATS:
        for _ in range(CUTS):
            yield BadUpload("picture", "cut", name, cut(whole(name), random))
        for _ in range(FLIPS):
            yield BadUpload("picture", "bits flipped", name, flipped(whole(name), random))
    yield from _whatever_the_seed()
    for name in NAMES:
        yield BadUpload("picture", "name", name, cut(whole("portrait.png"), random))


@cache
def _whatever_the_seed() -> tuple[BadUpload, ...]:
    return tuple(
        BadUpload("picture", fault, name, content)
        for fault, made in (
            ("wrong extension", _not_pictures()),
            ("zero size", _empty()),
            ("huge dimensions", _huge()),
            ("bomb", _bombs()),
            ("colour tags", _colours()),
        )
        for name, content in made
    )


@cache
def whole(name: str) -> bytes:
    """The sound file of that name."""
    kind, options = _FORMATS[name]
    if kind == "HEIF":
        import pillow_heif

        pillow_heif.register_heif_opener(thumbnails=False)
    return encoded(portrait(), kind, **options)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """An image as a file."""
    held = io.BytesIO()
    image.save(held, kind, **options)
    return held.getvalue()


@cache
def portrait() -> Image.Image:
    """A real face (scikit-image's astronaut), 96x72."""
    from skimage.data import astronaut

    return Image.fromarray(astronaut()[0:256, 80:400]).resize(SIZE, Image.Resampling.LANCZOS)


def _not_pictures() -> Iterator[tuple[str, bytes]]:
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("zeros"), bytes(5_000_000))
    yield "letter.jpg", b"Dear Sir,\nthis is a letter.\n" * 30
    yield "page.png", b"<!DOCTYPE html><html><body>hello</body></html>"
    yield (
        "drawing.png",
        b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/>',
    )
    yield (
        "figure.jpg",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9999 9999\n(%pipe%id) (r) file",
    )
    yield "paper.jpg", b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n"
    yield "archive.png", zipped.getvalue()
    yield "archive.gif", gzip.compress(bytes(5_000_000), mtime=0)
    yield "program.webp", b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff" + bytes(300)
    yield "library.bmp", b"\x7fELF\x02\x01\x01" + bytes(300)
    yield "metafile.jpg", b"\xd7\xcd\xc6\x9a" + bytes(200)
    yield "animation.gif", struct.pack("<IHHHHHH", 99, 0xAF11, 5, 320, 200, 8, 0) + bytes(120)
    yield "layers.png", b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 20, 20, 8, 3) + bytes(80)
    yield "scan.tif", b"\x0a\x05\x01\x08" + bytes(200)
    yield "list.jpg", b'{"faces": []}'
    yield "film.jpg", b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(500)
    yield "heic.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(500)
    yield "avif.avif", b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf" + bytes(500)
    yield "really-gif.png", whole("portrait.gif")
    yield "really-jpeg.heic", whole("portrait.jpg")
    yield "noise.jpg", Random(0).randbytes(4000)


def _empty() -> Iterator[tuple[str, bytes]]:
    for name in ("empty.jpg", "empty.png", "empty.heic"):
        yield name, b""
    yield "byte.jpg", b"\xff"
    yield "zeros.png", bytes(2000)
    yield "spaces.gif", b" " * 2000
    for start in (b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"II*\0", b"RIFF\0\0\0\0WEBP", b"P6"):
        yield "start.png", start


def png(
    width: int, height: int, data: bytes, *chunks: tuple[bytes, bytes], form: bytes = b""
) -> bytes:
    """A PNG put together by hand: what its header says need not fit what is in it."""
    parts = [(b"IHDR", struct.pack(">II", width, height) + (form or b"\x08\x02\0\0\0"))]
    parts += [*chunks, (b"IDAT", data), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, body) for kind, body in parts)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _huge() -> Iterator[tuple[str, bytes]]:
    rows = zlib.compress(bytes(1000))
    for width, height in (
        (30_000, 30_000),
        (2**31 - 1, 2**31 - 1),
        (2**31 - 1, 1),
        (1, 60_000_000),
    ):
        yield f"{width}x{height}.png", png(width, height, rows)
    yield "0x0.png", png(0, 0, rows)
    size = struct.pack(">HH", SIZE[1], SIZE[0])
    for name in ("portrait.jpg", "progressive.jpg"):
        yield name, replaced(whole(name), size, struct.pack(">HH", 65_500, 65_500))
        yield name, replaced(whole(name), size, struct.pack(">HH", 7_900, 7_900))
    gif = struct.pack("<HH", *SIZE)
    large = struct.pack("<HH", 65_535, 65_535)
    yield "screen.gif", replaced(whole("portrait.gif"), gif, large)
    yield "both.gif", whole("portrait.gif").replace(gif, large)
    bmp = struct.pack("<ii", *SIZE)
    for width, height in ((60_000, 60_000), (2**31 - 1, 2**31 - 1), (-5, -5), (7_000, -7_000)):
        yield "large.bmp", replaced(whole("portrait.bmp"), bmp, struct.pack("<ii", width, height))
    for name in ("raw.tif", "packed.tif"):
        for side in (60_000, 2**32 - 1, 7_900):
            yield name, _tiff_with(whole(name), {256: side, 257: side})
    for text in (
        b"P6 60000 60000 255\n",
        b"P6 7900 7900 255\n",
        b"P3 7900 7900 255\n1 2 3",
        b"P6 9" * 99,
    ):
        yield "large.ppm", text
    jp2 = whole("portrait.jp2")
    box = struct.pack(">II", SIZE[1], SIZE[0])
    yield "box.jp2", replaced(jp2, box, struct.pack(">II", 2**31 - 1, 2**31 - 1))
    code = struct.pack(">II", *SIZE)
    yield (
        "stream.jp2",
        replaced(jp2, code, struct.pack(">II", 7_000, 7_000), jp2.index(b"\xff\x4f")),
    )
    for name in ("portrait.avif", "portrait.heic"):
        # The size as the container gives it; what is decoded has its own.
        for side in (60_000, 7_900, 0):
            place = whole(name).index(b"ispe") + 8
            old = whole(name)[place : place + 8]
            yield name, replaced(whole(name), old, struct.pack(">II", side, side), place)
    header = struct.pack("<HHHBBBBHHII", 0, 1, 1, 0, 0, 0, 0, 1, 32, 100, 22)
    yield "nested.ico", header + png(30_000, 30_000, rows)


def _tiff_with(content: bytes, wanted: dict[int, int]) -> bytes:
    """A little-endian TIFF with other values for some of its tags."""
    out = bytearray(content)
    (start,) = struct.unpack_from("<I", out, 4)
    (count,) = struct.unpack_from("<H", out, start)
    for at in range(start + 2, start + 2 + 12 * count, 12):
        (tag,) = struct.unpack_from("<H", out, at)
        if tag in wanted:
            struct.pack_into("<HII", out, at + 2, 4, 1, wanted[tag])
    return bytes(out)


@cache
def _zeros(size: int) -> bytes:
    """Zeros, a thousandth as large when compressed, made without holding them all."""
    packer = zlib.compressobj(9)
    block = bytes(1 << 20)
    parts = [packer.compress(block) for _ in range(size >> 20)]
    return b"".join(parts) + packer.flush()


def _bombs() -> Iterator[tuple[str, bytes]]:
    small = zlib.compress(bytes(100 * 301))
    large = _zeros(100 << 20)
    yield "a-lot-in-hundred-rows.png", png(100, 100, large)
    yield "most-that-is-allowed.png", png(7_900, 8_000, _zeros(190 << 20))
    yield "one-more.png", png(8_001, 8_000, _zeros(1 << 20))
    yield "deep.png", png(5_000, 5_000, _zeros(1 << 20), form=b"\x10\x06\0\0\0")
    yield "woven.png", png(4_000, 4_000, _zeros(50 << 20), form=b"\x08\x02\0\0\1")
    for kind, head in ((b"zTXt", b"a\0\0"), (b"iTXt", b"a\0\1\0\0\0"), (b"iCCP", b"a\0\0")):
        yield f"{kind.decode()}.png", png(100, 100, small, (kind, head + large))
    yield "many-texts.png", png(100, 100, small, *[(b"zTXt", b"a\0\0" + _zeros(1 << 20))] * 200)
    yield "many-palettes.png", png(100, 100, small, *[(b"PLTE", bytes(768))] * 3000)
    frames = [Image.new("P", (400, 400), n % 256) for n in range(60)]
    for kind, name in (("GIF", "long.gif"), ("PNG", "long.png"), ("WEBP", "long.webp")):
        yield name, encoded(frames[0], kind, save_all=True, append_images=frames[1:])
    yield "scans.jpg", many_scans(3_000)
    yield "not-so-many-scans.jpg", many_scans(60)
    yield (
        "comments.jpg",
        b"\xff\xd8\xff\xfe\xff\xff" + bytes(65533) + b"\xff\xfe\0\2" * 90_000,
    )
    yield "strips.tif", _tiff_with(whole("raw.tif"), {278: 0, 273: 2**31, 279: 2**32 - 1})
    yield "directory.tif", _tiff_with(whole("raw.tif"), {330: 8, 34665: 8})
    yield "packed.tif", _tiff_deflated(7_000, _zeros(140 << 20))
    yield "numbers.ppm", b"P3 1200 1200 255\n" + b"1 " * 4_320_000
    yield "comment.ppm", b"P6\n#" + b"x" * 5_000_000 + b"\n9 9 255\n" + bytes(243)
    run = b"\xff\0" * 240_000
    yield "runs.bmp", _bmp_of_runs(7_800, run)
    yield "deltas.bmp", _bmp_of_runs(7_800, b"\0\2\xff\xff" * 200_000)


def many_scans(count: int, side: int = 4_000) -> bytes:
    """A progressive JPEG that says `count` times, in a few bytes each, that nothing changes."""
    image = Image.new("L", (side, side), 128)
    whole_file = encoded(image, "JPEG", progressive=True, quality=10)
    last = whole_file.rindex(b"\xff\xda")
    return whole_file[:last] + whole_file[last:-2] * count + whole_file[-2:]


def _tiff_deflated(side: int, packed: bytes) -> bytes:
    tags = [(256, side), (257, side), (258, 8), (259, 8), (262, 2), (273, 8), (277, 3), (278, side)]
    tags += [(279, len(packed))]
    body = struct.pack("<H", len(tags))
    body += b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return b"II*\0" + struct.pack("<I", 8 + len(packed)) + packed + body + bytes(4)


def _bmp_of_runs(side: int, data: bytes) -> bytes:
    info = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 8, 1, len(data), 0, 0, 256, 0)
    start = 14 + len(info) + 1024
    head = struct.pack("<2sIHHI", b"BM", start + len(data), 0, 0, start)
    return head + info + bytes(1024) + data


def _colours() -> Iterator[tuple[str, bytes]]:
    rows = zlib.compress(b"".join(b"\0" + bytes([n]) * 400 for n in range(50)))
    for depth, kind in ((8, 3), (8, 4), (3, 2), (16, 3), (1, 2), (255, 255), (0, 0)):
        form = bytes((depth, kind, 0, 0, 0))
        yield f"depth-{depth}-kind-{kind}.png", png(50, 50, rows, form=form)
    yield "palette.png", png(50, 50, rows, (b"PLTE", b"abcd"), form=b"\x08\x03\0\0\0")
    nonsense = ((b"gAMA", bytes(4)), (b"cHRM", bytes(32)), (b"sRGB", b"\xff"))
    yield "gamma.png", png(50, 50, rows, *nonsense)
    yield "clear.png", png(50, 50, rows, (b"tRNS", b"\xff" * 6), (b"tRNS", b""))
    noise = Random(0).randbytes(3_000)
    for coding in ("PNG", "JPEG", "TIFF", "WEBP"):
        yield f"profile.{coding.lower()}", encoded(portrait(), coding, icc_profile=noise)
    four = encoded(portrait().convert("CMYK"), "JPEG")
    for file in (whole("portrait.jpg"), four):
        for transform in (0, 1, 2, 200):
            adobe = b"\xff\xee\0\x0eAdobe\0\x64" + bytes(4) + bytes([transform])
            yield f"adobe-{transform}.jpg", file[:2] + adobe + file[2:]
    for meaning in (0, 1, 3, 4, 5, 6, 8, 9, 999):
        yield f"meaning-{meaning}.tif", _tiff_with(whole("raw.tif"), {262: meaning})
    yield "samples.tif", _tiff_with(whole("raw.tif"), {277: 5})
    yield "floats.tif", encoded(Image.fromarray(np.full((40, 40), np.nan, np.float32)), "TIFF")
    yield "bits.bmp", replaced(whole("portrait.bmp"), b"\x01\0\x18\0", b"\x01\0\x07\0")
    for turned in (0, 9, 65_535):
        exif = Image.Exif()
        exif[0x0112] = turned
        yield f"turned-{turned}.jpg", encoded(portrait(), "JPEG", exif=exif)
    yield "exif.jpg", encoded(portrait(), "JPEG", exif=b"Exif\0\0MM\0*\0\0\xff\xff" + noise)
