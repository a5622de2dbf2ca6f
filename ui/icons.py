"""The overlay's drawn faces for use in the page: not every machine has a font with emoji."""

from __future__ import annotations

import base64
import io
from functools import cache

import numpy as np
from PIL import Image

from fer_core.live_metrics import LABELS
from fer_core.overlay.icons import icon


@cache
def icon_picture(label: str, size: int) -> Image.Image:
    """The face for `label`, RGBA, `size` pixels wide."""
    sprite = icon(label, size)
    alpha = 255.0 * (1.0 - sprite.keep[..., :1])
    light = np.where(alpha > 0, sprite.light * 255.0 / np.maximum(alpha, 1.0), 0.0)
    pixels = np.concatenate([light, alpha], axis=2)
    return Image.fromarray(pixels.round().clip(0, 255).astype(np.uint8), "RGBA")


@cache
def icon_style() -> str:
    """CSS classes `fer-icon fer-icon-happy` and so on, with the pictures inside."""
    rules = [
        ".fer-icon {display:inline-block; width:1.15em; height:1.15em; vertical-align:-.22em;"
        " margin-right:.35em; background-size:contain}"
    ]
    for label in LABELS:
        held = io.BytesIO()
        icon_picture(label, 48).quantize(32).save(held, "PNG", optimize=True)
        code = base64.b64encode(held.getvalue()).decode("ascii")
        rules.append(f".fer-icon-{label} {{background-image:url(data:image/png;base64,{code})}}")
    return "\n".join(rules)
