"""What comes too slowly, or takes too long, is refused in time and takes nobody's place."""

from __future__ import annotations

import http.client
import json
import select
import threading
from pathlib import Path

import pytest

from api.service import Service
from api.settings import ApiSettings
from tests.api.conftest import KEY, Client, folders_of_clips, serving, wait_for

FORM = "multipart/form-data; boundary=x"
SECONDS = 0.2


def allow(monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
    """So little for one of the limits; an operator sets whole seconds, which tests cannot spare."""
    settings = ApiSettings(key=KEY)
    object.__setattr__(settings, setting, SECONDS)
    monkeypatch.setattr(ApiSettings, "from_environment", lambda environment: settings)


def drip(client: Client, path: str, kind: str) -> tuple[int, str]:
    """Send a body that never pauses for long and never ends; gives status and sentence."""
    connection = http.client.HTTPConnection(client.host().removeprefix("http://"), timeout=20)
    connection.putrequest("POST", f"/api{path}")
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": kind, "Content-Length": "1000"}
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders(b"--x\r\n")
    try:
        for _ in range(200):
            if select.select([connection.sock], [], [], SECONDS / 4)[0]:
                break
            connection.send(b"-")
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())["detail"]
    finally:
        connection.close()


def files_of_clips() -> set[Path]:
    return {file for folder in folders_of_clips() for file in folder.iterdir()}


def service_of(client: Client) -> Service:
    service: Service | None = client.api._service
    assert service is not None
    return service


@pytest.mark.parametrize(
    ("setting", "path", "kind", "what"),
    [
        ("receive_seconds", "/v1/analyze", "image/jpeg", "picture"),
        ("receive_seconds", "/v1/analyze", FORM, "picture"),
        ("video_receive_seconds", "/v1/videos", "video/mp4", "clip"),
        ("video_receive_seconds", "/v1/videos", FORM, "clip"),
    ],
)
def test_what_has_not_arrived_in_time_is_refused(
    monkeypatch: pytest.MonkeyPatch, setting: str, path: str, kind: str, what: str
) -> None:
    allow(monkeypatch, setting)
    before = files_of_clips()
    with serving() as client:
        status, sentence = drip(client, path, kind)
        assert status == 408
        assert sentence.startswith(f"The {what} did not arrive within {SECONDS} s.")
        assert service_of(client).jobs._reserved == 0
        assert files_of_clips() <= before


def test_a_picture_that_is_not_read_in_time_is_refused_and_keeps_its_place(
    monkeypatch: pytest.MonkeyPatch, portrait: bytes, held: threading.Event
) -> None:
    allow(monkeypatch, "answer_seconds")
    with serving() as client:
        answer = client.post("/v1/analyze", data=portrait)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert answer.json()["detail"].startswith(
            f"The picture was not read within {SECONDS} s. Try again later"
        )
        desk = service_of(client).pictures
        # It is still in work: callers who do not wait must not pile pictures up.
        assert desk.inside == 1
        held.set()
        wait_for(lambda: desk.inside == 0)
