"""A phone's own pictures on the Photo tab: they can be chosen there, and are read."""

from __future__ import annotations

import io

import numpy as np
import pillow_heif
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from ui.photo_tab import ENDINGS, NOTICE


def page() -> None:
    from ui import photo_tab

    photo_tab.render()


def heic(picture: np.ndarray) -> bytes:
    stream = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(picture)).save(stream, quality=90)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "mime"), [("IMG_0001.HEIC", "image/heic"), ("face.heif", "image/heif")]
)
def test_a_phones_picture_is_chosen_like_any_other_and_its_face_is_read(name, mime, astronaut):
    tab = AppTest.from_function(page, default_timeout=60).run()
    uploads = tab.file_uploader(key="photo_upload")
    assert f".{name.rpartition('.')[2].lower()}" in uploads.allowed_type
    uploads.set_value([(name, heic(astronaut[:300, 80:380]), mime)]).run()
    assert not tab.exception
    assert not tab.error
    (photo,) = tab.session_state["photo_done"].values()
    assert [face.label for face in photo.result.faces] == ["happy"]
    assert (photo.result.width, photo.result.height) == (300, 300)
    shown = "".join(element.proto.body for element in tab.get("html"))
    assert name in shown
    assert "300 x 300, 1 face" in shown
    assert len(tab.image) == 1


@pytest.mark.parametrize(
    ("words", "endings"),
    [
        ("JPEG", {"jpg", "jpeg"}),
        ("PNG", {"png"}),
        ("WebP", {"webp"}),
        ("HEIC", {"heic", "heif"}),
        ("AVIF", {"avif"}),
        ("GIF", {"gif"}),
        ("BMP", {"bmp"}),
        ("TIFF", {"tif", "tiff"}),
    ],
)
def test_every_format_that_the_tab_names_can_be_chosen(words, endings):
    assert words in NOTICE
    assert endings <= set(ENDINGS)
