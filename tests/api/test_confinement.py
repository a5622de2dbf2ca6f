"""Posted pictures are decoded in processes of their own; what ends one of them ends no more."""

from __future__ import annotations

import errno
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import av
import pytest

import fer_core.pictures
from fer_core.confined import WorkerPool
from fer_core.cores import available_cores
from tests.api.conftest import Client, serving
from tests.unit.test_confined_files import children


def asked_of_every_worker(monkeypatch: pytest.MonkeyPatch, function: str, *given: Any) -> None:
    """Whatever the API asks of a decoder, it is asked to do this instead."""
    call = WorkerPool.call

    def instead(pool: WorkerPool, _: str, *__: Any, **options: Any) -> Any:
        return call(pool, f"tests.unit.hostile:{function}", *given, **options)

    monkeypatch.setattr(WorkerPool, "call", instead)


def test_nothing_is_decoded_in_the_servers_process(
    client: Client, portrait: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: Any) -> None:
        raise AssertionError("a picture was decoded in the app's own process")

    monkeypatch.setattr(fer_core.pictures, "_from_file", refuses)
    for content, status in ((portrait, 200), (portrait[:9000], 422), (b"words", 422)):
        answer = client.post("/v1/analyze", data=content)
        assert answer.status_code == status, answer.text


def test_no_clip_is_opened_in_the_servers_process(
    client: Client, clip: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: Any, **__: Any) -> None:
        raise AssertionError("a clip was opened in the app's own process")

    monkeypatch.setattr(av, "open", refuses)
    assert client.post("/v1/videos", data=clip[:500]).status_code == 422
    answer = client.post("/v1/videos", data=clip)
    assert answer.status_code == 202, answer.text
    # Other tests look for what is left.
    assert client.ask("DELETE", client.host() + answer.headers["Location"]).status_code == 204


def test_a_picture_that_ends_its_process_is_one_sentence_and_others_are_read(
    client: Client, portrait: bytes
) -> None:
    with pytest.MonkeyPatch.context() as patched:
        asked_of_every_worker(patched, "die", "SIGSEGV")
        with ThreadPoolExecutor(4) as threads:
            answers = list(
                threads.map(lambda _: client.post("/v1/analyze", data=portrait), range(4))
            )
    for answer in answers:
        assert answer.status_code == 422
        assert answer.json()["detail"].startswith("The picture ended the process that read it")
    assert len(client.post("/v1/analyze", data=portrait).json()["faces"]) == 1


def test_the_processes_are_kept_as_many_as_cores_and_end_with_the_server(portrait: bytes) -> None:
    before = children()
    with serving(requests_per_minute=0) as client:
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda _: client.post("/v1/analyze", data=portrait), range(24)))
        kept = children() - before
        assert 1 <= len(kept) <= available_cores()
        assert client.post("/v1/analyze", data=portrait).status_code == 200
        assert children() - before == kept
    assert not kept & children()


def test_where_no_process_can_be_started_it_is_the_servers_fault(
    portrait: bytes,
) -> None:
    def refuses(*_: Any, **__: Any) -> None:
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    with serving() as client:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(subprocess, "Popen", refuses)
            answer = client.post("/v1/analyze", data=portrait)
        assert answer.status_code == 503
        assert "No process can be started" in answer.json()["detail"]
        assert client.post("/v1/analyze", data=portrait).status_code == 200
