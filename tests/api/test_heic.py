"""HEIC over HTTP."""

from __future__ import annotations

import numpy as np
from PIL import Image

from tests.api.conftest import Client
from tests.unit.test_heif_pictures import heic

HEIC = {"Content-Type": "image/heic"}


def test_it_is_read_and_a_broken_one_is_a_sentence(client: Client, astronaut: np.ndarray) -> None:
    content = heic(Image.fromarray(astronaut[:320, 80:336]), 6)
    good = client.post("/v1/analyze", data=content, headers=HEIC)
    assert good.status_code == 200, good.text
    assert (good.json()["width"], good.json()["height"]) == (320, 256)
    bad = client.post("/v1/analyze", data=content[:400], headers=HEIC)
    assert bad.status_code == 422
    assert bad.json()["detail"].endswith(".")
