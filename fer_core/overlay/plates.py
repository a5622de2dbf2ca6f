"""The plate of a face: icon, label and confidence, light on dark."""

from __future__ import annotations

from functools import lru_cache

from fer_core.overlay.icons import colour_of, icon
from fer_core.overlay.sprites import Colour, Sprite, over, solid, text_mask, tint

__all__ = ["HINT_COLOUR", "PLATE_COLOUR", "PLATE_OPACITY", "TEXT_COLOUR", "note", "plate"]

PLATE_COLOUR: Colour = (16, 16, 20)
PLATE_OPACITY = 0.8
"""White text on this over a white picture still has a contrast of 10 to 1."""

TEXT_COLOUR: Colour = (255, 255, 255)
HINT_COLOUR: Colour = (255, 214, 120)


@lru_cache(maxsize=1024)
def plate(label: str, text: str, size: int, pad: int) -> Sprite:
    """A dark plate with the icon of `label` and, behind it, `text`.

    Args:
        label: a class, or `uncertain`; gives icon and colour.
        text: what is written; may be empty for the icon alone.
        size: height of the font, pixels.
        pad: space around, pixels.
    """
    face = icon(label, round(size * 1.25))
    height = face.height + 2 * pad
    if not text:
        ground = solid(height, height, PLATE_COLOUR, PLATE_OPACITY, radius=pad * 2)
        return over(face, ground, pad, pad)
    words = tint(text_mask(text, size), TEXT_COLOUR)
    # The stripe in the label's colour ties the plate to its box where several are close.
    stripe = max(2, pad // 2)
    width = stripe + pad + face.width + pad + words.width + 2 * pad
    ground = solid(width, height, PLATE_COLOUR, PLATE_OPACITY, radius=pad)
    ground = over(solid(stripe, height, colour_of(label), 1.0), ground, 0, 0)
    ground = over(face, ground, stripe + pad, pad)
    return over(words, ground, stripe + pad + face.width + pad, (height - words.height) // 2)


@lru_cache(maxsize=256)
def note(text: str, size: int, pad: int, colour: Colour = HINT_COLOUR) -> Sprite:
    """A dark plate with nothing but `text`, `size` pixels high."""
    words = tint(text_mask(text, size), colour)
    width, height = words.width + 4 * pad, words.height + pad
    ground = solid(width, height, PLATE_COLOUR, PLATE_OPACITY, radius=pad)
    return over(words, ground, 2 * pad, pad // 2)
