"""Results as pixels: an outline, a plate and bars for each face. Draws; decides nothing.

Readable on light and dark pictures (light on a dark plate, every coloured line edged in dark) and
from 320x240 to 1920x1080 and beyond. Where faces crowd, plates give way: first the confidence goes,
then the word, and the icon stays.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

from fer_core.detectors.base import Picture
from fer_core.errors import PictureError
from fer_core.overlay.bars import draw_panel, draw_row, panel_size, row_size
from fer_core.overlay.icons import colour_of
from fer_core.overlay.layout import (
    Rectangle,
    beside,
    choose,
    frame_rectangle,
    inner_spots,
    outer_spots,
)
from fer_core.overlay.marks import draw_eyes, draw_hint
from fer_core.overlay.plates import plate
from fer_core.overlay.privacy import blur_faces
from fer_core.overlay.sprites import Colour, Sprite, paste
from fer_core.overlay.style import OverlayOptions, Style, style_for
from fer_core.results import Box, Face, FrameResult

__all__ = ["OverlayOptions", "draw"]

_EDGE: Colour = (16, 16, 20)
_SMALLEST_TEXT = 11


def draw(
    picture: Picture,
    result: FrameResult,
    options: OverlayOptions | None = None,
    *,
    in_place: bool = False,
) -> Picture:
    """Draw what was found onto a picture.

    Args:
        picture: RGB uint8 (height, width, 3). It may be larger or smaller than the one that was
            analysed; boxes are scaled along.
        result: what was found.
        options: None for the defaults.
        in_place: draw into `picture` itself, which saves a copy (1 ms at 1920x1080).

    Returns:
        The picture with its overlay: `picture` itself when `in_place`, a copy otherwise.

    Raises:
        PictureError: the picture has an impossible shape, or is read-only and `in_place`.
    """
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
        raise PictureError(
            "A picture to draw on must be RGB uint8 (height, width, 3). "
            f"Received: {picture.dtype} {tuple(picture.shape)}."
        )
    if in_place and not (picture.flags.writeable and picture.flags.c_contiguous):
        raise PictureError("This picture cannot be drawn on in place. Draw on a copy of it.")
    canvas = picture if in_place else np.array(picture, order="C")
    options = options or OverlayOptions()
    height, width = canvas.shape[:2]
    style = style_for(width, height, options.scale)
    faces = _visible(result, width, height)
    # The largest choose their place first, and what lies in front is drawn last.
    faces.sort(key=lambda pair: -pair[1].width * pair[1].height)
    if options.privacy:
        blur_faces(canvas, [_scaled(face.box, result, width, height) for face in result.faces])
    if options.boxes:
        for face, where in reversed(faces):
            _outline(canvas, where, colour_of(face.label), style)
    if options.eyes:
        draw_eyes(canvas, result, style)
    taken: list[Rectangle] = []
    for index, (face, where) in enumerate(faces):
        others = [other for at, (_, other) in enumerate(faces) if at != index]
        if options.labels:
            _label(canvas, face, where, others, taken, options, style)
        if options.hints:
            draw_hint(canvas, face, where, others, taken, style)
        if options.bars:
            _bars(canvas, face, where, others, taken, style)
    return canvas


def _visible(result: FrameResult, width: int, height: int) -> list[tuple[Face, Rectangle]]:
    pairs = []
    for face in result.faces:
        where = frame_rectangle(_scaled(face.box, result, width, height), width, height)
        if where is not None:
            pairs.append((face, where))
    return pairs


def _scaled(box: Box, result: FrameResult, width: int, height: int) -> Box:
    across, down = width / max(1, result.width), height / max(1, result.height)
    return Box(box.x0 * across, box.y0 * down, box.x1 * across, box.y1 * down)


def _outline(canvas: Picture, where: Rectangle, colour: Colour, style: Style) -> None:
    # A thick line would swallow a small face.
    line = max(1, min(style.line, where.width // 16))
    inset = line // 2 + style.edge
    low = (where.x + inset, where.y + inset)
    high = (where.right - 1 - inset, where.bottom - 1 - inset)
    if high[0] <= low[0] or high[1] <= low[1]:
        low, high = (where.x, where.y), (where.right - 1, where.bottom - 1)
    cv2.rectangle(canvas, low, high, _EDGE, line + 2 * style.edge)
    cv2.rectangle(canvas, low, high, colour, line)


def _label(
    canvas: Picture,
    face: Face,
    where: Rectangle,
    others: Sequence[Rectangle],
    taken: list[Rectangle],
    options: OverlayOptions,
    style: Style,
) -> None:
    frame = (canvas.shape[1], canvas.shape[0])
    # Small faces get small plates, or the plates of a crowd would hide the crowd.
    size = max(min(style.text, _SMALLEST_TEXT), min(style.text, round(where.width * 0.22)))
    pad = max(2, size // 4)
    sprites = [plate(face.label, text, size, pad) for text in _texts(face, options)]
    for sprite, spots in _candidates(sprites, where, style.gap, frame):
        # Covering part of another face is better than leaving one without a label.
        spot = choose(spots, [*taken, *others]) or (
            choose(spots, taken) if sprite is sprites[-1] else None
        )
        if spot is not None:
            paste(canvas, sprite, spot.x, spot.y)
            taken.append(spot)
            return


def _candidates(
    sprites: Sequence[Sprite], where: Rectangle, gap: int, frame: tuple[int, int]
) -> list[tuple[Sprite, list[Rectangle]]]:
    """Plates and their places, best first: outside the box, then inside where it hides little."""
    outside = [(s, outer_spots(where, (s.width, s.height), gap, frame)) for s in sprites]
    inside = [
        (s, inner_spots(where, (s.width, s.height), gap, frame))
        for s in sprites
        if s is sprites[-1] or (s.width <= where.width and 4 * s.height <= where.height)
    ]
    return [*outside[:-1], *inside[:-1], outside[-1], inside[-1]]


def _texts(face: Face, options: OverlayOptions) -> list[str]:
    """What may stand on the plate, the most telling first."""
    number = f"#{face.track_id} " if options.numbers and face.track_id is not None else ""
    texts = [f"{number}{face.label}", number.strip(), ""]
    if options.confidence:
        # Rounded down, as every figure here: 99.6 % is not certainty.
        texts.insert(0, f"{number}{face.label} {math.floor(100 * face.confidence + 1e-6)} %")
    return list(dict.fromkeys(texts))


def _bars(
    canvas: Picture,
    face: Face,
    where: Rectangle,
    others: Sequence[Rectangle],
    taken: list[Rectangle],
    style: Style,
) -> None:
    frame = (canvas.shape[1], canvas.shape[0])
    spot = choose(beside(where, panel_size(style), style.gap, frame), [*taken, *others])
    if spot is not None:
        draw_panel(canvas, face, spot, style)
        taken.append(spot)
        return
    row = row_size(where, style)
    outside = outer_spots(where, row, style.gap, frame)
    # Bars over a mouth hide what they are about; over another face they are nobody's.
    spot = choose(outside, [*taken, *others]) or choose(
        [*inner_spots(where, row, 0, frame), *outside], taken
    )
    if spot is not None:
        draw_row(canvas, face, spot)
        taken.append(spot)
