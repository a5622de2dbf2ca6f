"""Any picture file, bytes or array, as RGB uint8 (height, width, 3)."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fer_core.detectors.base import Picture
from fer_core.errors import PictureError
from fer_core.jpeg_scans import MOST_SCANS, has_too_many_scans

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["FORMATS", "MAX_PIXELS", "load_picture"]

MAX_PIXELS = 64_000_000
"""Larger pictures are refused: 8000x8000, 192 MB once decoded."""

FORMATS = ("AVIF", "BMP", "GIF", "ICO", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")
"""Pillow's names of the formats that are read, where Pillow is new enough to know them. Those that
start other programs (PostScript) are left out."""

HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
"""What stands at bytes 8 to 12 of a HEIC file, behind `ftyp` (ISO/IEC 23008-12)."""

STRIP = 65_536
"""Pixels that are converted at a time: no second full copy is needed, and pieces this small fit
into memory that the process has; asking the system for more takes longer than converting."""


def load_picture(source: str | Path | bytes | npt.NDArray[Any]) -> Picture:
    """Read a picture.

    Files are turned as their EXIF orientation says, HEIC as the file itself says; transparent parts
    lie over white; of several images in a file the first is taken; 16-bit values are divided by
    257.

    Args:
        source: path, content of a file, or an array: uint8 or uint16, grey (height, width) or
            (height, width, 1), RGB (height, width, 3) or RGBA (height, width, 4).

    Returns:
        RGB uint8 (height, width, 3), C-contiguous. An array that has this form already is returned
        as it is, not copied.

    Raises:
        PictureError: the file is missing, is no picture, is damaged or cut off, or the picture is
            empty or larger than MAX_PIXELS.
    """
    if isinstance(source, np.ndarray):
        return _from_array(source)
    if isinstance(source, (bytes, bytearray, memoryview)):
        content = bytes(source)
        if not content:
            raise PictureError("The picture is empty (0 bytes). Choose a picture file.")
        return _from_file(io.BytesIO(content), f"The picture ({len(content)} bytes)")
    if isinstance(source, (str, Path)):
        return _from_path(source)
    raise PictureError(
        "A picture can be a path, bytes or a numpy array. "
        f"Received: {type(source).__module__}.{type(source).__qualname__}."
    )


def _from_path(source: str | Path) -> Picture:
    shown = repr(str(source)) if len(str(source)) <= 200 else repr(str(source)[:200] + "...")
    try:
        path = Path(source)
        if not path.exists():
            raise PictureError(f"There is no file {shown}. Check the path of the picture.")
        if not path.is_file():
            raise PictureError(f"{shown} is not a file. Give the path of one picture.")
        if path.stat().st_size == 0:
            raise PictureError(f"The picture {shown} is empty (0 bytes). Choose another file.")
        with path.open("rb") as stream:
            return _from_file(stream, f"The picture {shown}")
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        raise PictureError(f"The picture {shown} cannot be opened: {error}.") from None


def _from_file(stream: Any, what: str) -> Picture:
    from PIL import Image, ImageOps, UnidentifiedImageError

    Image.init()
    known = [name for name in FORMATS if name in Image.OPEN]
    if _is_heif(stream):
        known.append(_heif_format(what))
    try:
        image = Image.open(stream, formats=known)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PictureError(f"{what} is too large. {_limit()}") from None
    except UnidentifiedImageError:
        raise PictureError(
            f"{what} is not in a picture format that is read here. "
            "Use JPEG, PNG, WebP, HEIC, AVIF, GIF, BMP or TIFF."
        ) from None
    except Exception as error:
        # Pillow's readers raise whatever their parser stumbles over, from struct.error to KeyError.
        raise PictureError(f"{what} cannot be read: {_words(error)}.") from None
    with image:
        if image.width * image.height > MAX_PIXELS:
            raise PictureError(
                f"{what} is too large: {image.width}x{image.height} pixels. {_limit()}"
            )
        if image.info.get("progressive") and has_too_many_scans(stream):
            raise PictureError(
                f"{what} is written in more than {MOST_SCANS} passes, which would keep the machine "
                "busy for minutes. Save it again as an ordinary JPEG."
            )
        try:
            image.load()
        except Exception as error:
            raise PictureError(
                f"{what} is damaged or cut off: {_words(error)}. Save or download it again."
            ) from None
        # Broken EXIF data must not cost the picture.
        with contextlib.suppress(Exception):
            ImageOps.exif_transpose(image, in_place=True)
        try:
            return _decoded(image)
        except Exception as error:
            raise PictureError(
                f"{what} has colours that are not understood (mode {image.mode}): "
                f"{_words(error)}. Save it as PNG or JPEG."
            ) from None


def _is_heif(stream: Any) -> bool:
    start = stream.read(12)
    stream.seek(0)
    return start[4:8] == b"ftyp" and start[8:12] in HEIF_BRANDS


def _heif_format(what: str) -> str:
    """Teach Pillow to read HEIC; the name under which it then does.

    Raises:
        PictureError: the package for it is not there.
    """
    try:
        import pillow_heif
    except ImportError as error:
        raise PictureError(
            f"{what} is HEIC, which needs the package pillow-heif ({error}). "
            "Install it, or save the picture as JPEG."
        ) from None
    # It turns the picture itself and says so in its EXIF data, so nothing is turned twice.
    pillow_heif.register_heif_opener(thumbnails=False)
    return "HEIF"


def _decoded(image: Image.Image) -> Picture:
    """The pixels of a loaded image, strip by strip."""
    low, high = 0.0, 255.0
    if image.mode == "I" or image.mode == "F" or image.mode.startswith("I;16"):
        low, high = _range(image)
    picture = np.empty((image.height, image.width, 3), np.uint8)
    rows = max(1, STRIP // image.width)
    for top in range(0, image.height, rows):
        bottom = min(top + rows, image.height)
        strip = image.crop((0, top, image.width, bottom))
        if strip.mode == "I" or strip.mode == "F" or strip.mode.startswith("I;16"):
            values = np.asarray(strip).astype(np.float64)
            values = np.nan_to_num((values - low) * (255.0 / (high - low)))
            picture[top:bottom] = np.clip(np.rint(values), 0, 255)[:, :, None]
        else:
            picture[top:bottom] = np.asarray(_over_white(strip))
    return picture


def _range(image: Image.Image) -> tuple[float, float]:
    """The values that mean black and white in an image of more than 8 bits."""
    if image.mode.startswith("I;16"):
        return 0.0, 65535.0
    values = np.asarray(image)
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    for white in (1.0, 255.0, 65535.0):
        if low >= 0 and high <= white and (image.mode == "F" or white > 1):
            return 0.0, white
    return low, max(high, low + 1)


def _over_white(image: Image.Image) -> Image.Image:
    """8-bit image of any mode as RGB; what is transparent shows white."""
    from PIL import Image

    transparent = image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info
    if not transparent:
        return image if image.mode == "RGB" else image.convert("RGB")
    with_alpha = image.convert("RGBA")
    white = Image.new("RGB", image.size, (255, 255, 255))
    white.paste(with_alpha, mask=with_alpha.getchannel("A"))
    return white


def _from_array(array: npt.NDArray[Any]) -> Picture:
    if array.dtype not in (np.uint8, np.uint16):
        raise PictureError(
            "An array must hold uint8 (0 to 255) or uint16 (0 to 65535). "
            f"Received: {array.dtype} of shape {array.shape}."
        )
    channels = array.shape[2] if array.ndim == 3 else 1
    if array.ndim not in (2, 3) or channels not in (1, 3, 4):
        raise PictureError(
            "An array must be (height, width), or (height, width, channels) with 1 (grey), "
            f"3 (RGB) or 4 (RGBA) channels. Received: shape {array.shape}."
        )
    height, width = array.shape[:2]
    if height == 0 or width == 0:
        raise PictureError(f"The picture has no pixel. Received: an array of shape {array.shape}.")
    if height * width > MAX_PIXELS:
        raise PictureError(f"The picture is too large: {width}x{height} pixels. {_limit()}")
    if array.dtype == np.uint16:
        array = ((array.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if array.ndim == 2:
        array = array[:, :, None]
    if channels == 1:
        array = np.broadcast_to(array, (height, width, 3))
    elif channels == 4:
        alpha = array[:, :, 3:].astype(np.uint32)
        over = array[:, :, :3] * alpha + 255 * (255 - alpha)
        array = ((over + 127) // 255).astype(np.uint8)
    return np.ascontiguousarray(array)


def _limit() -> str:
    return f"The limit is {MAX_PIXELS // 1_000_000} million pixels; make it smaller first."


def _words(error: Exception) -> str:
    """The first line of an error's text, or its kind when it has none."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".")[:200] if lines else type(error).__name__
