from __future__ import annotations

import contextlib
import io
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fer_core.errors import PictureError
from fer_core.pictures import MAX_PIXELS, load_picture

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def corners() -> Image.Image:
    """4 wide, 2 high: red upper left, green upper right, blue lower left, white elsewhere."""
    image = Image.new("RGB", (4, 2), WHITE)
    image.putpixel((0, 0), RED)
    image.putpixel((3, 0), GREEN)
    image.putpixel((0, 1), BLUE)
    return image


def test_a_path_a_string_and_bytes_give_the_same_picture(
    astronaut: np.ndarray, tmp_path: Path
) -> None:
    content = encoded(Image.fromarray(astronaut))
    file = tmp_path / "Ünï côde.png"
    file.write_bytes(content)
    for source in (file, str(file), content, bytearray(content)):
        picture = load_picture(source)
        assert picture.dtype == np.uint8
        assert picture.flags.c_contiguous
        np.testing.assert_array_equal(picture, astronaut)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "BMP", "TIFF", "GIF", "PPM", "AVIF", "JPEG2000"])
def test_formats(kind: str, astronaut: np.ndarray) -> None:
    picture = load_picture(encoded(Image.fromarray(astronaut), kind))
    assert picture.shape == astronaut.shape
    # GIF keeps 256 colours, JPEG and its kind are lossy: close is right, swapped channels are not.
    assert np.abs(picture.astype(int) - astronaut).mean() < 12


@pytest.mark.parametrize("size", [(1, 1), (16, 16), (1, 3000), (3000, 1), (8000, 6000)])
def test_sizes(size: tuple[int, int]) -> None:
    picture = load_picture(encoded(Image.new("RGB", size, GREEN), "PNG", compress_level=1))
    assert picture.shape == (size[1], size[0], 3)
    assert tuple(picture[-1, -1]) == GREEN


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (Image.new("L", (2, 2), 77), (77, 77, 77)),
        (Image.new("1", (2, 2), 1), WHITE),
        (Image.new("RGB", (2, 2), RED).convert("P"), RED),
        (Image.new("RGBA", (2, 2), (255, 0, 0, 255)), RED),
        (Image.new("RGBA", (2, 2), (255, 0, 0, 0)), WHITE),
        (Image.new("RGBA", (2, 2), (255, 0, 0, 128)), (255, 127, 127)),
        (Image.new("LA", (2, 2), (10, 0)), WHITE),
        (Image.new("LA", (2, 2), (10, 255)), (10, 10, 10)),
    ],
    ids=[
        "grey",
        "bilevel",
        "palette",
        "opaque",
        "transparent",
        "half",
        "grey-clear",
        "grey-opaque",
    ],
)
def test_colour_modes(image: Image.Image, expected: tuple[int, int, int]) -> None:
    picture = load_picture(encoded(image))
    assert np.abs(picture[0, 0].astype(int) - expected).max() <= 1


def test_a_transparent_palette_entry_shows_white() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([*RED, *BLUE])
    image.putpixel((1, 0), 1)
    picture = load_picture(encoded(image, "PNG", transparency=0))
    assert [tuple(pixel) for pixel in picture[0]] == [WHITE, BLUE]


def test_cmyk_jpeg() -> None:
    picture = load_picture(encoded(Image.new("RGB", (16, 16), RED).convert("CMYK"), "JPEG"))
    assert np.abs(picture[8, 8].astype(int) - RED).max() < 12


def test_sixteen_bits_become_eight() -> None:
    values = np.array([[0, 257, 32896, 65535]], np.uint16)
    picture = load_picture(encoded(Image.fromarray(values)))
    assert picture[0, :, 0].tolist() == [0, 1, 128, 255]
    assert load_picture(values)[0, :, 1].tolist() == [0, 1, 128, 255]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[0.0, 0.5, 1.0]], np.float32), [0, 128, 255]),
        (np.array([[0.0, 128.0, 255.0]], np.float32), [0, 128, 255]),
        (np.array([[0, 32768, 65535]], np.int32), [0, 128, 255]),
        (np.array([[-50.0, 0.0, 50.0]], np.float32), [0, 128, 255]),
    ],
)
def test_wide_tiff_values_become_eight_bits(values: np.ndarray, expected: list[int]) -> None:
    picture = load_picture(encoded(Image.fromarray(values), "TIFF"))
    np.testing.assert_allclose(picture[0, :, 0], expected, atol=1)


