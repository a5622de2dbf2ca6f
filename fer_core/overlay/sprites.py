"""Small pictures with transparency, made once and pasted many times; and text as such."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from fer_core.detectors.base import Picture

__all__ = ["Colour", "Sprite", "over", "paste", "solid", "text_mask", "tint"]

Colour = tuple[int, int, int]
Mask = npt.NDArray[np.uint8]
"""uint8 (height, width): 0 transparent, 255 opaque."""


@dataclass(frozen=True)
class Sprite:
    """A picture with transparency, ready to be laid over another.

    Attributes:
        light: what it adds, float32 (height, width, 3), RGB 0 to 255 already multiplied by its
            opacity.
        keep: the share of what lies beneath that stays, float32 (height, width, 3), 0 to 1.
    """

    light: npt.NDArray[np.float32]
    keep: npt.NDArray[np.float32]

    @property
    def width(self) -> int:
        """Pixels."""
        return int(self.light.shape[1])

    @property
    def height(self) -> int:
        """Pixels."""
        return int(self.light.shape[0])


def paste(picture: Picture, sprite: Sprite, x: int, y: int) -> None:
    """Lay `sprite` over `picture`, in place, its upper left corner at (x, y); cut at the edges."""
    height, width = picture.shape[:2]
    x0, y0 = max(0, x), max(0, y)
    x1, y1 = min(width, x + sprite.width), min(height, y + sprite.height)
    if x0 >= x1 or y0 >= y1:
        return
    window = picture[y0:y1, x0:x1]
    rows, columns = slice(y0 - y, y1 - y), slice(x0 - x, x1 - x)
    mixed = cv2.multiply(window, sprite.keep[rows, columns], dtype=cv2.CV_32F)
    cv2.add(mixed, sprite.light[rows, columns], dst=mixed)
    window[...] = cv2.convertScaleAbs(mixed)


def tint(mask: Mask, colour: Colour, opacity: float = 1.0) -> Sprite:
    """`colour` wherever `mask` is."""
    alpha = (mask.astype(np.float32) * (opacity / 255.0))[..., None]
    light = alpha * np.array(colour, np.float32)
    return Sprite(light, np.repeat(1.0 - alpha, 3, axis=2))


def solid(width: int, height: int, colour: Colour, opacity: float, radius: int = 0) -> Sprite:
    """A plate of one colour with rounded corners."""
    fine = 4
    mask = np.zeros((height * fine, width * fine), np.uint8)
    corner = min(radius, width // 2, height // 2) * fine
    right, bottom = width * fine - 1, height * fine - 1
    cv2.rectangle(mask, (corner, 0), (right - corner, bottom), 255, -1)
    cv2.rectangle(mask, (0, corner), (right, bottom - corner), 255, -1)
    for x in (corner, right - corner):
        for y in (corner, bottom - corner):
            cv2.circle(mask, (x, y), corner, 255, -1)
    return tint(_shrunk(mask, width, height), colour, opacity)


def over(upper: Sprite, lower: Sprite, x: int, y: int) -> Sprite:
    """One sprite out of two: `upper` at (x, y) of `lower`, inside it."""
    light, keep = lower.light.copy(), lower.keep.copy()
    area = (slice(y, y + upper.height), slice(x, x + upper.width))
    light[area] = light[area] * upper.keep + upper.light
    keep[area] *= upper.keep
    return Sprite(light, keep)


@lru_cache(maxsize=512)
def text_mask(text: str, size: int) -> Mask:
    """`text` in Pillow's own font (Aileron), `size` pixels high; all of one size share a baseline.

    OpenCV's stroke fonts are hard to read at 12 pixels, which is what a 320x240 frame affords.
    """
    font = _font(size)
    width = max(1, round(font.getlength(text)))
    image = Image.new("L", (width, round(1.25 * size)))
    ImageDraw.Draw(image).text((0, size), text, fill=255, font=font, anchor="ls")
    mask: Mask = np.array(image)
    mask.setflags(write=False)
    return mask


@lru_cache(maxsize=64)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _shrunk(mask: Mask, width: int, height: int) -> Mask:
    small: Mask = cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8)
    return small
