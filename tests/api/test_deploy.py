"""The files in deploy/ parse, and name only what there is."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from api.mount import PATH
from api.settings import PREFIX, ApiSettings
from ui import connection

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
CADDY = (DEPLOY / "Caddyfile").read_text(encoding="utf-8")
DOCKER = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
PAGE = (ROOT / "docs" / "serving.md").read_text(encoding="utf-8")


COMPOSE_VARIABLES = {"SITE", "TURN_HOST", "TURN_USER", "TURN_PASSWORD", "FER_LIVE_API_KEY"}


def test_the_app_is_given_variables_that_it_reads():
    known = {getattr(connection, name) for name in dir(connection) if name.endswith("_VARIABLE")}
    known |= {PREFIX + name.upper() for name in ApiSettings.__dataclass_fields__}
    given = {name for name in COMPOSE["services"]["app"]["environment"] if "FER_LIVE" in name}
    assert given <= known
    assert {"FER_LIVE_API_KEY", "FER_LIVE_TURN_URL", "FER_LIVE_TURN_PASSWORD"} <= given


def test_every_variable_that_is_asked_for_is_on_the_page():
    asked = re.findall(r"\$\{(\w+):\?", (DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    assert {f"{name}=" for name in asked} <= set(re.findall(r"^    (\w+=)", PAGE, re.MULTILINE))


def test_the_image_has_what_it_copies_and_everything_that_is_imported():
    copied = [line.split()[1] for line in DOCKER.splitlines() if line.startswith("COPY ")]
    assert all((ROOT / name).exists() for name in copied)
    assert {"app.py", "api", "fer_core", "ui", "models", ".streamlit"} <= set(copied)
    allowed = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert {f"!{name}" for name in copied} <= set(allowed)


def test_the_balancer_knows_the_service_its_port_and_the_apis_addresses():
    upstreams = re.findall(r"dynamic a (\w+) (\d+)", CADDY)
    assert upstreams
    for service, port in upstreams:
        assert port in COMPOSE["services"][service]["expose"]
    assert f"EXPOSE {upstreams[0][1]}" in DOCKER
    for address in ("/v1/analyze", "/v1/videos", "/metrics"):
        assert PATH + address in CADDY
    assert f"localhost:8501{PATH}/health".replace("localhost", "127.0.0.1") in DOCKER
    assert "lb_policy cookie fer_live_replica" in CADDY
    assert "fer_live_replica" in PAGE


def test_mounted_files_are_there():
    for service in COMPOSE["services"].values():
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            assert (DEPLOY / source).exists() if "/" in source else source in COMPOSE["volumes"]


@pytest.mark.skipif(shutil.which("caddy") is None, reason="caddy is not installed")
def test_caddy_accepts_its_file():
    done = subprocess.run(
        ["caddy", "validate", "--config", str(DEPLOY / "Caddyfile"), "--adapter", "caddyfile"],
        env={**os.environ, "SITE": "localhost"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def _compose() -> list[str] | None:
    """Docker's own tool for compose files, in either of its forms; needs no running engine."""
    for words in (["docker", "compose"], ["docker-compose"]):
        if (
            shutil.which(words[0])
            and not subprocess.run([*words, "version"], capture_output=True).returncode
        ):
            return words
    return None


@pytest.mark.skipif(_compose() is None, reason="docker compose is not installed")
@pytest.mark.parametrize("missing", [None, "FER_LIVE_API_KEY", "TURN_PASSWORD", "SITE"])
def test_compose_accepts_its_file_and_asks_for_what_it_needs(missing: str | None, tmp_path: Path):
    values = {
        "SITE": "fer.example.org",
        "TURN_HOST": "fer.example.org",
        "TURN_PASSWORD": "a-password",
        "FER_LIVE_API_KEY": "a-key-of-24-characters-..",
    }
    values.pop(missing, None)
    file = tmp_path / "variables"
    file.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    command = [*(_compose() or []), "--env-file", str(file)]
    done = subprocess.run(
        [*command, "-f", str(DEPLOY / "compose.yaml"), "config"],
        env={name: value for name, value in os.environ.items() if name not in COMPOSE_VARIABLES},
        capture_output=True,
        text=True,
    )
    if missing is not None:
        assert done.returncode != 0
        return
    assert done.returncode == 0, done.stderr
    assert set(yaml.safe_load(done.stdout)["services"]) == {"app", "balancer", "turn"}