@pytest.mark.parametrize(
    ("orientation", "red", "green", "blue"),
    [
        (1, (0, 0), (0, 3), (1, 0)),
        (2, (0, 3), (0, 0), (1, 3)),
        (3, (1, 3), (1, 0), (0, 3)),
        (4, (1, 0), (1, 3), (0, 0)),
        (5, (0, 0), (3, 0), (0, 1)),
        (6, (0, 1), (3, 1), (0, 0)),
        (7, (3, 1), (0, 1), (3, 0)),
        (8, (3, 0), (0, 0), (3, 1)),
    ],
)
def test_exif_orientation(
    orientation: int, red: tuple[int, int], green: tuple[int, int], blue: tuple[int, int]
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = load_picture(encoded(corners(), "PNG", exif=exif))
    assert picture.shape == ((2, 4, 3) if orientation < 5 else (4, 2, 3))
    assert tuple(picture[red]) == RED
    assert tuple(picture[green]) == GREEN
    assert tuple(picture[blue]) == BLUE


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_broken_exif_does_not_cost_the_picture() -> None:
    content = encoded(corners(), "JPEG", exif=b"Exif\x00\x00MM\x00*\x00\x00\xff\xff\xff")
    assert load_picture(content).shape == (2, 4, 3)


def test_the_first_of_several_images_is_taken() -> None:
    first, second = Image.new("RGB", (3, 3), RED), Image.new("RGB", (3, 3), BLUE)
    content = encoded(first, "GIF", save_all=True, append_images=[second])
    assert tuple(load_picture(content)[1, 1]) == RED


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.full((2, 3), 9, np.uint8), (9, 9, 9)),
        (np.full((2, 3, 1), 9, np.uint8), (9, 9, 9)),
        (np.full((2, 3, 3), (1, 2, 3), np.uint8), (1, 2, 3)),
        (np.full((2, 3, 4), (1, 2, 3, 255), np.uint8), (1, 2, 3)),
        (np.full((2, 3, 4), (0, 0, 0, 0), np.uint8), WHITE),
        (np.full((2, 3, 3), 65535, np.uint16), WHITE),
    ],
)
def test_arrays(array: np.ndarray, expected: tuple[int, int, int]) -> None:
    picture = load_picture(array)
    assert picture.shape == (2, 3, 3)
    assert picture.dtype == np.uint8
    assert picture.flags.c_contiguous
    assert tuple(picture[1, 2]) == expected


def test_a_picture_is_not_copied_and_a_flipped_view_is_made_contiguous(
    astronaut: np.ndarray,
) -> None:
    assert load_picture(astronaut) is astronaut
    flipped = load_picture(astronaut[:, ::-1])
    assert flipped.flags.c_contiguous
    np.testing.assert_array_equal(flipped, astronaut[:, ::-1])


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((2, 2, 3)), "float64"),
        (np.zeros((2, 2, 2), np.uint8), r"\(2, 2, 2\)"),
        (np.zeros((3,), np.uint8), r"\(3,\)"),
        (np.zeros((1, 2, 2, 3), np.uint8), r"\(1, 2, 2, 3\)"),
        (np.zeros((0, 5, 3), np.uint8), "no pixel"),
        (np.broadcast_to(np.uint8(0), (9000, 9000, 3)), "9000x9000"),
    ],
)
def test_arrays_that_are_no_pictures(array: np.ndarray, words: str) -> None:
    with pytest.raises(PictureError, match=words):
        load_picture(array)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"this is a text file called photo.jpg", "not in a picture format"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "not in a picture format"),
        (b"\x89PNG\r\n\x1a\n", "read|format"),
    ],
    ids=["empty", "text", "postscript", "signature only"],
)
def test_bytes_that_are_no_pictures(content: bytes, words: str, tmp_path: Path) -> None:
    with pytest.raises(PictureError, match=words):
        load_picture(content)
    file = tmp_path / "photo.jpg"
    file.write_bytes(content)
    with pytest.raises(PictureError, match=r"photo\.jpg"):
        load_picture(file)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_file_cut_off_in_the_middle(kind: str, astronaut: np.ndarray) -> None:
    content = encoded(Image.fromarray(astronaut), kind)
    with pytest.raises(PictureError):
        load_picture(content[: len(content) // 2])


def test_dimensions_that_would_fill_the_memory_are_refused_before_decoding() -> None:
    side = int(MAX_PIXELS**0.5) + 1
    for pixels in (side, 12_000, 60_000):
        header = encoded(Image.new("1", (8, 8)), "PPM").split(b"\n", 2)
        content = header[0] + b"\n%d %d\n" % (pixels, pixels) + header[2]
        with pytest.raises(PictureError, match="64 million"):
            load_picture(content)


def test_paths_that_hold_no_picture(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match=r"no file .*missing\.png"):
        load_picture(tmp_path / "missing.png")
    with pytest.raises(PictureError, match="not a file"):
        load_picture(tmp_path)
    with pytest.raises(PictureError):
        load_picture("null\0character.png")
    with pytest.raises(PictureError):
        load_picture("x" * 5000)
    fifo = tmp_path / "fifo.png"
    os.mkfifo(fifo)
    with pytest.raises(PictureError, match="not a file"):
        load_picture(fifo)


@pytest.mark.parametrize("source", [None, 7, ["a.png"]])
def test_other_things(source: object) -> None:
    with pytest.raises(PictureError, match="can be a path"):
        load_picture(source)  # type: ignore[arg-type]


# Pillow warns of oddities that it can read past; only errors count here.
@pytest.mark.filterwarnings("ignore:::PIL")
@given(data=st.data(), kind=st.sampled_from(["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM"]))
def test_damaged_files_end_in_a_picture_or_a_sentence(data: st.DataObject, kind: str) -> None:
    content = bytearray(encoded(corners().resize((40, 30)), kind))
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(1, len(content)))]
    # Any other kind of error fails the test.
    with contextlib.suppress(PictureError):
        picture = load_picture(bytes(content))
        assert picture.dtype == np.uint8
        assert picture.ndim == 3
        assert picture.shape[2] == 3
