"""How large an upload may be: said before one is made, and said as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from streamlit import config

from tests.app.video_page import Stage, opened
from ui.video_queue import MOST_CLIPS
from ui.video_tab import ENDINGS, notice

SIZE = "server.maxUploadSize"


@pytest.fixture
def limit() -> Iterator[Callable[[int], None]]:
    """Sets the server's limit, megabytes, and puts it back."""
    before, where = config.get_option(SIZE), config.get_where_defined(SIZE)
    yield lambda megabytes: config.set_option(SIZE, megabytes)
    config.set_option(SIZE, before, where)


@pytest.mark.parametrize("megabytes", [500, 37])
def test_the_video_tab_says_how_large_a_clip_may_be_as_the_server_is_set(
    megabytes: int, limit: Callable[[int], None], stage: Stage
) -> None:
    limit(megabytes)
    tab = opened()
    words = [caption.value for caption in tab.caption]
    assert words == [notice()]
    assert words[0].startswith(f"Up to {MOST_CLIPS} clips of at most {megabytes} MB each: ")
    assert tab.file_uploader[0].max_upload_size_mb == megabytes, "and no field allows another size"


def test_every_kind_of_clip_that_the_field_takes_is_named() -> None:
    for ending in ENDINGS:
        assert ending in notice().lower()
