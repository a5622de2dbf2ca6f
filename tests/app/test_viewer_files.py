"""Files from the server's disk: for one browser, in pieces, and nothing else."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterator
from email.message import Message
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from starlette.applications import Starlette

import ui.viewer_files
from tests.app.file_links import links
from tests.app.session import end_session, until
from tests.app.video_page import Stage, finished, opened, press, press_in_row
from tests.clips import make_clip
from tests.served import served
from ui import video_places
from ui.viewer_files import COOKIE, PATH, Offer, ViewerFiles, file_routes

BYTES = bytes(range(256)) * 1000
LONG = 600 << 20
MOST = 30 << 20
"""Of memory, for files that are twenty times as large."""


@pytest.fixture(scope="module")
def root() -> Iterator[str]:
    """A server that serves the files of all viewers."""
    with served(Starlette(routes=file_routes())) as address:
        yield address


@pytest.fixture
def clip(tmp_path: Path) -> Offer:
    file = tmp_path / "annotated.mp4"
    file.write_bytes(BYTES)
    return Offer(file, "a clip.mp4", "video/mp4")


def ask(
    url: str, files: ViewerFiles | None = None, secret: str | None = None, **headers: str
) -> requests.Response:
    """As the browser of this viewer asks, or one that shows this cookie."""
    shown = files.secret if files is not None else secret
    cookies = {} if shown is None else {COOKIE: shown}
    return requests.get(url, cookies=cookies, headers=headers, timeout=60)


def test_a_file_comes_whole_to_the_browser_that_it_belongs_to(root, clip):
    files = ViewerFiles()
    answer = ask(root + files.address(clip), files)
    assert (answer.status_code, answer.content) == (200, BYTES)
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "no-store" in answer.headers["cache-control"]
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["content-disposition"].startswith("attachment;")


@pytest.mark.parametrize(
    ("asked", "status", "said", "body"),
    [
        ("bytes=0-0", 206, "bytes 0-0/256000", BYTES[:1]),
        ("bytes=1000-1999", 206, "bytes 1000-1999/256000", BYTES[1000:2000]),
        ("bytes=255000-", 206, "bytes 255000-255999/256000", BYTES[255000:]),
        ("bytes=-10", 206, "bytes 255990-255999/256000", BYTES[-10:]),
        ("bytes=256000-", 416, "bytes */256000", None),
    ],
)
def test_a_player_gets_the_piece_that_it_asks_for(root, clip, asked, status, said, body):
    files = ViewerFiles()
    answer = ask(root + files.address(clip), files, Range=asked)
    assert answer.status_code == status
    assert answer.headers["content-range"] == said
    assert body is None or answer.content == body


def test_an_address_opens_nothing_for_who_is_not_its_viewer(root, clip):
    mine, other = ViewerFiles(), ViewerFiles()
    address = mine.address(clip)
    token = address.rpartition("/")[2]
    assert ask(root + address, mine).status_code == 200
    assert [
        ask(root + address, secret=None).status_code,
        ask(root + address, secret="").status_code,
        ask(root + address, secret="gu\u00e9ssed".encode().decode("latin-1")).status_code,
        ask(root + address, other).status_code,
        ask(f"{root}{other.path}/{token}", other).status_code,
        ask(f"{root}{other.path}/{token}", mine).status_code,
    ] == [404] * 6


@pytest.mark.parametrize(
    "wrong", ["", "/", "/0", "/../annotated.mp4", "/%2e%2e%2fannotated.mp4", f"/{'x' * 5000}"]
)
def test_below_a_viewers_path_nothing_is_found_by_name(root, clip, wrong):
    files = ViewerFiles()
    files.address(clip)
    assert ask(root + files.path + wrong, files).status_code == 404


def test_addresses_cannot_be_guessed_and_last_as_long_as_their_file(root, clip, tmp_path):
    files = ViewerFiles()
    first = files.address(clip)
    assert files.address(clip) == first, "or a player would begin anew with every run of the page"
    shown = files.address(Offer(clip.file, clip.name, clip.mime, shown=True))
    assert shown != first
    assert min(len(key) for key in first.removeprefix(f"{PATH}/").split("/")) >= 16
    assert len(files.secret) >= 40
    clip.file.unlink()
    assert ask(root + first, files).status_code == 404
    clip.file.write_bytes(b"new")
    files.address(Offer(tmp_path / "other", "other", "text/csv"))
    assert ask(root + first, files).content == b"new"
    clip.file.unlink()
    (tmp_path / "other").touch()
    other = files.address(Offer(tmp_path / "other", "other", "text/csv"))
    clip.file.write_bytes(b"newer")
    assert ask(root + first, files).status_code == 404, "what is gone is forgotten"
    assert ask(root + other, files).status_code == 200


def test_what_lies_elsewhere_is_not_reached_through_a_link(root, clip, tmp_path):
    """The process that writes a result has read a stranger's file."""
    files = ViewerFiles()
    address = files.address(clip)
    (tmp_path / "secret").write_bytes(b"secret")
    clip.file.unlink()
    clip.file.symlink_to(tmp_path / "secret")
    assert ask(root + address, files).status_code == 404
    clip.file.unlink()
    clip.file.mkdir()
    assert ask(root + address, files).status_code == 404


