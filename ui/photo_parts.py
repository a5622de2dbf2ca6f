"""One picture of the Photo tab: with its overlay, its faces, and on request what lies behind."""

from __future__ import annotations

import io
from collections.abc import Sequence
from html import escape

import numpy as np
import streamlit as st
from PIL import Image

from fer_core.attention import Attention
from fer_core.detectors.base import Picture
from fer_core.emotions import EMOTIONS
from fer_core.overlay import OverlayOptions, draw
from fer_core.results import Face, FrameResult
from ui.photo_pictures import data_address, heat_picture, jpeg
from ui.photo_work import Photo

STYLE = """
.fer-photo-name {font-size:1.05rem; font-weight:600; overflow-wrap:anywhere}
.fer-photo-faces {display:grid; grid-template-columns:repeat(auto-fill, minmax(min(17.5rem, 100%),
  1fr)); gap:1.1rem 1.4rem}
.fer-photo-face {display:flex; flex-direction:column; gap:.35rem; min-width:0}
.fer-photo-looks {display:flex; gap:.5rem; align-items:flex-start}
.fer-photo-looks figure {margin:0; width:6rem}
.fer-photo-looks img {display:block; width:6rem; height:6rem; border-radius:.5rem}
.fer-photo-looks figcaption {font-size:.75rem; line-height:1.3; opacity:.8}
.fer-photo-label {font-size:1rem; font-weight:600}
.fer-photo-label span {font-weight:400; opacity:.8}
.fer-photo-bars .fer-row {line-height:1.5}
"""


def annotated(photo: Photo, result: FrameResult) -> bytes:
    """The picture with boxes and labels, as JPEG; drawn anew only when a label has changed."""
    labels = tuple(face.label for face in result.faces)
    if labels not in photo.drawn:
        photo.drawn.clear()
        photo.drawn[labels] = _drawn(photo, result)
    return photo.drawn[labels]


def _drawn(photo: Photo, result: FrameResult) -> bytes:
    with Image.open(io.BytesIO(photo.small)) as small:
        picture: Picture = np.array(small.convert("RGB"))
    return jpeg(draw(picture, result, OverlayOptions(), in_place=True))


def show_picture(photo: Photo, result: FrameResult, caption: str | None = None) -> None:
    """The picture with its overlay, as wide as there is room."""
    words = f"{photo.name}, {count_of(result)}"
    st.image(annotated(photo, result), caption=caption, width="stretch", alt=words)


def name_html(name: str, words: str) -> str:
    """The head of a picture: its name, and how large it is and what was found."""
    return (
        f'<div class="fer-photo-name">{escape(name)} '
        f'<span class="fer-note">{escape(words)}</span></div>'
    )


def count_of(result: FrameResult) -> str:
    """How many faces, in words."""
    faces = len(result.faces)
    return "no face" if not faces else "1 face" if faces == 1 else f"{faces} faces"


def faces_html(photo: Photo, result: FrameResult, attention: Sequence[Attention] = ()) -> str:
    """A block for each shown face: thumbnail, label with confidence, bars, heat if it is there."""
    blocks = []
    for number, (face, small) in enumerate(zip(result.faces, photo.thumbnails, strict=False)):
        looks = _figure(data_address(small), f"Face {number + 1} from the left", "")
        if number < len(attention):
            looks += _heat_figure(photo, number, attention[number])
        who = f"Face {number + 1} · " if len(result.faces) > 1 else ""
        blocks.append(
            f'<div class="fer-photo-face" data-label="{escape(face.label)}">'
            f'<div class="fer-photo-looks">{looks}</div>'
            f'<div class="fer-photo-label">{who}{_label(face)}</div>'
            f'<div class="fer-photo-bars">{_bars(face)}</div></div>'
        )
    more = len(result.faces) - len(blocks)
    rest = f'<div class="fer-note">{more} more faces are in the tables.</div>' if more > 0 else ""
    return f'<div class="fer-photo-faces">{"".join(blocks)}</div>{rest}'


def _label(face: Face) -> str:
    icon = f'<span class="fer-icon fer-icon-{escape(face.label)}"></span>'
    best = "" if face.label == face.top else f"{escape(face.top)} at "
    # Rounded down, as in the overlay: 99.6 % is not certainty.
    return f"{icon}{escape(face.label)} <span>{best}{_percent(face.confidence)}</span>"


def _percent(share: float) -> str:
    return f"{int(100 * share + 1e-6)} %"


def _bars(face: Face) -> str:
    rows = []
    for emotion, share in zip(EMOTIONS, face.probabilities, strict=True):
        name = escape(emotion.name)
        rows.append(
            f'<div class="fer-row" data-class="{name}" data-share="{share:.4f}">'
            f'<span><span class="fer-icon fer-icon-{name}"></span>{name}</span>'
            f'<div class="fer-track"><i style="width:{100 * share:.1f}%;'
            f'background:{emotion.hex_colour}"></i></div><em>{_percent(share)}</em></div>'
        )
    return "".join(rows)


def _heat_figure(photo: Photo, number: int, attention: Attention) -> str:
    picture = jpeg(heat_picture(photo.crops[number], attention.heat))
    points = 100 * attention.largest_drop
    words = f"for {attention.target}, up to {points:.0f} points"
    alt = f"Heat map of face {number + 1} {words}"
    return _figure(data_address(picture), alt, words)


def _figure(address: str, alt: str, words: str) -> str:
    caption = f"<figcaption>{escape(words)}</figcaption>" if words else ""
    return f'<figure><img src="{address}" alt="{escape(alt)}">{caption}</figure>'
