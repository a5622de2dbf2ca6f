"""What `/metrics` says after traffic that is known."""

from __future__ import annotations

import io
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from api.job import Job
from fer_core.errors import VideoError
from tests.api.conftest import Client, metrics_of, serving, wait_for

FAMILIES = {
    "fer_requests": "counter",
    "fer_request_seconds": "histogram",
    "fer_batch_faces": "histogram",
    "fer_batch_pictures": "histogram",
    "fer_pictures_inside": "gauge",
    "fer_clips": "gauge",
    "process_virtual_memory_bytes": "gauge",
    "process_resident_memory_bytes": "gauge",
    "process_start_time_seconds": "gauge",
    "process_cpu_seconds": "counter",
    "process_open_fds": "gauge",
    "process_max_fds": "gauge",
}
STATES = ("waiting", "running", "done", "failed", "cancelled")
ALONE, MANY = 2, 8


def values(client: Client) -> dict[str, float]:
    """Every sample that has no labels."""
    samples = [sample for family in metrics_of(client).values() for sample in family.samples]
    return {sample.name: sample.value for sample in samples if not sample.labels}


def by_label(client: Client, sample: str, *labels: str) -> dict[tuple[str, ...], float]:
    """Values of one kind of sample."""
    samples = [one for family in metrics_of(client).values() for one in family.samples]
    return {
        tuple(one.labels[label] for label in labels): one.value
        for one in samples
        if one.name == sample
    }


@pytest.fixture(scope="module")
def busy(portrait: bytes) -> Iterator[Client]:
    """A server that has had its traffic."""
    with Image.open(io.BytesIO(portrait)) as image:
        pair = Image.fromarray(np.hstack([np.asarray(image)] * 2))
    stream = io.BytesIO()
    pair.save(stream, "JPEG", quality=90)
    with serving(requests_per_minute=0) as client:
        two = client.post("/v1/analyze", data=stream.getvalue()).json()
        assert len(two["faces"]) == 2
        client.post("/v1/analyze", data=portrait)
        with ThreadPoolExecutor(MANY) as threads:
            list(threads.map(lambda _: client.post("/v1/analyze", data=portrait), range(MANY)))
        client.post("/v1/analyze", data=b"words")
        client.get("/health")
        client.get("/health", headers={"Authorization": None})
        client.get("/v1/models", headers={"Authorization": None})
        client.get("/v1/videos/0")
        client.get("/v1/videos/1")
        client.ask("BREW", "/health")
        client.get("/made-up/1")
        client.ask("BREW", "/made-up/2")
        yield client


REQUESTS = {
    ("POST", "/v1/analyze", "200"): ALONE + MANY,
    ("POST", "/v1/analyze", "422"): 1,
    ("GET", "/health", "200"): 2,
    ("GET", "/v1/models", "401"): 1,
    ("GET", "/v1/videos/{number}", "404"): 2,
    ("unknown", "/health", "405"): 1,
    ("unknown", "unknown", "404"): 2,
}


def test_every_family_has_its_name_and_type(busy: Client) -> None:
    families = {name: family.type for name, family in metrics_of(busy).items()}
    # Times of creation are the Prometheus client's own affair.
    assert {name: kind for name, kind in families.items() if not name.endswith("_created")} == (
        FAMILIES
    )


def test_requests_are_counted_and_timed_by_route_and_no_caller_makes_a_row(busy: Client) -> None:
    counted = by_label(busy, "fer_requests_total", "method", "route", "status")
    counted = {labels: count for labels, count in counted.items() if labels[1] != "/metrics"}
    assert counted == REQUESTS
    routes: Counter[tuple[str, ...]] = Counter()
    for (_, path, _), count in REQUESTS.items():
        routes[(path,)] += count
    timed = by_label(busy, "fer_request_seconds_count", "route")
    seconds = by_label(busy, "fer_request_seconds_sum", "route")
    below = by_label(busy, "fer_request_seconds_bucket", "route", "le")
    for route, count in routes.items():
        assert timed[route] == below[(*route, "+Inf")] == count
        assert 0 < seconds[route] < 60 * count
    assert set(timed) == {*routes, ("/metrics",)}


def test_pictures_and_faces_of_the_batches_are_counted_apart(busy: Client) -> None:
    found = values(busy)
    pictures = ALONE + MANY
    assert found["fer_batch_pictures_sum"] == pictures
    assert found["fer_batch_faces_sum"] == pictures + 1
    batches = found["fer_batch_pictures_count"]
    assert found["fer_batch_faces_count"] == batches
    # How many met is chance; the first ones came alone, the pair among them.
    assert ALONE + 1 <= batches <= pictures
    alone = by_label(busy, "fer_batch_faces_bucket", "le")[("1.0",)]
    assert alone == by_label(busy, "fer_batch_pictures_bucket", "le")[("1.0",)] - 1


def test_the_process_is_this_one(busy: Client) -> None:
    found = values(busy)
    assert 30e6 < found["process_resident_memory_bytes"] < found["process_virtual_memory_bytes"]
    assert time.time() - 86_400 < found["process_start_time_seconds"] < time.time()
    assert 3 < found["process_open_fds"] < found["process_max_fds"]
    spent = time.process_time()
    while time.process_time() < spent + 0.1:
        pass
    later = values(busy)["process_cpu_seconds_total"]
    assert found["process_cpu_seconds_total"] < later < time.process_time() + 0.1


def test_pictures_in_work_are_inside(portrait: bytes, held: threading.Event) -> None:
    with serving() as client, ThreadPoolExecutor(1) as thread:
        answer = thread.submit(client.post, "/v1/analyze", data=portrait)
        wait_for(lambda: values(client)["fer_pictures_inside"] == 1)
        held.set()
        assert answer.result().status_code == 200
        wait_for(lambda: values(client)["fer_pictures_inside"] == 0)


def test_clips_are_counted_by_state(clip: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    go, fates = threading.Event(), iter(("done", "failed"))

    def annotate(job: Job) -> None:
        fate = next(fates, "running")
        if fate == "failed":
            raise VideoError("A made fault.")
        if fate == "running":
            assert go.wait(30)

    def clips() -> dict[str, float]:
        return {state: count for (state,), count in by_label(client, "fer_clips", "state").items()}

    monkeypatch.setattr(Job, "_annotate", annotate)
    with serving(requests_per_minute=0, waiting_videos=9) as client:
        assert clips() == dict.fromkeys(STATES, 0)
        for _ in range(5):
            posted = client.post("/v1/videos", data=clip, headers={"Content-Type": "video/mp4"})
            assert posted.status_code == 202
        wait_for(lambda: clips()["running"] == 1)
        found = clips()
        go.set()
    assert found == {"done": 1, "failed": 1, "running": 1, "waiting": 2, "cancelled": 0}
