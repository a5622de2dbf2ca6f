"""Read by schemathesis: files of the media types that the API asks for."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

import numpy as np
import schemathesis
from hypothesis import strategies as st
from PIL import Image

from tests.clips import Clip, make_clip


@st.composite
def pictures(draw: st.DrawFn, kind: str) -> bytes:
    """Picture files of every small size."""
    height, width = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    grey = np.full((height, width, 3), draw(st.integers(0, 255)), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(grey).save(stream, kind)
    return stream.getvalue()


def clip(name: str, codec: str) -> bytes:
    """A clip of two frames."""
    with tempfile.TemporaryDirectory() as folder:
        small = Clip(size=(32, 32), times=(0.0, 0.1), codec=codec)
        return make_clip(Path(folder) / name, small).read_bytes()


for kind in ("JPEG", "PNG", "WEBP"):
    schemathesis.openapi.media_type(f"image/{kind.lower()}", pictures(kind))
schemathesis.openapi.media_type("video/mp4", st.just(clip("clip.mp4", "libx264")))
schemathesis.openapi.media_type("video/webm", st.just(clip("clip.webm", "libvpx")))
