"""HEIC and AVIF: what phones save, with the turn written into the file."""

from __future__ import annotations

import contextlib
import io
import sys

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageOps

from fer_core import cli
from fer_core.errors import PictureError
from fer_core.pictures import load_picture

ORIENTATION = 0x0112


@pytest.fixture
def portrait(astronaut: np.ndarray) -> Image.Image:
    return Image.fromarray(astronaut[:320, 80:336])


def heic(picture: Image.Image, orientation: int = 1) -> bytes:
    """As a phone writes it: the turn is a property of the image, and in the EXIF data as well."""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    file = pillow_heif.from_pillow(picture)
    file[0].info["original_orientation"] = orientation
    stream = io.BytesIO()
    file.save(stream, quality=90, exif=exif.tobytes())
    return stream.getvalue()


def avif(picture: Image.Image, orientation: int = 1) -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    stream = io.BytesIO()
    picture.save(stream, "AVIF", quality=90, exif=exif)
    return stream.getvalue()


def turned(picture: Image.Image, orientation: int) -> np.ndarray:
    copy = picture.copy()
    copy.getexif()[ORIENTATION] = orientation
    return np.asarray(ImageOps.exif_transpose(copy))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("made", [heic, avif])
def test_turned_once_and_never_twice(made, orientation: int, portrait: Image.Image) -> None:
    content = made(portrait, orientation)
    if made is heic and orientation > 1:
        assert b"irot" in content or b"imir" in content
    picture = load_picture(content)
    wanted = turned(portrait, orientation)
    assert picture.dtype == np.uint8
    assert picture.flags.c_contiguous
    assert picture.shape == wanted.shape
    assert np.abs(picture.astype(int) - wanted).mean() < 5


def test_a_path_is_read_like_bytes(tmp_path, portrait: Image.Image) -> None:
    file = tmp_path / "IMG_0001.HEIC"
    file.write_bytes(heic(portrait, 6))
    np.testing.assert_array_equal(load_picture(file), load_picture(file.read_bytes()))


def test_transparent_parts_lie_over_white(portrait: Image.Image) -> None:
    clear = portrait.copy()
    clear.putalpha(0)
    assert load_picture(heic(clear)).min() > 250


@pytest.mark.parametrize("kept", [12, 40, 200, 0.5, 0.99])
@pytest.mark.parametrize("made", [heic, avif])
def test_a_file_that_is_cut_off_ends_in_one_sentence(made, kept, portrait: Image.Image) -> None:
    content = made(portrait)
    length = kept if isinstance(kept, int) else int(kept * len(content))
    with pytest.raises(PictureError, match=r"^The picture \(\d+ bytes\) .+\.$") as caught:
        load_picture(content[:length])
    assert "\n" not in str(caught.value)


def test_noise_in_the_file_is_a_picture_or_a_sentence(portrait: Image.Image) -> None:
    content = heic(portrait)
    dice = np.random.default_rng(5)
    read = 0
    for _ in range(60):
        damaged = bytearray(content)
        for place in dice.integers(0, 600, 4):
            damaged[place] = dice.integers(0, 256)
        with contextlib.suppress(PictureError):
            assert load_picture(bytes(damaged)).ndim == 3
            read += 1
    assert read < 60


def test_a_clip_is_no_picture() -> None:
    with pytest.raises(PictureError, match="not in a picture format"):
        load_picture(b"\0\0\0\x18ftypisom\0\0\0\0isomiso2" + bytes(300))


def test_without_the_package_the_sentence_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, portrait: Image.Image
) -> None:
    content = heic(portrait)
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(PictureError, match="needs the package pillow-heif"):
        load_picture(content)


def test_the_command_reads_a_folder_of_them(tmp_path, capsys, portrait: Image.Image) -> None:
    (tmp_path / "one.heic").write_bytes(heic(portrait))
    (tmp_path / "two.HEIF").write_bytes(heic(portrait, 3))
    (tmp_path / "three.avif").write_bytes(avif(portrait, 6))
    assert cli.main(["analyze", str(tmp_path), "--quiet"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in ("one.heic", "two.HEIF", "three.avif"))
