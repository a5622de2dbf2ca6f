"""The page and the API under one roof, as `streamlit run app.py` serves them."""

from __future__ import annotations

import ast
import subprocess
import sys
import time
from pathlib import Path

import requests
from streamlit.web.server.app_discovery import discover_asgi_app

from api.mount import MountedApi
from tests.api.conftest import KEY, folders_of_clips
from tests.browser.server import serve

ROOT = Path(__file__).resolve().parents[2]

SERVED_SECONDS = 5.0


def test_streamlit_finds_the_app_in_the_script():
    found = discover_asgi_app(ROOT / "app.py")
    assert (found.is_asgi_app, found.import_string) == (True, "app:app")


def test_one_process_serves_both_and_never_loads_tensorflow(tmp_path, portrait, clip):
    started = time.monotonic()
    with serve(tmp_path, environment={"FER_LIVE_API_KEY": KEY}) as server:
        seconds = time.monotonic() - started
        page = requests.get(server.url, timeout=10)
        assert "<title>Streamlit</title>" in page.text
        assert requests.get(f"{server.url}/_stcore/health", timeout=10).text == "ok"
        script = page.text.partition('src="./static/js/')[2].partition('"')[0]
        assert requests.get(f"{server.url}/static/js/{script}", timeout=10).status_code == 200
        assert requests.get(f"{server.url}/api/health", timeout=30).json() == {"status": "ok"}
        headers = {"Authorization": f"Bearer {KEY}"}
        address = f"{server.url}/api/v1/analyze"
        assert requests.post(address, data=portrait, timeout=10).status_code == 401
        answer = requests.post(address, data=portrait, headers=headers, timeout=30)
        assert [face["label"] for face in answer.json()["faces"]] == ["happy"]
        assert "tensorflow" not in server.libraries()
        with requests.Session() as session:
            times = []
            for _ in range(15):
                asked = time.monotonic()
                session.get(f"{server.url}/api/health", timeout=10)
                times.append(time.monotonic() - asked)
        # Nagle's algorithm would hold every answer back for 40 ms.
        assert min(times) < 0.03
        posted = requests.post(
            f"{server.url}/api/v1/videos", files={"file": clip}, headers=headers, timeout=30
        )
        assert posted.status_code == 202
        metrics = requests.get(f"{server.url}/api/metrics", headers=headers, timeout=10).text
        assert 'fer_requests_total{method="POST",route="/v1/analyze",status="200"} 1.0' in metrics
    assert server.process.returncode in (0, 1)  # 1: click's word for Ctrl-C
    assert "Traceback" not in server.said()
    assert folders_of_clips(server.process.pid) == set()
    # The machine may be busy; ten times the usual is a fault on any.
    assert seconds < 10 * SERVED_SECONDS


def test_importing_the_app_is_light():
    """FastAPI waits for the first request, and nothing heavy comes at all."""
    code = (
        "import sys, app; "
        "print([m for m in ('fastapi', 'tensorflow', 'keras', 'mediapipe') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=ROOT, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


def test_the_api_lies_under_the_servers_own_path():
    assert [route.path for route in MountedApi({}, "fer/live/").routes] == ["/fer/live/api"]
    assert [route.path for route in MountedApi({}, "").routes] == ["/api"]


def test_arrows_run_one_way():
    never = {"ui", "train", "benchmarks", "streamlit", "app"}
    found = []
    for file in sorted((ROOT / "api").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            found += [f"{file.name}: {n}" for n in names if n.partition(".")[0] in never]
    assert found == []
