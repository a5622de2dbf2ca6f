"""JPEGs that would have their decoder go over the picture thousands of times."""

from __future__ import annotations

import io
import time

import numpy as np
import pytest
from PIL import Image

from fer_core.errors import PictureError
from fer_core.jpeg_scans import MOST_SCANS, has_too_many_scans
from fer_core.pictures import load_picture
from tests.corpus.pictures import encoded, many_scans


def test_thousands_of_scans_are_refused_before_the_first() -> None:
    begin = time.process_time()
    with pytest.raises(PictureError, match="more than 100 passes"):
        load_picture(many_scans(3_000))
    assert time.process_time() - begin < 2


@pytest.mark.parametrize("count", [1, 10, 80])
def test_as_many_as_there_are_in_ordinary_files_are_read(count: int) -> None:
    assert load_picture(many_scans(count, side=64)).shape == (64, 64, 3)


@pytest.mark.parametrize("progressive", [False, True])
def test_what_only_looks_like_a_scan_does_not_count(
    progressive: bool, astronaut: np.ndarray
) -> None:
    file = encoded(Image.fromarray(astronaut), "JPEG", progressive=progressive)
    scans = b"\xff\xda\0\x08\x01\x01\0\0\x3f\0" * (2 * MOST_SCANS)
    note = b"\xff\xfe" + (len(scans) + 2).to_bytes(2, "big") + scans
    # In a comment, as in a thumbnail, and behind the end, where phones put a film.
    content = file[:2] + note + file[2:] + scans
    assert not has_too_many_scans(io.BytesIO(content))
    np.testing.assert_array_equal(load_picture(content), load_picture(file))


def test_the_stream_stays_where_it_was_and_a_cut_file_is_no_fault() -> None:
    content = many_scans(3_000)
    stream = io.BytesIO(content)
    stream.seek(7)
    assert has_too_many_scans(stream)
    assert stream.tell() == 7
    for end in range(0, 1_000, 37):
        assert not has_too_many_scans(io.BytesIO(content[:end]))
