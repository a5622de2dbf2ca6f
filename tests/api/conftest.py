"""The API on a real port, in this process."""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette

from api.choices import Choice
from api.mount import MountedApi
from api.pictures import PictureDesk
from tests.clips import Clip, make_clip
from tests.served import served

KEY = "the-key-of-the-tests"


@dataclass(frozen=True)
class Client:
    """Asks one server, as a program would.

    Attributes:
        root: its address, up to and with `/api`.
        headers: that go with every request.
        api: the API itself.
    """

    root: str
    headers: dict[str, str]
    api: MountedApi

    def ask(self, method: str, path: str, **rest: Any) -> requests.Response:
        address = path if path.startswith("http") else self.root + path
        headers = {**self.headers, **rest.pop("headers", {})}
        return requests.request(method, address, headers=headers, timeout=60, **rest)

    def get(self, path: str, **rest: Any) -> requests.Response:
        return self.ask("GET", path, **rest)

    def post(self, path: str, **rest: Any) -> requests.Response:
        return self.ask("POST", path, **rest)

    def host(self) -> str:
        return self.root.removesuffix("/api")


@contextlib.contextmanager
def serving(key: str | None = KEY, **settings: int) -> Iterator[Client]:
    """A server whose API has these settings."""
    environment = {f"FER_LIVE_API_{name.upper()}": str(value) for name, value in settings.items()}
    if key is not None:
        environment["FER_LIVE_API_KEY"] = key
    api = MountedApi(environment)
    with served(Starlette(routes=api.routes, lifespan=api.lifespan)) as address:
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        yield Client(f"{address}/api", headers, api)


@pytest.fixture(scope="session")
def client() -> Iterator[Client]:
    with serving(requests_per_minute=0) as found:
        yield found


@pytest.fixture(scope="session")
def portrait(_astronaut: Any) -> bytes:
    """The astronaut as a JPEG file."""
    stream = io.BytesIO()
    Image.fromarray(_astronaut).save(stream, "JPEG", quality=90)
    return stream.getvalue()


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """One second with a face."""
    file = tmp_path_factory.mktemp("clip") / "clip.mp4"
    return make_clip(file, Clip(size=(320, 240))).read_bytes()


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Pictures stay in work until it is set."""
    go, read = threading.Event(), PictureDesk._read

    def wait_and_read(self: PictureDesk, content: bytes, choice: Choice) -> dict[str, Any]:
        assert go.wait(10)
        return read(self, content, choice)

    monkeypatch.setattr(PictureDesk, "_read", wait_and_read)
    yield go
    go.set()


def metrics_of(client: Client) -> dict[str, Metric]:
    """What `/metrics` says, by name, read as Prometheus reads it."""
    answer = client.get("/metrics")
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return {family.name: family for family in text_string_to_metric_families(answer.text)}


def wait_for(question: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not question():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)


def folders_of_clips(process: int | None = None) -> set[Path]:
    """Folders of clips of a process, None for this one."""
    number = os.getpid() if process is None else process
    return set(Path(tempfile.gettempdir()).glob(f"fer-live-clip-{number}-*"))