def test_with_its_viewer_everything_goes(root, clip):
    files = ViewerFiles()
    address, secret = files.address(clip), files.secret
    del files
    gc.collect()
    assert ask(root + address, secret=secret).status_code == 404


def test_a_browser_that_keeps_no_cookie_is_not_asked_for_one(root, clip):
    files = ViewerFiles()
    files.guarded = False
    assert ask(root + files.address(clip)).content == BYTES
    assert ask(f"{root}{files.path}/guessed").status_code == 404


@pytest.mark.parametrize("shown", [False, True])
@pytest.mark.parametrize(
    "name",
    [
        "plain.mp4",
        "with a space.mp4",
        'quote".mp4',
        "semi;colon, comma.mp4",
        "Grüße 你好 🙂.mp4",
        "line\r\nSet-Cookie: a=b.mp4",
        "back\\slash.mp4",
        "100%.mp4",
    ],
)
def test_any_name_is_the_one_under_which_it_is_saved(root, clip, name, shown):
    files = ViewerFiles()
    answer = ask(root + files.address(Offer(clip.file, name, clip.mime, shown)), files)
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    said = Message()
    said["Content-Disposition"] = answer.headers["content-disposition"]
    assert said.get_content_disposition() == ("inline" if shown else "attachment")
    assert said.get_filename() == name


def test_a_name_of_half_a_character_is_no_fault(root, clip):
    files = ViewerFiles()
    address = files.address(Offer(clip.file, "half \ud83d.mp4", clip.mime))
    assert ask(root + address, files).status_code == 200


def test_the_addresses_lie_under_the_path_of_the_server(monkeypatch, clip):
    monkeypatch.setattr(ui.viewer_files.st, "get_option", lambda name: "/fer/live/")
    files = ViewerFiles()
    assert files.address(clip).startswith(f"/fer/live{PATH}/")
    with served(Starlette(routes=file_routes())) as root:
        assert ask(root + files.address(clip), files).content == BYTES


def of_the_only_place() -> ViewerFiles:
    [token] = video_places.PLACES.tokens()
    place = video_places.PLACES.hold(token)
    video_places.PLACES.let_go(place)
    return place.files


def test_no_result_is_read_into_memory_however_long_it_is(root, stage: Stage, tmp_path):
    tab = opened(make_clip(tmp_path / "clip.mp4"), "my \N{ROCKET}.mp4")
    press(tab, "video_start")
    finished(tab)
    [place] = stage.temporary.glob("fer-live-clip-*")
    for name in ("annotated.mp4", "faces.csv"):
        [file] = place.rglob(name)
        with file.open("r+b") as stream:
            stream.truncate(LONG)
    tracemalloc.start()
    try:
        tab.run()
        files = of_the_only_place()
        for words, address in links(tab):
            with requests.get(
                root + address, cookies={COOKIE: files.secret}, stream=True, timeout=60
            ) as answer:
                assert answer.status_code == 200
                size = sum(map(len, answer.iter_content(1 << 20)))
            assert (size == LONG) == (words in ("Download the clip", "Table (CSV)"))
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < MOST


def test_what_is_removed_cannot_be_fetched_any_more(root, stage: Stage, tmp_path):
    tab = opened(make_clip(tmp_path / "clip.mp4"))
    press(tab, "video_start")
    finished(tab)
    files = of_the_only_place()
    played = urlsplit(tab.get("video")[0].proto.url).path
    addresses = [played, *(address for _, address in links(tab))]
    assert len(set(addresses)) == 6
    assert {ask(root + address, files).status_code for address in addresses} == {200}
    press_in_row(tab, "Remove")
    until(lambda: stage.files() == [])
    assert {ask(root + address, files).status_code for address in addresses} == {404}


def test_the_end_of_the_session_ends_its_addresses(root, stage: Stage, tmp_path):
    tab = opened(make_clip(tmp_path / "clip.mp4"))
    press(tab, "video_start")
    finished(tab)
    (_, address), secret = links(tab)[0], of_the_only_place().secret
    assert ask(root + address, secret=secret).status_code == 200
    end_session()
    until(lambda: not list(stage.temporary.iterdir()))
    assert ask(root + address, secret=secret).status_code == 404
