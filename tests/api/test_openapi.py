"""The description and the API agree, as schemathesis sees it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import requests

from tests.api.conftest import KEY, Client, metrics_of, serving

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = 6
"""For each operation, in each of schemathesis's phases that make requests up."""

MOST_SECONDS = 20


def test_schemathesis_finds_no_fault(tmp_path: Path):
    """Its own command, with every check: fuzzed requests, edge cases, chains of calls."""
    with serving(requests_per_minute=0, waiting_videos=10_000, kept_videos=5) as client:
        command = [sys.executable, "-m", "schemathesis.cli", "run", f"{client.root}/openapi.json"]
        command += ["--header", f"Authorization: Bearer {KEY}", "--max-examples", str(EXAMPLES)]
        command += ["--max-time", str(MOST_SECONDS), "--generation-deterministic", "--no-color"]
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "SCHEMATHESIS_HOOKS": "tests.api.schemathesis_files",
            },
            capture_output=True,
            text=True,
        )
        missed = operations(client) - reached(client)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    tried = re.search(r"(\d+) generated", done.stdout)
    assert tried, done.stdout
    assert int(tried[1]) >= 20, done.stdout
    assert not missed, done.stdout


def operations(client: Client) -> set[tuple[str, str]]:
    """Method and path of everything that is described."""
    paths = requests.get(f"{client.root}/openapi.json", timeout=10).json()["paths"]
    return {(method.upper(), path) for path, methods in paths.items() for method in methods}


def reached(client: Client) -> set[tuple[str, str]]:
    """Method and path of everything that the server has answered, the guard's refusals left out."""
    labels = [sample.labels for sample in metrics_of(client)["fer_requests"].samples]
    return {(one["method"], one["route"]) for one in labels if one["status"] != "401"}


def test_every_route_is_described_with_its_errors(client: Client):
    described = requests.get(f"{client.root}/openapi.json", timeout=10).json()
    assert set(described["paths"]) == {
        "/health", "/metrics", "/v1/models", "/v1/analyze", "/v1/videos", "/v1/videos/{number}",
        *(f"/v1/videos/{{number}}/{name}" for name in
          ("annotated.mp4", "faces.csv", "faces.jsonl")),
    }  # fmt: skip
    for path, methods in described["paths"].items():
        for operation in methods.values():
            assert operation["summary"]
            if path != "/health":
                assert {"401", "429"} <= set(operation["responses"])


def test_a_wrong_method_hears_every_right_one(client: Client):
    answer = client.ask("OPTIONS", "/v1/videos/0")
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "DELETE, GET"
    assert "It takes: DELETE, GET." in answer.json()["detail"]


def test_an_address_with_a_line_break_is_refused_as_any_other(client: Client):
    for address in ("/v1/videos/%0Ax", "/v1/videos/x%0A/faces.csv", "/none%0A"):
        answer = client.get(address)
        assert answer.status_code == 404
        assert answer.json()["detail"]


def test_the_page_loads_nothing_from_elsewhere(client: Client):
    page = requests.get(f"{client.root}/docs", timeout=10).text
    assert "swagger-ui" in page
    assert "https://" not in page
    for line in page.splitlines():
        for word in ('src="', 'href="'):
            if word in line:
                address = line.partition(word)[2].partition('"')[0]
                found = requests.get(client.host() + address, timeout=10)
                assert found.status_code == 200, address
