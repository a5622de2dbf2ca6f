"""A server whose disk is full says so, and has room again as soon as the disk has."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.jobs import JobQueue
from tests.api.conftest import Client, serving

PLACES = 2


def post(client: Client, path: str, content: bytes, how: str) -> tuple[int, str]:
    """Status and sentence."""
    sent = {"files": {"file": content}} if how == "form" else {"data": content}
    answer = client.post(path, **sent)
    return answer.status_code, answer.json().get("detail", "")


@pytest.mark.parametrize("how", ["body", "form"])
def test_a_clip_that_does_not_fit_on_the_disk_is_refused(
    clip: bytes, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """The system's own full disk stands in for the clip's file."""
    place = JobQueue.place

    @contextlib.contextmanager
    def full(queue: JobQueue) -> Iterator[Path]:
        with place(queue) as folder:
            (folder / "upload").symlink_to("/dev/full")
            yield folder

    with serving(waiting_videos=PLACES) as client:
        with monkeypatch.context() as patch:
            patch.setattr(JobQueue, "place", full)
            for content in (clip, bytes(2_000_000)):
                status, sentence = post(client, "/v1/videos", content, how)
                assert status == 507
                assert "cannot be stored on the server (No space left on device)" in sentence
        assert post(client, "/v1/videos", clip, how)[0] == 202


@pytest.mark.parametrize(
    ("path", "how", "what"),
    [
        ("/v1/videos", "body", "clip"),
        ("/v1/videos", "form", "clip"),
        ("/v1/analyze", "form", "picture"),
    ],
)
def test_where_nothing_can_be_put_aside_the_disk_is_blamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, how: str, what: str
) -> None:
    """No folder can be made, and no large form be put aside; and no place is lost by trying."""
    with serving(waiting_videos=PLACES) as client:
        with monkeypatch.context() as patch:
            patch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
            for _ in range(PLACES + 1):
                status, sentence = post(client, path, bytes(2_000_000), how)
                assert status == 507
                assert sentence.startswith(f"The {what} cannot be stored on the server (No such")
        assert post(client, path, b"words" * 99, how)[0] == 422
